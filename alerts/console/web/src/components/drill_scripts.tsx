/** The scripts of drills that the site has, each with its start button; who starts one is told first whom it reaches. */
import { useEffect, useState } from 'preact/hooks';
import { api } from '../api';
import { duration } from '../clock';
import type { DrillScript } from '../contract';
import { t, tName } from '../i18n';
import { go, href } from '../router';
import { areaName, unitName } from '../store';
import { Dialog } from './dialog';
import { Footer } from './form';
import { Failed, useLoad, Waiting } from './load';

const LOOK = 2000; // milliseconds between two looks while a drill runs

export function DrillScripts() {
  const [turn, setTurn] = useState(0);
  const { data, error, again } = useLoad(() => api.exerciseScripts(), 'scripts', turn);
  const [asking, ask] = useState<DrillScript | null>(null);
  const runs = data?.last && !data.last.over;
  useEffect(() => {
    if (!runs) return undefined;
    const timer = setInterval(() => setTurn((n) => n + 1), LOOK);
    return () => clearInterval(timer);
  }, [runs]);
  return (
    <section class="sheet-part" aria-labelledby="scripts" data-test="scripts">
      <h2 id="scripts">{t('exercises.scripts')}</h2>
      <p class="quiet">
        {t('exercises.where')} <code>exercises/</code>
      </p>
      {!data && (error ? <Failed error={error} again={again} /> : <Waiting />)}
      {data && !data.items.length && <p class="quiet">{t('exercises.scripts.none')}</p>}
      {data?.last?.error && <p class="model-bad" role="alert">{data.last.error}</p>}
      {runs && (
        <p>
          <a href={href('exercises', data.last!.id)}>{t('exercises.follow')}</a>
        </p>
      )}
      <ul class="plain-list">
        {data?.items.map((one) => (
          <li key={one.name} class="row">
            <Script one={one} />
            {!one.problems.length && (
              <button type="button" disabled={Boolean(runs)} onClick={() => ask(one)}>
                {t('exercises.start')}
                <span class="only-read"> {tName(one.title) || one.name}</span>
              </button>
            )}
          </li>
        ))}
      </ul>
      {asking && <Start one={asking} onClose={() => ask(null)} />}
    </section>
  );
}

function Script({ one }: { one: DrillScript }) {
  if (one.problems.length) {
    return (
      <div>
        <b>{one.name}</b> <span class="model-bad">{t('exercises.mistakes', { n: one.problems.length })}</span>
        <ul>
          {one.problems.map((each, at) => (
            <li key={at}>
              {each.line ? `${each.line}: ` : ''}
              {each.field && <b>{each.field}</b>} {each.told}
            </li>
          ))}
        </ul>
      </div>
    );
  }
  return (
    <div>
      <b>{tName(one.title) || one.name}</b>{' '}
      <span class="quiet">
        {one.areas.map(areaName).join(', ')} · {duration(one.lasts)} · {one.acts ? t('exercises.acts', { n: one.acts }) : t('exercises.people')}
      </span>
    </div>
  );
}

function Start({ one, onClose }: { one: DrillScript; onClose: () => void }) {
  return (
    <Dialog title={t('exercises.start.title', { title: tName(one.title) || one.name })} onClose={onClose}>
      <form onSubmit={(event) => event.preventDefault()}>
        <p>{t('exercises.start.targets')}</p>
        <p>{one.units.length ? t('exercises.start.units', { units: one.units.map(unitName).join(', ') }) : t('exercises.start.nobody')}</p>
        <p>{t('exercises.start.marked', { areas: one.areas.map(areaName).join(', '), lasts: duration(one.lasts) })}</p>
        <Footer
          onClose={onClose}
          run={async () => {
            const begun = await api.beginExercise(one.name);
            go(href('exercises', begun.id));
          }}
          word={t('exercises.start.now')}
          done={t('exercises.begun')}
        />
      </form>
    </Dialog>
  );
}
