/** Tokens of the API: what each may do and until when; its secret is shown once, when it is made. */
import { useState } from 'preact/hooks';
import { api } from '../api';
import { duration, moment, now } from '../clock';
import { ROLES, type Role, type Token } from '../contract';
import { t } from '../i18n';
import { directory, unitName } from '../store';
import { Action } from './action';
import { Dialog } from './dialog';
import { useAsked } from '../router';
import { RoleBoxes, UnitChoice } from './form';
import { Failed, useLoad, Waiting } from './load';
import { actorName } from './marks';
import { confinedTo, PlacesChoice, placesOf } from './places';
import { Table } from './table';

export function TokensTab() {
  const { data, error, again } = useLoad(() => api.tokens(), 'tokens');
  const [adding, setAdding] = useState(false);
  const [asked, setOld] = useAsked('old');
  const old = asked !== '';
  const shown = (data ?? []).filter((one) => old || state(one) === 'on');
  return (
    <>
      <p class="quiet">{t('tokens.help')}</p>
      <p class="buttons">
        <button type="button" class="primary" onClick={() => setAdding(true)}>
          {t('tokens.add')}
        </button>
        <label class="inline">
          <input type="checkbox" checked={old} onChange={(event) => setOld(event.currentTarget.checked ? '1' : '')} /> {t('tokens.old')}
        </label>
      </p>
      {!data && (error ? <Failed error={error} again={again} /> : <Waiting />)}
      {data && !shown.length && <p class="quiet empty">{t('tokens.none')}</p>}
      {shown.length > 0 && (
        <Table label={t('admin.tab.tokens')} head={[t('tokens.name'), t('users.roles'), t('users.place'), t('tokens.expires'), t('tokens.used'), t('tokens.author'), '']} test="tokens">
          {shown.map((one) => (
            <tr key={one.id} class={state(one) === 'on' ? '' : 'off'}>
              <th scope="row">
                {one.name} <span class="quiet code">{one.id}</span>
              </th>
              <td>
                {one.roles.map((role) => t(`role.${role}`)).join(t('list.comma'))} {one.unit && <span class="quiet">{unitName(one.unit)}</span>}
              </td>
              <td>{placesOf(one)}</td>
              <td>{standing(one)}</td>
              <td>{one.used ? moment(one.used) : t('tokens.never')}</td>
              <td>{actorName(one.author)}</td>
              <td>
                {state(one) === 'on' && (
                  <Action class="plain" run={() => api.revokeToken(one.id)} after={again} done={t('tokens.revoked', { name: one.name })}>
                    {t('tokens.revoke')} <span class="only-read">{one.name}</span>
                  </Action>
                )}
              </td>
            </tr>
          ))}
        </Table>
      )}
      {adding && <Add onClose={() => setAdding(false)} after={again} />}
    </>
  );
}

function state(token: Token): 'on' | 'over' | 'revoked' {
  return token.revoked ? 'revoked' : token.expires <= now.value ? 'over' : 'on';
}

function standing(token: Token): string {
  const found = state(token);
  return found === 'on' ? t('tokens.left', { time: duration(token.expires - now.value) }) : t(`tokens.state.${found}`);
}

const DAYS = [7, 30, 90, 365];

function Add({ onClose, after }: { onClose: () => void; after: () => void }) {
  const [name, setName] = useState('');
  const [roles, setRoles] = useState<Role[]>(['viewer']);
  const [days, setDays] = useState(90);
  const [unit, setUnit] = useState('');
  const [places, setPlaces] = useState<string[]>([]);
  const [secret, setSecret] = useState('');
  const field = roles.includes('field');
  if (secret) {
    return (
      <Dialog title={t('tokens.made')} onClose={onClose}>
        <p>{t('tokens.once')}</p>
        <p>
          <code class="secret" data-test="secret">{secret}</code>
        </p>
        <footer>
          <button type="button" class="primary" onClick={onClose}>
            {t('tokens.kept')}
          </button>
        </footer>
      </Dialog>
    );
  }
  const make = async () => {
    const made = await api.addToken({ name: name.trim(), roles, days, unit: field ? unit : null, places: confinedTo(roles, places) });
    setSecret(made.secret);
    after();
  };
  return (
    <Dialog title={t('tokens.add')} onClose={onClose}>
      <form onSubmit={(event) => event.preventDefault()}>
        <label class="stacked">
          <span>{t('tokens.name')}</span>
          <input value={name} maxLength={64} autocomplete="off" autocapitalize="none" onInput={(event) => setName(event.currentTarget.value)} />
        </label>
        <RoleBoxes all={ROLES} roles={roles} change={setRoles} />
        {field && directory.value && <UnitChoice unit={unit} change={setUnit} />}
        <PlacesChoice roles={roles} places={places} change={setPlaces} />
        <label class="stacked">
          <span>{t('tokens.days')}</span>
          <select value={days} onChange={(event) => setDays(Number(event.currentTarget.value))}>
            {DAYS.map((one) => (
              <option key={one} value={one}>
                {t('tokens.days.n', { n: one })}
              </option>
            ))}
          </select>
        </label>
        <footer>
          <button type="button" onClick={onClose}>
            {t('cancel')}
          </button>
          <Action class="primary" disabled={!name.trim() || !roles.length || (field && !unit)} run={make}>
            {t('tokens.make')}
          </Action>
        </footer>
      </form>
    </Dialog>
  );
}
