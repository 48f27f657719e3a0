/** Accounts, for administrators: who there is, what they may do, add one. */
import { useState } from 'preact/hooks';
import { api } from '../api';
import { Action } from '../components/action';
import { Dialog } from '../components/dialog';
import { RoleBoxes, UnitChoice } from '../components/form';
import { Failed, useLoad, Waiting } from '../components/load';
import { PersonDialog } from '../components/person_dialog';
import { confinedTo, PlacesChoice, placesOf } from '../components/places';
import { Table } from '../components/table';
import { ROLES, type Role, type User } from '../contract';
import { t, tName } from '../i18n';
import { directory, me } from '../store';

export function UsersTab() {
  const { data, error, again } = useLoad(() => api.users(), 'users');
  const [adding, setAdding] = useState(false);
  const [changing, setChanging] = useState<User | null>(null);
  const [person, setPerson] = useState<User | null>(null);
  const [reported, setReported] = useState(false);
  return (
    <>
      <p class="buttons">
        <button type="button" class="primary" onClick={() => setAdding(true)}>
          {t('users.add')}
        </button>
        <button type="button" onClick={() => setReported(true)}>
          {t('person.reports')}
        </button>
      </p>
      {!data && (error ? <Failed error={error} again={again} /> : <Waiting />)}
      {data && (
        <Table label={t('users')} head={[t('users.name'), t('users.display'), t('users.roles'), t('users.unit'), t('users.place'), t('second'), t('users.state'), '']}>
          {data.map((user) => (
            <Row key={user.name} user={user} again={again} change={() => setChanging(user)} person={() => setPerson(user)} />
          ))}
        </Table>
      )}
      {adding && <Account user={null} onClose={() => setAdding(false)} after={again} />}
      {person && <PersonDialog name={person.name} erased={person.erased ?? false} onClose={() => setPerson(null)} after={again} />}
      {reported && <PersonDialog name={null} onClose={() => setReported(false)} />}
      {changing && <Account user={changing} onClose={() => setChanging(null)} after={again} />}
    </>
  );
}

function Row({ user, again, change, person }: { user: User; again: () => void; change: () => void; person: () => void }) {
  const off = user.disabled ?? (user.active === undefined ? false : !user.active);
  return (
    <tr class={off ? 'off' : ''}>
      <th scope="row">{user.name}</th>
      <td>{user.display}</td>
      <td>{user.roles.map((role) => t(`role.${role}`)).join(t('list.comma'))}</td>
      <td>{user.unit ? tName(directory.value?.units.get(user.unit)?.name) || user.unit : '—'}</td>
      <td>{placesOf(user)}</td>
      <td>{user.second ? '✓' : '—'}</td>
      <td>
        {t(user.erased ? 'users.erased' : off ? 'users.off' : 'users.on')} {user.external && <span class="quiet">{t('users.external')}</span>}
      </td>
      <td>
        <button type="button" class="plain" onClick={person}>
          {t('person.data')} <span class="only-read">{user.name}</span>
        </button>
        {!user.external && !user.erased && (
          <button type="button" class="plain" onClick={change}>
            {t('users.change')} <span class="only-read">{user.name}</span>
          </button>
        )}
        {user.name !== me.value?.name && !user.erased && (
          <Action class="plain" run={() => api.changeUser(user.name, { disabled: !off })} after={again}>
            {t(off ? 'users.enable' : 'users.disable')} <span class="only-read">{user.name}</span>
          </Action>
        )}
        {user.second && user.name !== me.value?.name && (
          <Action class="plain" run={() => api.removeSecondOf(user.name)} after={again}>
            {t('second.remove')} <span class="only-read">{user.name}</span>
          </Action>
        )}
      </td>
    </tr>
  );
}

/** Add an account, or change what one may do, for whom and where. A name stays, and a password is its owner's. */
function Account({ user, onClose, after }: { user: User | null; onClose: () => void; after: () => void }) {
  const [name, setName] = useState(user?.name ?? '');
  const [display, setDisplay] = useState(user?.display ?? '');
  const [password, setPassword] = useState('');
  const [roles, setRoles] = useState<Role[]>(user?.roles ?? ['duty']);
  const [unit, setUnit] = useState(user?.unit ?? '');
  const [places, setPlaces] = useState<string[]>(user?.places ?? []);
  const field = roles.includes('field');
  const complete = name.trim() && (user || password) && roles.length > 0 && (!field || unit);
  const facts = { display: display.trim() || name.trim(), roles, unit: field ? unit : null, places: confinedTo(roles, places) };
  const title = user ? t('users.change.of', { name: user.name }) : t('users.add');
  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={(event) => event.preventDefault()}>
        {!user && (
          <label class="stacked">
            <span>{t('users.name')}</span>
            <input value={name} maxLength={64} autocomplete="off" autocapitalize="none" onInput={(event) => setName(event.currentTarget.value)} />
          </label>
        )}
        <label class="stacked">
          <span>{t('users.display')}</span>
          <input value={display} maxLength={100} autocomplete="off" onInput={(event) => setDisplay(event.currentTarget.value)} />
        </label>
        {!user && (
          <label class="stacked">
            <span>{t('first.password')}</span>
            <input type="password" value={password} autocomplete="new-password" onInput={(event) => setPassword(event.currentTarget.value)} />
          </label>
        )}
        <RoleBoxes all={ROLES} roles={roles} change={setRoles} />
        {field && <UnitChoice unit={unit} change={setUnit} />}
        <PlacesChoice roles={roles} places={places} change={setPlaces} />
        <footer>
          <button type="button" onClick={onClose}>
            {t('cancel')}
          </button>
          <Action
            class="primary"
            disabled={!complete}
            run={() => (user ? api.changeUser(user.name, facts) : api.addUser({ name: name.trim(), password, ...facts }))}
            done={t(user ? 'users.changed' : 'users.added', { name: name.trim() })}
            after={() => {
              after();
              onClose();
            }}
          >
            {t(user ? 'users.change' : 'users.add')}
          </Action>
        </footer>
      </form>
    </Dialog>
  );
}
