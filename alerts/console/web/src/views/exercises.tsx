/** Drills: those that were run, and what each came to. */
import { api, sheet } from '../api';
import { moment } from '../clock';
import { Failed, useLoad, Waiting } from '../components/load';
import { t, tCode, tName } from '../i18n';
import { href } from '../router';
import { mayOperate } from '../store';

export function ExercisesView() {
  const { data, error, again } = useLoad(() => api.exercises(), 'exercises');
  return (
    <main class="page" id="main" tabIndex={-1}>
      <h1>{t('exercises')}</h1>
      {mayOperate.value && (
        <p class="quiet">
          {t('exercises.begin')} <code>foreshock exercise run</code>
        </p>
      )}
      {!data && (error ? <Failed error={error} again={again} /> : <Waiting />)}
      {data && !data.items.length && <p class="quiet">{t('exercises.none')}</p>}
      <ul class="plain-list">
        {data?.items.map((one) => (
          <li key={one.id}>
            <a href={href('exercises', one.id)}>{tName(one.title) || one.id}</a>{' '}
            <span class="quiet">
              {moment(one.began)} – {one.ended ? moment(one.ended) : t('exercises.running')}
            </span>
          </li>
        ))}
      </ul>
    </main>
  );
}

export function ExerciseView({ id }: { id: string }) {
  const { data, error, again } = useLoad(() => api.exercise(id), id);
  return (
    <main class="page" id="main" tabIndex={-1}>
      <a class="back" href={href('exercises')}>
        ← {t('exercises')}
      </a>
      {!data && (error ? <Failed error={error} again={again} /> : <Waiting />)}
      {data && (
        <>
          <header class="row">
            <h1>{tName(data.title) || data.id}</h1>
            <a class="button" href={sheet(`/exercises/${encodeURIComponent(id)}/report.pdf`)} target="_blank" rel="noopener">
              {t('plan.print')}
            </a>
          </header>
          <p>
            <b data-test="score">{data.score === null ? '—' : `${Math.round(100 * data.score)} %`}</b>{' '}
            {t('exercises.met', { met: data.met, of: data.of })} <span class="quiet">{moment(data.began)} – {data.ended ? moment(data.ended) : t('exercises.running')}</span>
          </p>
          {data.missed.length > 0 && (
            <section class="sheet-part" data-test="missed">
              <h2>{t('exercises.missed', { count: data.missed.length })}</h2>
              <ul>
                {data.missed.map((one) => (
                  <li key={`${one.time} ${one.do} ${one.of}`}>
                    {moment(one.time)} {tCode('exercises.leg', one.do)} {one.of} · {tName(one.said)}
                  </li>
                ))}
              </ul>
            </section>
          )}
          {data.incidents.map((one) => (
            <section key={one.id} class="sheet-part">
              <h2>
                <a href={href('incidents', one.id)}>{tName(one.title) || one.id}</a>
              </h2>
              <table>
                <thead>
                  <tr>
                    <th scope="col">{t('exercises.leg')}</th>
                    <th scope="col">{t('exercises.took')}</th>
                    <th scope="col">{t('exercises.objective')}</th>
                    <th scope="col">{t('exercises.result')}</th>
                  </tr>
                </thead>
                <tbody>
                  {one.legs.map((leg) => (
                    <tr key={leg.leg}>
                      <th scope="row">{tCode('exercises.leg', leg.leg)}</th>
                      <td class="digits">{span(leg.seconds)}</td>
                      <td class="digits">{span(leg.objective)}</td>
                      <td>{leg.met === null ? '' : t(leg.met ? 'exercises.yes' : 'exercises.no')}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
              {one.steps > 0 && <p class="quiet">{t('exercises.steps', { done: one.steps_done, steps: one.steps })}</p>}
            </section>
          ))}
        </>
      )}
    </main>
  );
}

function span(seconds: number | null): string {
  if (seconds === null) return '—';
  return `${Math.floor(seconds / 60)}:${String(Math.floor(seconds) % 60).padStart(2, '0')}`;
}
