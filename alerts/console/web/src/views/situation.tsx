/** The same figures for the district, a subdistrict or a community: areas by state, what is open, who is late, what is heard. */
import { useEffect, useState } from 'preact/hooks';
import { api } from '../api';
import { dayOf, now } from '../clock';
import { LevelShape } from '../components/level';
import { Failed, useLoad, Waiting } from '../components/load';
import { AreaSymbol, type Standing } from '../components/map_symbols';
import { Heard, Times } from '../components/report_parts';
import { LEVELS, RANK, type Area, type Level, type Place, type PlaceCount } from '../contract';
import { t, tCode, tName } from '../i18n';
import { href } from '../router';
import { useStands, type Stand } from '../standing';
import { directory, dispatches, FINISHED, loaded, me } from '../store';

const AGAIN = 10_000; // milliseconds between looks at who is silent
const CALM: readonly Standing[] = ['calm', 'partly', 'silent'];

interface Figures {
  areas: number;
  open: Record<Level, number>; // incidents
  calm: Record<string, number>; // areas without one, by how honest that is
  orders: number;
  late: number;
  live: number;
  points: number;
}

export function SituationView({ id }: { id: string }) {
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => !document.hidden && setTurn((n) => n + 1), AGAIN);
    return () => clearInterval(timer);
  }, []);
  const counts = useLoad(api.areaCounts, 'counts', turn);
  const stands = useStands(counts.data?.items);
  const places = directory.value?.site.places ?? [];
  const own = me.value?.places ?? [];
  const first = places.find((one) => own.includes(one.id)) ?? places.find((one) => !one.parent);
  const place = places.find((one) => one.id === id) ?? (id ? undefined : first);
  const below = places.filter((one) => one.parent === place?.id);
  const rows = below.map((one) => ({ place: one, found: once(one, figures(stands.filter((stand) => within(stand.area, one.id))), counts.data?.places) })).filter((row) => row.found.areas);
  const here = stands.filter((stand) => place && within(stand.area, place.id));
  const parent = own.includes(place?.id ?? '') ? undefined : places.find((one) => one.id === place?.parent);
  return (
    <main class="page situation" id="main" tabIndex={-1}>
      {parent && (
        <a class="back" href={parent.parent ? href('situation', parent.id) : href('situation')}>
          ← {tName(parent.name)}
        </a>
      )}
      <h1>
        {t('situation')} <span class="quiet">{place ? tName(place.name) : ''}</span>
      </h1>
      {place && (
        <p>
          <a href={href('report', place.id)}>{t('report')} →</a>
        </p>
      )}
      {counts.error && <Failed error={counts.error} again={counts.again} />}
      {!(counts.data && loaded.value) && !counts.error && <Waiting />}
      {!place && <p class="quiet empty">{t('situation.unknown')}</p>}
      {counts.data && loaded.value && place && (
        <div class="scroll-x" tabIndex={0} role="group" aria-label={t('situation')}>
          <table data-test="situation">
            <thead>
              <tr>
                <th scope="col">{t('situation.place')}</th>
                <th scope="col" class="number">{t('situation.areas')}</th>
                {LEVELS.map((level) => (
                  <th key={level} scope="col" class="number">
                    <LevelShape level={level} size={16} /> {t(`level.${level}`)}
                  </th>
                ))}
                {CALM.map((standing) => (
                  <th key={standing} scope="col" class="number">
                    <AreaSymbol standing={standing} size={16} /> {tCode('situation.calm', standing)}
                  </th>
                ))}
                <th scope="col" class="number">{t('situation.orders')}</th>
                <th scope="col" class="number">{t('situation.late')}</th>
                <th scope="col" class="number">{t('situation.heard')}</th>
              </tr>
            </thead>
            <tbody>
              <Row name={tName(place.name)} found={once(place, figures(here), counts.data.places)} whole />
              {rows.map((row) => (
                <Row key={row.place.id} name={tName(row.place.name) || row.place.id} to={leads(row.place)} found={row.found} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {counts.data && loaded.value && place && !rows.length && (
        <ul class="map-list">
          {here.map((one) => (
            <li key={one.area.id}>
              <a href={href('map', one.area.id)}>
                <AreaSymbol standing={one.standing} />
                <span>
                  <b>{tName(one.area.name) || one.area.id}</b>
                </span>
              </a>
            </li>
          ))}
        </ul>
      )}
      {place && <Lately place={place.id} />}
    </main>
  );
}

/** How this week has gone so far: who answered how fast, who was late, and for how much of the time data came. */
function Lately({ place }: { place: string }) {
  const today = dayOf(now.peek());
  const { data, error, again } = useLoad(() => api.situation(place, 'week', today), `${place} ${today}`);
  if (error?.status === 403) return null; // the reports of this place are for others
  return (
    <section class="sheet-part" data-test="lately">
      <h2>{t('situation.lately')}</h2>
      {error && <Failed error={error} again={again} />}
      {!data && !error && <Waiting />}
      {data && (
        <>
          <p>
            {t('situation.lately.orders', { n: data.now.orders, late: data.now.overdue })}
          </p>
          <Times report={data} />
          <h3>{t('report.available')}</h3>
          <Heard report={data} />
        </>
      )}
    </section>
  );
}

const leads = (place: Place) => href('situation', place.id);

function Row({ name, to, found, whole = false }: { name: string; to?: string; found: Figures; whole?: boolean }) {
  const share = found.points ? found.live / found.points : 0;
  return (
    <tr class={whole ? 'whole' : ''}>
      <th scope="row">{to ? <a href={to}>{name}</a> : name}</th>
      <td class="number">{found.areas}</td>
      {LEVELS.map((level) => (
        <td key={level} class={`number${found.open[level] ? ` some level-${level}` : ''}`}>
          {found.open[level]}
        </td>
      ))}
      {CALM.map((standing) => (
        <td key={standing} class="number">
          {found.calm[standing] ?? 0}
        </td>
      ))}
      <td class="number">{found.orders}</td>
      <td class={`number${found.late ? ' bad' : ''}`}>{found.late}</td>
      <td class={`number${share < 0.98 ? ' bad' : ''}`}>
        {found.live}/{found.points}
      </td>
    </tr>
  );
}

/** The figures of a place, in which a point of two areas is one. */
function once(place: Place, found: Figures, counts: readonly PlaceCount[] | undefined): Figures {
  const heard = counts?.find((one) => one.place === place.id)?.points;
  return heard ? { ...found, live: heard.live, points: heard.live + heard.stale + heard.never } : found;
}

/** Does an area lie in a place, or in one below it? */
function within(area: Area, place: string): boolean {
  const places = directory.value?.places;
  let at: string | null | undefined = area.place;
  for (let depth = 0; at && depth < 8; depth += 1) {
    if (at === place) return true;
    at = places?.get(at)?.parent;
  }
  return false;
}

function figures(stands: readonly Stand[]): Figures {
  const found: Figures = { areas: stands.length, open: { red: 0, orange: 0, yellow: 0, blue: 0 }, calm: {}, orders: 0, late: 0, live: 0, points: 0 };
  const areas = new Set(stands.map((stand) => stand.area.id));
  const worst = new Map<string, Level>(); // an incident of several areas is one
  for (const { standing, incidents, alarm, count } of stands) {
    const open = [...incidents, ...(alarm ? [{ id: alarm.incident ?? alarm.id, level: alarm.level }] : [])];
    for (const { id, level } of open) if ((RANK[level] ?? 0) > (RANK[worst.get(id) ?? ''] ?? 0)) worst.set(id, level);
    if (CALM.includes(standing)) found.calm[standing] = (found.calm[standing] ?? 0) + 1;
    if (count) {
      found.live += count.points.live;
      found.points += count.points.live + count.points.stale + count.points.never;
    }
  }
  for (const level of worst.values()) found.open[level] += 1;
  for (const one of dispatches.value.values()) {
    if (!areas.has(one.area) || FINISHED.includes(one.leg)) continue;
    found.orders += 1;
    if (one.overdue || (one.deadline ?? Infinity) < now.value) found.late += 1;
  }
  return found;
}
