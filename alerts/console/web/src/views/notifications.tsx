/** Whom the notifier tells: how each target stands, a test of it, and what it never took. */
import { api } from '../api';
import { Action } from '../components/action';
import { Failed, useLoad, Waiting } from '../components/load';
import { tell } from '../components/notices';
import type { NotificationTarget } from '../contract';
import { t } from '../i18n';
import { areaName, mayAdminister, unitName } from '../store';

export function NotificationsView() {
  const { data, error, again } = useLoad(() => api.notifications(), 'notifications');
  return (
    <main class="page" id="main" tabIndex={-1}>
      <header class="row">
        <h1>{t('notifications')}</h1>
        <button type="button" onClick={again}>
          {t('notifications.again')}
        </button>
      </header>
      {!data && (error ? <Failed error={error} again={again} /> : <Waiting />)}
      {data?.items.map((one) => <Target key={one.name} target={one} again={again} />)}
    </main>
  );
}

const ALWAYS = 'mqtt'; // the kind that is told of everything as it comes: there is nothing to try

function Target({ target, again }: { target: NotificationTarget; again: () => void }) {
  const dead = target.letters.filter((letter) => letter.dead);
  const test = async () => {
    const answer = await api.testTarget(target.name);
    if (answer.error) throw new Error(t('notifications.failed', { name: target.name, why: answer.error }));
    tell(t(answer.done ? 'notifications.took' : 'notifications.waits', { name: target.name }));
  };
  return (
    <section class="panel" data-test="target">
      <header class="row">
        <h2>
          {target.name} <span class="chip small">{target.kind}</span>
        </h2>
        {mayAdminister.value && target.kind !== ALWAYS && (
          <Action run={test} after={again}>
            {t('notifications.test')} <span class="only-read">{target.name}</span>
          </Action>
        )}
      </header>
      <p class={target.error ? '' : 'quiet'}>
        {target.error || t('notifications.fine')} · {t('notifications.counts', { waiting: target.waiting, held: target.held, dead: target.dead })}
      </p>
      {target.kind === ALWAYS && <p class="quiet">{t('notifications.always')}</p>}
      {dead.length > 0 && (
        <>
          <div class="scroll-x" tabIndex={0} role="group" aria-label={t('notifications.dead')}>
            <table>
              <thead>
                <tr>
                  <th scope="col">{t('notifications.letter')}</th>
                  <th scope="col">{t('notifications.about')}</th>
                  <th scope="col">{t('notifications.tries')}</th>
                  <th scope="col">{t('notifications.why')}</th>
                  <th scope="col"><span class="only-read">{t('column.actions')}</span></th>
                </tr>
              </thead>
              <tbody>
                {dead.map((letter) => (
                  <tr key={letter.id}>
                    <td class="digits">{letter.id}</td>
                    <td>{[areaName(letter.area), letter.unit && unitName(letter.unit)].filter(Boolean).join(' · ')}</td>
                    <td class="digits">{letter.attempts}</td>
                    <td>{letter.error}</td>
                    <td>
                      {mayAdminister.value && (
                        <Action class="plain" run={() => api.retryLetters(target.name, letter.id)} after={again}>
                          {t('notifications.retry')}
                        </Action>
                      )}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          {mayAdminister.value && (
            <Action run={() => api.retryLetters(target.name)} after={again}>
              {t('notifications.retry.all', { n: target.dead })}
            </Action>
          )}
        </>
      )}
    </section>
  );
}
