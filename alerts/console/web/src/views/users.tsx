/** Accounts, for administrators: who there is, what they may do, add one. */
import { useState } from 'preact/hooks';
import { api } from '../api';
import { Action } from '../components/action';
import { Dialog } from '../components/dialog';
import { RoleBoxes, UnitChoice } from '../components/form';
import { Failed, useLoad, Waiting } from '../components/load';
import { placeName } from '../components/report_parts';
import { Table } from '../components/table';
import { ROLES, WHOLE_SITE, type Role, type User } from '../contract';
import { t, tName } from '../i18n';
import { areaName, directory, me } from '../store';

export function UsersTab() {
  const { data, error, again } = useLoad(() => api.users(), 'users');
  const [adding, setAdding] = useState(false);
  return (
    <>
      <p class="buttons">
        <button type="button" class="primary" onClick={() => setAdding(true)}>
          {t('users.add')}
        </button>
      </p>
      {!data && (error ? <Failed error={error} again={again} /> : <Waiting />)}
      {data && (
        <Table label={t('users')} head={[t('users.name'), t('users.display'), t('users.roles'), t('users.unit'), t('users.place'), t('second'), t('users.state'), '']}>
          {data.map((user) => (
            <Row key={user.name} user={user} again={again} />
          ))}
        </Table>
      )}
      {adding && <Add onClose={() => setAdding(false)} after={again} />}
    </>
  );
}

/** Name a place, or an area that somebody is confined to. */
function somewhere(id: string): string {
  return directory.value?.areas.has(id) ? areaName(id) : placeName(id);
}

function Row({ user, again }: { user: User; again: () => void }) {
  const off = user.disabled ?? (user.active === undefined ? false : !user.active);
  return (
    <tr class={off ? 'off' : ''}>
      <th scope="row">{user.name}</th>
      <td>{user.display}</td>
      <td>{user.roles.map((role) => t(`role.${role}`)).join(t('list.comma'))}</td>
      <td>{user.unit ? tName(directory.value?.units.get(user.unit)?.name) || user.unit : '—'}</td>
      <td>{user.places?.length ? user.places.map(somewhere).join(t('list.comma')) : t('users.place.all')}</td>
      <td>{user.second ? '✓' : '—'}</td>
      <td>{t(off ? 'users.off' : 'users.on')}</td>
      <td>
        {user.name !== me.value?.name && (
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

function Add({ onClose, after }: { onClose: () => void; after: () => void }) {
  const [name, setName] = useState('');
  const [display, setDisplay] = useState('');
  const [password, setPassword] = useState('');
  const [roles, setRoles] = useState<Role[]>(['duty']);
  const [unit, setUnit] = useState('');
  const [place, setPlace] = useState('');
  const field = roles.includes('field');
  const whole = roles.some((role) => WHOLE_SITE.includes(role));
  const complete = name.trim() && password && roles.length > 0 && (!field || unit);
  return (
    <Dialog title={t('users.add')} onClose={onClose}>
      <form onSubmit={(event) => event.preventDefault()}>
        <label class="stacked">
          <span>{t('users.name')}</span>
          <input value={name} maxLength={64} autocomplete="off" autocapitalize="none" onInput={(event) => setName(event.currentTarget.value)} />
        </label>
        <label class="stacked">
          <span>{t('users.display')}</span>
          <input value={display} maxLength={100} autocomplete="off" onInput={(event) => setDisplay(event.currentTarget.value)} />
        </label>
        <label class="stacked">
          <span>{t('first.password')}</span>
          <input type="password" value={password} autocomplete="new-password" onInput={(event) => setPassword(event.currentTarget.value)} />
        </label>
        <RoleBoxes all={ROLES} roles={roles} change={setRoles} />
        {field && <UnitChoice unit={unit} change={setUnit} />}
        <label class="stacked">
          <span>{t('users.place')}</span>
          <select value={whole ? '' : place} disabled={whole} onChange={(event) => setPlace(event.currentTarget.value)}>
            <option value="">{t('users.place.all')}</option>
            {(directory.value?.site.places ?? []).map((one) => (
              <option key={one.id} value={one.id}>
                {tName(one.name)}
              </option>
            ))}
          </select>
        </label>
        <footer>
          <button type="button" onClick={onClose}>
            {t('cancel')}
          </button>
          <Action
            class="primary"
            disabled={!complete}
            run={() => api.addUser({ name: name.trim(), display: display.trim() || name.trim(), password, roles, unit: field ? unit : null, places: place && !whole ? [place] : [] })}
            done={t('users.added', { name: name.trim() })}
            after={() => {
              after();
              onClose();
            }}
          >
            {t('users.add')}
          </Action>
        </footer>
      </form>
    </Dialog>
  );
}
