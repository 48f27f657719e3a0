/** The site on a map, and the same in a list beside it: how each area stands, and what is in the chosen one. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import { api } from '../api';
import { measure } from '../clock';
import { Failed, useLoad, Waiting } from '../components/load';
import { MapCanvas, type AreaOnMap, type Drawing, type PartOnMap } from '../components/map_canvas';
import { AreaSymbol, PartSymbol } from '../components/map_symbols';
import { Age } from '../components/marks';
import type { Area, AreaStatus, Dispatch } from '../contract';
import { t, tCode, tName } from '../i18n';
import { go, href, useAsked } from '../router';
import { ORDER, useStands, worst, type Stand } from '../standing';
import { directory, dispatches, FINISHED, outside, placePath, pointName, subject, unitName, WORKING } from '../store';

const AGAIN = 10_000; // ms between looks at who is silent
const SHOWN = { all: ORDER, open: ORDER.slice(0, 4), silent: ['silent', 'partly'] } as const;
type Shown = keyof typeof SHOWN;

export function MapView({ id }: { id: string }) {
  const known = directory.value;
  const site = known?.site;
  const [turn, setTurn] = useState(0);
  const [asked, show] = useAsked('show', 'all');
  const which: Shown = Object.hasOwn(SHOWN, asked) ? (asked as Shown) : 'all';
  const [find, setFind] = useAsked('find');
  useEffect(() => {
    const timer = setInterval(() => !document.hidden && setTurn((n) => n + 1), AGAIN);
    return () => clearInterval(timer);
  }, []);
  const counts = useLoad(api.areaCounts, 'counts', turn);
  const ground = useLoad(async () => (site?.map?.kind === 'geojson' ? api.siteMap() : null), `map ${site?.version ?? ''}`);
  const stands = useStands(counts.data?.items);
  const chosen = stands.find((one) => one.area.id === id);
  const listed = stands.filter((one) => SHOWN[which].some((standing) => standing === one.standing) && matches(one.area, find));
  const status = useLoad(async () => (id && known?.areas.has(id) ? api.areaStatus(id) : null), id, turn);
  const overlays = useOverlays(chosen);
  const marks = stands.flatMap((one): AreaOnMap[] =>
    one.area.location ? [{ id: one.area.id, name: tName(one.area.name) || one.area.id, place: one.area.location, standing: one.standing, words: wording(one) }] : [],
  );
  return (
    <main class="map-page" id="main" tabIndex={-1}>
      <section class="map-side" aria-label={t('map.list')}>
        <h1>{t('map')}</h1>
        {chosen ? (
          <Chosen stand={chosen} status={status.data} />
        ) : (
          <>
            {id && <p class="failed" role="alert">{t('map.unknown')}</p>}
            <div class="filters" role="search">
              <label>
                <span>{t('map.show')}</span>
                <select value={which} onChange={(event) => show(event.currentTarget.value)}>
                  {(Object.keys(SHOWN) as Shown[]).map((one) => (
                    <option key={one} value={one}>
                      {t(`map.show.${one}`)}
                    </option>
                  ))}
                </select>
              </label>
              <label>
                <span>{t('map.find')}</span>
                <input type="search" value={find} onInput={(event) => setFind(event.currentTarget.value)} />
              </label>
            </div>
            {counts.error && <Failed error={counts.error} again={counts.again} />}
            {!counts.data && !counts.error && <Waiting />}
            {counts.data && !listed.length && <p class="quiet empty">{t(stands.length ? 'map.none' : 'map.empty')}</p>}
            <ol class="map-list" data-test="areas">
              {listed.map((one) => (
                <li key={one.area.id}>
                  <a href={href('map', one.area.id)} class={`stands-${one.standing}`} data-area={one.area.id}>
                    <AreaSymbol standing={one.standing} />
                    <span>
                      <b>{tName(one.area.name) || one.area.id}</b>
                      <span class="quiet">{[wording(one), one.area.location ? '' : t('map.nowhere')].filter(Boolean).join(' · ')}</span>
                    </span>
                  </a>
                </li>
              ))}
            </ol>
          </>
        )}
      </section>
      <div class="map-frame">
        {ground.error && <p class="map-trouble" role="status">{t('map.broken')}</p>}
        {site && (
          <MapCanvas
            map={site.map ?? { kind: 'none', bounds: null, tiles: '', attribution: '' }}
            ground={ground.data}
            overlays={overlays}
            areas={marks}
            parts={chosen ? around(chosen, status.data) : []}
            chosen={id}
            onChoose={(area) => go(href('map', area))}
          />
        )}
      </div>
    </main>
  );
}

function matches(area: Area, find: string): boolean {
  const wanted = find.trim().toLowerCase();
  return !wanted || [area.id, area.name.zh, area.name.en].some((text) => text.toLowerCase().includes(wanted));
}

function wording(one: Stand): string {
  const points = one.count?.points;
  const heard = points ? t('map.heard', { live: points.live, total: points.live + points.stale + points.never }) : '';
  const found = worst(one);
  const about = found && ('rule' in found ? (found.rule_title ?? found.rule) : subject(found));
  const what = found ? `${t(`level.${found.level}.long`)}: ${tName(about)}` : tCode('map.standing', one.standing);
  return [what, heard].filter(Boolean).join(' · ');
}

function Chosen({ stand, status }: { stand: Stand; status: AreaStatus | null }) {
  const { area, incidents } = stand;
  const known = directory.value;
  const orders = running(area.id);
  const apart = outside.value.filter((one) => one.area === area.id);
  return (
    <article class="map-chosen" data-test="chosen-area">
      <a class="back" href={href('map')}>
        ← {t('map.all')}
      </a>
      <h2>
        <AreaSymbol standing={stand.standing} size={26} /> {tName(area.name) || area.id}
      </h2>
      <p class="quiet">{[...placePath(area).map(tName), tName(known?.types.get(area.type)?.name)].filter(Boolean).join(' › ')}</p>
      <p>{wording(stand)}</p>
      {incidents.length > 0 && (
        <ul class="plain-list">
          {incidents.map((one) => (
            <li key={one.id}>
              <a href={href('incidents', one.id)}>
                {t(`level.${one.level}`)} {tName(subject(one))}
              </a>{' '}
              <span class="quiet">
                {tCode('incident.state', one.state)} · <Age time={one.opened} ago />
              </span>
            </li>
          ))}
        </ul>
      )}
      {apart.length > 0 && (
        <>
          <h3>{t('map.outside')}</h3>
          <ul class="plain-list" data-test="outside">
            {apart.map((one) => (
              <li key={one.id}>
                <a href={href('alarms', one.id)}>
                  {t(`level.${one.level}`)} {tName(one.rule_title) || one.rule}
                </a>{' '}
                <span class="quiet">
                  {tCode('alarm.state', one.state)} · <Age time={one.onset} ago />
                </span>
              </li>
            ))}
          </ul>
        </>
      )}
      {orders.length > 0 && (
        <>
          <h3>{t('map.units')}</h3>
          <ul class="plain-list">
            {orders.map((one) => (
              <li key={one.id}>
                <PartSymbol kind="unit" state="busy" /> <a href={href('dispatches', one.id)}>{unitName(one.unit)}</a>{' '}
                <span class="quiet">{tCode('leg', one.leg)}</span>
              </li>
            ))}
          </ul>
        </>
      )}
      {!status && <Waiting />}
      {status && (
        <>
          <h3>{t('map.points')}</h3>
          {!status.points.length && <p class="quiet">{t('map.points.none')}</p>}
          <ul class="plain-list map-parts">
            {status.points.map((one) => (
              <li key={one.id}>
                <PartSymbol kind="point" state={one.state} /> <span>{pointName(one.id)}</span>{' '}
                <b class="digits">{one.value === null ? '' : measure(one.value, known?.points.get(one.id)?.unit)}</b>{' '}
                {one.state !== 'live' && <span class="quiet">{tCode('map.health', one.state)}</span>}
              </li>
            ))}
          </ul>
          {status.cameras.length > 0 && <h3>{t('map.cameras')}</h3>}
          <ul class="plain-list map-parts">
            {status.cameras.map((one) => (
              <li key={one.id}>
                <PartSymbol kind="camera" state={one.state} /> <span>{tName(known?.cameras.get(one.id)?.name) || one.id}</span>{' '}
                {one.state !== 'live' && <span class="quiet">{tCode('map.health', one.state)}</span>}
              </li>
            ))}
          </ul>
        </>
      )}
    </article>
  );
}

function running(area: string): Dispatch[] {
  return [...dispatches.value.values()].filter((one) => one.area === area && !FINISHED.includes(one.leg));
}

/** What stands around a chosen area: its points and cameras by how they are, and units; one on scene stands at the area. */
function around({ area }: Stand, status: AreaStatus | null): PartOnMap[] {
  const known = directory.value;
  const parts: PartOnMap[] = [];
  for (const one of status?.points ?? []) {
    const place = known?.points.get(one.id)?.location;
    if (place) parts.push({ id: one.id, kind: 'point', name: `${pointName(one.id)} · ${tCode('map.health', one.state)}`, place, state: one.state });
  }
  for (const one of status?.cameras ?? []) {
    const camera = known?.cameras.get(one.id);
    if (camera?.location) parts.push({ id: one.id, kind: 'camera', name: `${tName(camera.name) || one.id} · ${tCode('map.health', one.state)}`, place: camera.location, state: one.state });
  }
  const busy = new Map([...dispatches.value.values()].filter((one) => WORKING.includes(one.leg)).map((one) => [one.unit, one]));
  for (const unit of known?.units.values() ?? []) {
    const order = busy.get(unit.id);
    const here = order?.area === area.id && order.leg === 'on_scene' ? area.location : null;
    const place = here ? ([here[0] - 0.0003, here[1] + 0.0003] as [number, number]) : unit.location;
    if (place) parts.push({ id: unit.id, kind: 'unit', name: `${unitName(unit.id)} · ${order ? tCode('leg', order.leg) : t('map.free')}`, place, state: order ? 'busy' : 'free' });
  }
  return parts;
}

/** The drawings of the plans that the chosen area's open incidents keep to: what is at risk, the way out. */
function useOverlays(chosen: Stand | undefined): Drawing[] {
  const first = chosen?.incidents[0]?.id ?? '';
  const { data } = useLoad(async () => {
    if (!first) return [];
    const plan = (await api.incident(first)).plan;
    const found = await Promise.allSettled((plan?.overlays ?? []).map(async (one) => ({ name: tName(one.name), data: await api.overlay(plan?.id ?? '', one.file) })));
    return found.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  }, first);
  return useMemo(() => data ?? [], [data]);
}
