/** Explore what is recorded: some points over one time, each with its score, and the alarms and reports of their areas. */
import { useMemo, useState } from 'preact/hooks';
import { api } from '../api';
import { localInstant, localTime, measure, moment, now, quantity, unitWord, zone } from '../clock';
import { AreaOptions } from '../components/form';
import { LevelMark } from '../components/level';
import { Failed, useLoad, Waiting } from '../components/load';
import { Simulation } from '../components/marks';
import { Plot } from '../components/trace';
import { percent } from '../components/plots';
import { poor } from '../components/trace_drawing';
import type { Explored, ExploredTrace, SeenEvent, SeenEvents } from '../contract';
import { eventName } from '../features';
import { t, tCode, tName } from '../i18n';
import { go, href, route } from '../router';
import { areaName, cameraName, directory, pointName } from '../store';

const SPANS = [3600, 21_600, 86_400, 604_800, 2_592_000] as const; // seconds
const MOST = 8; // points at once, as the server has it
const SPANS_SHOWN = 2000; // entries of a trace: the server gathers readings into so many
const NOTHING: readonly SeenEvent[] = [];
const HEIGHT = 170; // CSS pixels of one trace

interface Asked {
  area: string; // whose points are offered; empty is that of the first one chosen
  points: string[];
  span: number;
  to: number | null; // unix seconds; null is now
}

/** What is asked for stands in the address, so that it can be sent to somebody. */
function asked(): Asked {
  const { query } = route.value;
  const span = Number(query.get('span'));
  const to = Number(query.get('to'));
  const known = directory.value?.points;
  return {
    area: query.get('area') ?? '',
    points: (query.get('points') ?? '').split(',').filter((id) => known?.has(id)).slice(0, MOST),
    span: span > 0 && Number.isFinite(span) ? span : SPANS[2],
    to: to > 0 && Number.isFinite(to) ? to : null,
  };
}

function ask(next: Asked): void {
  const query = new URLSearchParams({
    ...(next.area ? { area: next.area } : {}), points: next.points.join(','), span: String(next.span), ...(next.to ? { to: String(next.to) } : {}),
  });
  go(`${href('explore')}?${query.toString()}`, true);
}

export function ExploreView() {
  const wanted = asked();
  const { points, span, to } = wanted;
  const [turn, setTurn] = useState(0);
  const key = `${points.join(',')} ${span} ${to}`;
  const { data, error, again } = useLoad(async () => {
    if (!points.length) return null;
    const end = to ?? Math.ceil(now.peek());
    return { end, found: await api.explore(points, end - span, end, SPANS_SHOWN) };
  }, key, turn);
  // apart: they are read from the log, which may take seconds in which the readings are looked at already
  const seen = useLoad(async () => (data ? api.exploreEvents(points, data.end - span, data.end) : null), `${key} ${data?.end ?? ''}`, turn);
  return (
    <main class="page explore" id="main" tabIndex={-1}>
      <header class="row">
        <h1>{t('explore')}</h1>
        {data && (
          <a class="button" href={api.exploreCsv(points, data.end - span, data.end)} download="readings.csv">
            {t('explore.csv')}
          </a>
        )}
      </header>
      <Choice wanted={wanted} />
      <div class="filters">
        <div class="segments" role="group" aria-label={t('explore.span')}>
          {SPANS.map((one) => (
            <button key={one} type="button" aria-pressed={span === one} onClick={() => ask({ ...wanted, span: one })}>
              {t(`explore.span.${one}`)}
            </button>
          ))}
        </div>
        <label>
          <span title={zone.value}>{t('explore.until')}</span>
          <input type="datetime-local" value={to ? localTime(to) : ''} onChange={(event) => ask({ ...wanted, to: localInstant(event.currentTarget.value) })} />
        </label>
        <button type="button" disabled={!points.length} onClick={() => setTurn((n) => n + 1)}>
          {t('explore.again')}
        </button>
      </div>
      {!points.length && <p class="quiet empty">{t('explore.none')}</p>}
      {points.length > 0 && error && <Failed error={error} again={again} />}
      {points.length > 0 && !data && !error && <Waiting />}
      {data && <Found found={data.found} seen={seen.data} span={span} end={data.end} />}
    </main>
  );
}

function Choice({ wanted }: { wanted: Asked }) {
  const known = directory.value;
  const area = wanted.area || known?.points.get(wanted.points[0] ?? '')?.areas[0] || '';
  const here = known?.areas.get(area)?.points ?? [];
  const toggle = (id: string) => ask({ ...wanted, points: wanted.points.includes(id) ? wanted.points.filter((one) => one !== id) : [...wanted.points, id] });
  return (
    <section class="explore-choice" aria-label={t('explore.points')}>
      <label class="stacked">
        <span>{t('explore.area')}</span>
        <select value={area} onChange={(event) => ask({ ...wanted, area: event.currentTarget.value })}>
          <option value="">{t('explore.choose')}</option>
          <AreaOptions />
        </select>
      </label>
      {here.length > 0 && (
        <fieldset class="inline" data-test="points">
          <legend>{t('explore.points.most', { n: MOST })}</legend>
          {here.map((id) => (
            <label key={id} class="inline">
              <input type="checkbox" checked={wanted.points.includes(id)} disabled={!wanted.points.includes(id) && wanted.points.length >= MOST} onChange={() => toggle(id)} />
              <span>{pointName(id)}</span>
            </label>
          ))}
        </fieldset>
      )}
      {wanted.points.length > 0 && (
        <p class="explore-chosen">
          {wanted.points.map((id) => (
            <button key={id} type="button" onClick={() => toggle(id)} title={t('explore.drop')}>
              {pointName(id)} <span aria-hidden="true">×</span>
              <span class="only-read">{t('explore.drop')}</span>
            </button>
          ))}
        </p>
      )}
    </section>
  );
}

