/** The evidence of an incident: the traces of its points, the camera's picture beside them. */
import { Fragment } from 'preact';
import { lazy, Suspense } from './lazy';
import { useMemo, useState } from 'preact/hooks';
import { now } from '../clock';
import type { Alarm, Camera, Level, Snapshot } from '../contract';
import { etaTerm, termForeseen } from '../features';
import { t } from '../i18n';
import { useAsked } from '../router';
import { directory } from '../store';
import { Waiting } from './load';
import { PictureLane } from './picture_lane';
import { Pictures } from './pictures';

const Trace = lazy(() => import('./trace').then((module) => module.Trace));

const SPANS = [3600, 21600, 86400, 604800] as const; // seconds
const FIRST = 3; // traces shown before "show all"
const SHORTEST = 1800; // seconds that the fitted span shows at least
const TALL = 190; // CSS pixels of the first trace
const LOW = 116; // of those beneath it

export interface Onset {
  time: number;
  level: Level;
}

export function Evidence({ alarms, snapshots, area }: { alarms: readonly Alarm[]; snapshots: readonly Snapshot[]; area: string }) {
  const [asked, chooseSpan] = useAsked('span');
  const chosen = SPANS.find((one) => String(one) === asked) ?? null;
  const span = chosen ?? fitted(alarms);
  const [all, setAll] = useState(false);
  const points = evidencePoints(alarms);
  const shown = all ? points : points.slice(0, FIRST);
  const cameras = camerasOf([area, ...alarms.map((alarm) => alarm.area)]);
  const pictures = useMemo(() => [...snapshots].sort((a, b) => a.time - b.time || a.camera.localeCompare(b.camera)), [snapshots]);
  const times = useMemo(() => pictures.map((one) => one.time), [pictures]);
  const [looked, look] = useState<string | null>(null);
  const own = looked === null ? -1 : pictures.findIndex((one) => one.url === looked);
  const at = own >= 0 ? own : Math.max(nearest(times, alarms[0]?.onset ?? 0), 0);
  const [moving, moved] = useState<number | null>(null); // the time that a clip shows
  const choose = (to: number) => look(pictures[to]?.url ?? null);
  const onsets = (point: string): Onset[] =>
    alarms
      .filter((alarm) => alarm.scope === point || alarm.explanation?.points?.includes(point))
      .map((alarm) => ({ time: alarm.onset, level: alarm.level }));
  const eta = (point: string): string => {
    const term = etaTerm(alarms.find((alarm) => alarm.scope === point && (alarm.state === 'UNACK' || alarm.state === 'ACKED') && etaTerm(alarm.explanation?.terms))?.explanation?.terms);
    return term ? termForeseen(term) : '';
  };
  return (
    <section class="evidence" aria-label={t('evidence')}>
      <header class="row">
        <h3>{t('evidence')}</h3>
        <div class="segments" role="group" aria-label={t('evidence.span')}>
          <button type="button" aria-pressed={chosen === null} onClick={() => chooseSpan('')} title={t('span.fit.help')}>
            {t('span.fit')}
          </button>
          {SPANS.map((seconds) => (
            <button key={seconds} type="button" aria-pressed={chosen === seconds} onClick={() => chooseSpan(String(seconds))}>
              {t(`span.${seconds}`)}
            </button>
          ))}
        </div>
      </header>
      <div class={snapshots.length || cameras.length ? 'evidence-grid with-pictures' : 'evidence-grid'}>
        <div class="traces">
          {!points.length && <p class="quiet">{t('evidence.none')}</p>}
          <Suspense fallback={<Waiting />}>
            {shown.map((point, index) => (
              <Fragment key={point}>
                <Trace
                  point={point} span={span} onsets={onsets(point)} height={index ? LOW : TALL} eta={eta(point)}
                  pictures={times} picture={moving ?? times[at] ?? null} onTime={(time) => choose(nearest(times, time))}
                />
                {!index && <PictureLane pictures={pictures} at={at} choose={choose} span={span} />}
              </Fragment>
            ))}
          </Suspense>
          {points.length > shown.length && (
            <button type="button" onClick={() => setAll(true)}>
              {t('evidence.all', { n: points.length })}
            </button>
          )}
        </div>
        <Pictures pictures={pictures} at={at} choose={choose} moved={moved} cameras={cameras} />
      </div>
    </section>
  );
}

/** The index of the time that is nearest to one; -1 where there is none. */
function nearest(times: readonly number[], wanted: number): number {
  return times.reduce((best, time, index) => (best < 0 || Math.abs(time - wanted) < Math.abs(times[best]! - wanted) ? index : best), -1);
}

/** The span that shows the first alarm from well before its onset until now, in doublings so that it holds still. */
function fitted(alarms: readonly Alarm[]): number {
  const wanted = (now.value - (alarms[0]?.onset ?? now.value)) * 1.6 + 600;
  let span = SHORTEST;
  while (span < wanted && span < SPANS[3]) span *= 2;
  return Math.min(span, SPANS[3]);
}

/** The cameras of all areas of the alarms, each once. */
function camerasOf(areas: readonly string[]): Camera[] {
  const known = directory.value;
  const ids = new Set(areas.flatMap((area) => known?.areas.get(area)?.cameras ?? []));
  return [...ids].flatMap((id) => known?.cameras.get(id) ?? []);
}

/** The points that speak for the alarms, the first alarm's first, each once. */
export function evidencePoints(alarms: readonly Alarm[]): string[] {
  const points = new Set<string>();
  const known = directory.value?.points;
  for (const alarm of alarms)
    for (const point of alarm.explanation?.points ?? [alarm.scope]) if (!known || known.has(point)) points.add(point);
  return [...points];
}
