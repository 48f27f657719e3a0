/** Who is logged in, from where, since when; each session can be ended. */
import { api } from '../api';
import { moment } from '../clock';
import { t } from '../i18n';
import { Action } from './action';
import { Failed, useLoad, Waiting } from './load';
import { Table } from './table';

export function SessionsTab() {
  const { data, error, again } = useLoad(() => api.sessions(), 'sessions');
  return (
    <>
      <p class="quiet">{t('sessions.help')}</p>
      {!data && (error ? <Failed error={error} again={again} /> : <Waiting />)}
      {data && (
        <Table label={t('admin.tab.sessions')} head={[t('users.name'), t('sessions.seen'), t('sessions.created'), t('sessions.expires'), t('sessions.address'), t('sessions.agent'), '']} test="sessions">
          {data.map((one) => (
            <tr key={one.id}>
              <th scope="row">{one.user}</th>
              <td>{moment(one.seen)}</td>
              <td>{moment(one.created)}</td>
              <td>{moment(one.expires)}</td>
              <td class="digits">{one.address || '—'}</td>
              <td class="agent" title={one.agent}>{browser(one.agent)}</td>
              <td>
                {one.mine ? (
                  <span class="chip">{t('sessions.mine')}</span>
                ) : (
                  <Action class="plain" run={() => api.endSession(one.id)} after={again} done={t('sessions.ended', { name: one.user })}>
                    {t('sessions.end')} <span class="only-read">{one.user}</span>
                  </Action>
                )}
              </td>
            </tr>
          ))}
        </Table>
      )}
    </>
  );
}

/** The browser's name and system out of what it says of itself, which is long and mostly history. */
function browser(agent: string): string {
  const name = /(Edg|OPR|Firefox|Chrome|Safari)\/(\d+)/.exec(agent);
  const system = /Android|iPhone|iPad|Windows|Mac OS X|Linux/.exec(agent);
  return [name ? `${name[1]} ${name[2]}` : agent.slice(0, 30), system?.[0]].filter(Boolean).join(' · ') || '—';
}
