/** For the wall of a room: what is open, how honest the calm is, and the cameras, those near open incidents first. */
import { useEffect, useState } from 'preact/hooks';
import { api } from '../api';
import { LevelShape } from '../components/level';
import { Failed, useLoad } from '../components/load';
import { Age, Countdown, Simulation } from '../components/marks';
import { Outside } from '../components/outside';
import { Still } from '../components/pictures';
import { LEVELS, type Camera, type Incident } from '../contract';
import { t, tName } from '../i18n';
import { go, href, route } from '../router';
import { troubled } from '../standing';
import { areaName, directory, isRisk, loaded, mayOperate, nextDue, openIncidents, outside, subject, waits } from '../store';

const AGAIN = 10_000; // milliseconds between looks at who is silent
const EVERY = 2000; // milliseconds between two pictures of a camera
const TILES = 6; // pictures at once: three a second, of the ten that the server gives to one account
const LISTED = 8;

export function WallView() {
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setTurn((n) => n + 1), AGAIN);
    return () => clearInterval(timer);
  }, []);
  const counts = useLoad(api.areaCounts, 'counts', turn);
  const risks = openIncidents.value.filter(isRisk);
  return (
    <main class="wall" id="main" tabIndex={-1}>
      <h1 class="only-read">{t('wall')}</h1>
      <ul class="wall-counts" aria-label={t('counts')} data-test="wall-counts">
        {LEVELS.map((level) => {
          const count = risks.filter((one) => one.level === level).length;
          return (
            <li key={level} class={count ? `level-${level}` : 'none'}>
              <LevelShape level={level} size={44} />
              <b>{loaded.value ? count : '–'}</b>
              <span>{t(`level.${level}`)}</span>
            </li>
          );
        })}
        <Honest areas={counts.data?.items ?? null} />
      </ul>
      {counts.error && <Failed error={counts.error} again={counts.again} />}
      <section class="wall-open" aria-label={t('queue')}>
        {loaded.value && !risks.length && !outside.value.length && <p class="wall-calm">{t('queue.empty')}</p>}
        <Outside />
        <ol data-test="wall-open">
          {risks.slice(0, LISTED).map((one) => (
            <Row key={one.id} incident={one} />
          ))}
        </ol>
        {risks.length > LISTED && <p class="quiet">{t('wall.more', { n: risks.length - LISTED })}</p>}
      </section>
      <Cameras />
    </main>
  );
}

/** Areas of which all points are heard, against all: calm that is not heard of is not counted as calm. */
function Honest({ areas }: { areas: { points: { live: number; stale: number; never: number } }[] | null }) {
  if (!areas) return null;
  const whole = areas.filter(({ points }) => points.live > 0 && !points.stale && !points.never).length;
  return (
    <li class={`wall-honest ${whole === areas.length ? 'good' : 'bad'}`} data-test="wall-honest">
      <b>
        {whole}
        <span class="of">/{areas.length}</span>
      </b>
      <span>{t('wall.heard')}</span>
    </li>
  );
}

function Row({ incident }: { incident: Incident }) {
  const due = nextDue(incident.id);
  return (
    <li class={`level-${incident.level}${waits(incident) ? ' waits' : ''}`}>
      <LevelShape level={incident.level} size={34} />
      <a href={href('incidents', incident.id)}>
        <b>{areaName(incident.area)}</b> <span>{tName(subject(incident))}</span>
      </a>
      {incident.simulated && <Simulation small exercise={!!incident.exercise} />}
      {due && <Countdown deadline={due.deadline} leg={due.leg} />}
      <Age time={incident.opened} />
    </li>
  );
}

/** The cameras that were chosen, and before them those near open incidents and alarms, the worst first. */
function Cameras() {
  const known = directory.value;
  const chosen = (route.value.query.get('cameras') ?? '').split(',').filter((id) => known?.cameras.has(id));
  const near = [...new Set(troubled().flatMap((area) => known?.areas.get(area)?.cameras ?? []))];
  const shown = [...new Set([...near, ...chosen])].slice(0, TILES).flatMap((id) => known?.cameras.get(id) ?? []);
  if (!mayOperate.value) return <p class="quiet">{t('wall.cameras.none_may')}</p>;
  return (
    <section class="wall-cameras" aria-label={t('map.cameras')}>
      <div class="wall-tiles" data-test="wall-cameras">
        {shown.map((camera) => (
          <Tile key={camera.id} camera={camera} near={near.includes(camera.id)} />
        ))}
      </div>
      {!shown.length && <p class="quiet">{t('wall.cameras.none')}</p>}
      <Choose chosen={chosen} />
    </section>
  );
}

function Tile({ camera, near }: { camera: Camera; near: boolean }) {
  return (
    <figure class={near ? 'near' : ''} data-camera={camera.id}>
      <Still camera={camera} every={EVERY} />
      <figcaption>
        {tName(camera.name) || camera.id} {near && <b>{t('wall.near')}</b>}
      </figcaption>
    </figure>
  );
}

/** What is chosen stands in the address: a wall's browser opens it as it was. */
function Choose({ chosen }: { chosen: string[] }) {
  const cameras = [...(directory.value?.cameras.values() ?? [])].sort((a, b) => tName(a.name).localeCompare(tName(b.name)));
  const toggle = (id: string) => {
    const next = chosen.includes(id) ? chosen.filter((one) => one !== id) : [...chosen, id];
    go(next.length ? `${href('wall')}?cameras=${next.map(encodeURIComponent).join(',')}` : href('wall'), true);
  };
  return (
    <details class="wall-choose">
      <summary>{t('wall.choose', { n: chosen.length })}</summary>
      <ul>
        {cameras.map((camera) => (
          <li key={camera.id}>
            <label class="inline">
              <input type="checkbox" checked={chosen.includes(camera.id)} onChange={() => toggle(camera.id)} />
              <span>{tName(camera.name) || camera.id}</span>
            </label>
          </li>
        ))}
      </ul>
    </details>
  );
}