function Found({ found, seen, span, end }: { found: Explored; seen: SeenEvents | null | undefined; span: number; end: number }) {
  return (
    <>
      {!found.complete && (
        <p class="hint" role="status" data-test="partial">
          {t('explore.partial', { time: moment(found.since) })}
        </p>
      )}
      <div class="traces" data-test="explored">
        {found.items.map((one) => (
          <One key={one.point} one={one} found={found} seen={seen?.items ?? NOTHING} span={span} end={end} />
        ))}
      </div>
      <h2>{t('explore.alarms', { n: found.alarms.length })}</h2>
      <ul class="plain-list" data-test="explored-alarms">
        {found.alarms.map((one) => (
          <li key={`${one.id} ${one.begin}`}>
            <LevelMark level={one.level} size={16} /> <a href={href('alarms', one.id)}>{tName(one.title) || one.rule}</a> {areaName(one.area)}{' '}
            <span class="quiet digits">
              {moment(one.begin)} – {moment(one.end)}
            </span>{' '}
            {one.simulated && <Simulation small />}
          </li>
        ))}
      </ul>
      {seen && (seen.items.length > 0 || !seen.complete) && (
        <>
          <h2>{t('explore.seen', { n: seen.items.length })}</h2>
          {!seen.complete && <p class="hint" role="status">{t('explore.seen.partial')}</p>}
          <ul class="plain-list" data-test="explored-events">
            {seen.items.map((one) => (
              <li key={`${one.camera} ${one.time} ${one.kind}`}>
                <span aria-hidden="true">◆</span> <b>{eventName(one.kind)}</b> {cameraName(one.camera)}{' '}
                <span class="quiet">
                  {areaName(one.area)} <span class="digits">{moment(one.time)}</span>
                  {one.confidence !== null && ` · ${percent(one.confidence)}`} {one.detail}
                </span>{' '}
                {one.simulated && <Simulation small />}
              </li>
            ))}
          </ul>
        </>
      )}
      {found.reports.length > 0 && (
        <>
          <h2>{t('reports')}</h2>
          <ul class="plain-list">
            {found.reports.map((one) => (
              <li key={one.id}>
                <a href={`${href('reports')}?id=${encodeURIComponent(one.id)}`}>{tCode('report', one.category)}</a> {areaName(one.area)}{' '}
                <span class="quiet digits">{moment(one.time)}</span>
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  );
}

function One({ one, found, seen, span, end }: { one: ExploredTrace; found: Explored; seen: readonly SeenEvent[]; span: number; end: number }) {
  const [reading, setReading] = useState('');
  const point = directory.value?.points.get(one.point);
  const unit = unitWord(point?.unit ?? one.unit);
  const onsets = found.alarms.filter((alarm) => alarm.scope === one.point || point?.areas.includes(alarm.area)).map((alarm) => ({ time: alarm.begin, level: alarm.level }));
  const eyes = useMemo(() => seen.filter((event) => point?.areas.includes(event.area)).map((event) => event.time), [seen, point]);
  const lows = (one.min ?? one.value).filter((value): value is number => value !== null);
  const highs = (one.max ?? one.value).filter((value): value is number => value !== null);
  const low = lows.reduce((a, b) => Math.min(a, b), Infinity);
  const high = highs.reduce((a, b) => Math.max(a, b), -Infinity);
  const bad = (one.flagged ?? []).filter(poor).length;
  const name = pointName(one.point);
  const range = lows.length ? t('explore.range', { low: quantity(low), high: measure(high, unit) }) : '';
  return (
    <figure class="trace" data-point={one.point}>
      <figcaption>
        <b title={one.point}>{name}</b>
        <span class="reading digits" aria-hidden="true">{reading}</span>
        <span class="quiet">{range}</span>
        {bad > 0 && <span class="quiet" title={t('trace.poor.title')} data-test="poor">{`○ ${t('trace.poor', { count: bad })}`}</span>}
      </figcaption>
      {one.time.length ? (
        <Plot data={{ ...one, learning: false }} point={point} span={span} stop={end} onsets={onsets} seen={eyes} height={HEIGHT} label={`${name} ${range}`} onReading={setReading} />
      ) : (
        <p class="quiet">{t('trace.empty')}</p>
      )}
    </figure>
  );
}
