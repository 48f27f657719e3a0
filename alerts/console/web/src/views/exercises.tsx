/** Drills: those that can be begun, those that were run, and what each came to. */
import { useEffect, useState } from 'preact/hooks';
import { api, sheet } from '../api';
import { moment } from '../clock';
import { Dialog } from '../components/dialog';
import { DrillScripts } from '../components/drill_scripts';
import { askDuty } from '../components/duty';
import { Footer } from '../components/form';
import { Failed, useLoad, Waiting } from '../components/load';
import { t, tCode, tName } from '../i18n';
import { href } from '../router';
import { mayOperate } from '../store';

const LOOK = 2000; // milliseconds between two looks at a drill that runs

export function ExercisesView() {
  const { data, error, again } = useLoad(() => api.exercises(), 'exercises');
  return (
    <main class="page" id="main" tabIndex={-1}>
      <h1>{t('exercises')}</h1>
      {mayOperate.value && <DrillScripts />}
      <h2>{t('exercises.past')}</h2>
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
  const [turn, setTurn] = useState(0);
  const { data, error, again } = useLoad(() => api.exercise(id), id, turn);
  const runs = data !== null && data.ended === null;
  useEffect(() => {
    if (!runs) return undefined;
    const timer = setInterval(() => setTurn((n) => n + 1), LOOK);
    return () => clearInterval(timer);
  }, [runs, id]);
  useEffect(() => void askDuty(), [runs]); // the banner comes and goes with it
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
            <span class="button-pair">
              <a class="button" href={sheet(`/exercises/${encodeURIComponent(id)}/report.pdf`)} target="_blank" rel="noopener">
                {t('plan.print')}
              </a>
              {runs && mayOperate.value && <End id={id} after={() => setTurn((n) => n + 1)} />}
            </span>
          </header>
          {mayOperate.value && runs && <Course id={id} turn={turn} />}
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

/** How far the script is, and what it said last. */
function Course({ id, turn }: { id: string; turn: number }) {
  const { data } = useLoad(() => api.exerciseScripts(), id, turn);
  const run = data?.last?.id === id ? data.last : null;
  if (!run) return null; // it was begun at a terminal, or before this console began
  return (
    <p data-test="course">
      <label>
        {t('exercises.course', { at: span(run.seconds), of: span(run.lasts) })}{' '}
        <progress value={run.seconds} max={run.lasts} />
      </label>{' '}
      {run.said && <span role="status">{tName(run.said)}</span>}
    </p>
  );
}

function End({ id, after }: { id: string; after: () => void }) {
  const [asking, ask] = useState(false);
  return (
    <>
      <button type="button" onClick={() => ask(true)}>{t('exercises.end')}</button>
      {asking && (
        <Dialog title={t('exercises.end')} onClose={() => ask(false)}>
          <form onSubmit={(event) => event.preventDefault()}>
            <p>{t('exercises.end.what')}</p>
            <Footer onClose={() => ask(false)} run={() => api.endExercise(id)} after={after} word={t('exercises.end.now')} done={t('exercises.ended')} />
          </form>
        </Dialog>
      )}
    </>
  );
}

function span(seconds: number | null): string {
  if (seconds === null) return '—';
  return `${Math.floor(seconds / 60)}:${String(Math.floor(seconds) % 60).padStart(2, '0')}`;
}
