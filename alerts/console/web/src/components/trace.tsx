/** One point's trace: values with limit, levels and normal band, the score beneath, the alarm's onset marked. */
import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { api, ApiError } from '../api';
import { clockTime, duration, measure, now, quantity, unitWord, zone } from '../clock';
import type { Forecast, Point, Trace as TraceData } from '../contract';
import { language, t, tName } from '../i18n';
import { directory } from '../store';
import { shade } from '../theme';
import { AHEAD, MARGIN, stretch } from './axis';
import type { Onset } from './evidence';
import { decorations, palette, poor, valueRange } from './trace_drawing';

const REFRESH = 5000; // milliseconds between looks for newer readings
const MOST = 2000; // readings asked for; the server decimates

interface Props {
  point: string;
  span: number; // seconds
  onsets: readonly Onset[];
  height: number; // CSS pixels
  eta: string; // time to the limit when the alarm was raised, in words; '' unknown
  pictures: readonly number[]; // unix seconds of what cameras took
  picture: number | null; // the one that is looked at
  onTime: (time: number) => void; // a time was pointed at
}

export function Trace({ point: id, span, onsets, height, eta, pictures, picture, onTime }: Props) {
  const point = directory.value?.points.get(id);
  const { data, error } = useTrace(id, span);
  const [reading, setReading] = useState('');
  const last = data && lastValue(data);
  const name = tName(point?.name) || id;
  const unit = unitWord(point?.unit ?? data?.unit);
  return (
    <figure class="trace">
      <figcaption>
        <b title={id}>{name}</b>
        <span class="reading digits" aria-hidden="true">{reading}</span>
        {data?.learning && <span class="quiet" title={t('trace.learning.title')}>{t('trace.learning')}</span>}
        {data && poorly(data) > 0 && (
          <span class="quiet" title={t('trace.poor.title')}>{`○ ${t('trace.poor', { count: poorly(data) })}`}</span>
        )}
        {data?.forecast?.eta != null ? (
          <span class="eta" title={t('trace.forecast.title')} data-test="forecast">
            {t('trace.forecast')} <b class="digits">{foreseen(data.forecast)}</b>
          </span>
        ) : eta && (
          <span class="eta">
            {t('trace.eta')} <b class="digits">{eta}</b>
          </span>
        )}
        {last && (
          <span class="last">
            {t('trace.last')} <b class="digits">{measure(last.value, unit)}</b>
          </span>
        )}
        {point?.limit != null && (
          <span class="quiet">
            {t(point.limit_below ? 'trace.floor' : 'trace.limit')} <span class="digits">{measure(point.limit, unit)}</span>
          </span>
        )}
      </figcaption>
      {error && !data && <p class="quiet">{error}</p>}
      {data && !data.time.length && <p class="quiet">{t('trace.empty')}</p>}
      {data && data.time.length > 0 && (
        <Plot data={data} point={point} span={span} ahead={span * AHEAD} onsets={onsets} pictures={pictures} picture={picture} onTime={onTime} height={height} label={summary(name, unit, data, point)} onReading={setReading} />
      )}
      {!data && !error && <div style={{ height }} aria-hidden="true" />}
    </figure>
  );
}

/** How many readings are marked. */
const poorly = (data: TraceData) => (data.flagged ?? []).filter(poor).length;

/** How long until the limit, and between which times that lies. */
function foreseen({ eta, soonest, latest }: Forecast): string {
  return `${duration(eta ?? 0)} (${duration(soonest ?? 0)}–${latest == null ? t('time.open') : duration(latest)})`;
}

function lastValue(data: TraceData): { time: number; value: number } | null {
  for (let i = data.time.length - 1; i >= 0; i--) {
    const value = data.value[i];
    const time = data.time[i];
    if (value != null && time !== undefined) return { time, value };
  }
  return null;
}

/** The chart in a sentence, for who cannot see it. */
function summary(name: string, unit: string, data: TraceData, point: Point | undefined): string {
  const values = data.value.filter((value): value is number => value != null);
  const last = lastValue(data);
  const parts = [
    t('trace.summary', {
      name, unit,
      low: quantity(Math.min(...values)),
      high: quantity(Math.max(...values)),
      last: last ? quantity(last.value) : t('value.unknown'),
    }),
  ];
  if (point?.limit != null) parts.push(t('trace.summary.limit', { limit: quantity(point.limit), unit }));
  if (data.forecast?.eta != null) parts.push(`${t('trace.forecast')} ${foreseen(data.forecast)}`);
  const marked = poorly(data);
  if (marked) parts.push(t('trace.poor', { count: marked }));
  if (data.learning) parts.push(t('trace.learning.title'));
  return parts.join(' ');
}

/** Read a trace and keep it up to date while it is looked at. */
function useTrace(id: string, span: number): { data: TraceData | null; error: string } {
  const [state, setState] = useState<{ key: string; data: TraceData | null; error: string }>({ key: '', data: null, error: '' });
  const key = `${id} ${span}`;
  useEffect(() => {
    let gone = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const read = async () => {
      try {
        const to = now.peek();
        const data = await api.trace(id, to - span, to + 1, MOST, span * AHEAD);
        if (!gone) setState({ key, data, error: '' });
      } catch (reason) {
        const error = reason instanceof ApiError ? reason.message : String(reason);
        if (!gone) setState((old) => ({ key, data: old.key === key ? old.data : null, error }));
      }
      if (!gone) timer = setTimeout(() => void (document.hidden ? wait() : read()), REFRESH);
    };
    const wait = () => {
      if (!gone) timer = setTimeout(() => void (document.hidden ? wait() : read()), REFRESH);
    };
    void read();
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [key]);
  return state.key === key ? state : { data: null, error: '' };
}

interface PlotProps {
  data: TraceData;
  point: Point | undefined;
  span: number;
  stop?: number; // unix seconds; now, when left out
  ahead?: number; // seconds shown after that
  onsets: readonly Onset[];
  seen?: readonly number[]; // unix seconds at which cameras saw something
  pictures?: readonly number[]; // and of the pictures they took
  picture?: number | null; // the one that is looked at
  onTime?: (time: number) => void; // a time was pointed at
  height: number;
  label: string;
  onReading: (text: string) => void;
}

const NOTHING: readonly number[] = [];

export function Plot({ data, point, span, stop, ahead = 0, onsets, seen = NOTHING, pictures = NOTHING, picture = null, onTime, height, label, onReading }: PlotProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const current = { data, point, onsets, seen, pictures, picture, onTime, span, stop, ahead };
  const latest = useRef(current);
  latest.current = current;
  const look = `${shade.value} ${language.value} ${zone.value}`;

  useEffect(() => {
    const host = box.current;
    if (!host) return undefined;
    const colours = palette(host);
    const axis = { stroke: colours.text, grid: { stroke: colours.grid, width: 1 }, ticks: { stroke: colours.grid, width: 1, size: 4 }, font: colours.font };
    const chart = new uPlot(
      {
        width: host.clientWidth || 400,
        height,
        legend: { show: false },
        padding: [null, MARGIN.right, null, null],
        cursor: { sync: { key: 'evidence' }, drag: { x: true, y: false }, points: { size: 6 } },
        tzDate: (time) => uPlot.tzDate(new Date(time * 1000), zone.peek()),
        scales: {
          x: { range: () => stretch(latest.current) },
          y: { range: (_, low, high) => valueRange(low, high, latest.current.point, latest.current.data.forecast) },
          score: { range: [0, 6] },
        },
        axes: [
          { ...axis, size: 28, space: 64, values: timeLabels },
          { ...axis, size: MARGIN.left, space: 34, values: (_, ticks) => ticks.map((tick) => quantity(tick)) },
        ],
        series: [
          {},
          { scale: 'score', stroke: colours.score, fill: colours.scoreFill, width: 1, points: { show: false } },
          { scale: 'y', stroke: colours.line, width: 1.75, points: { show: false }, spanGaps: false },
          { scale: 'y', stroke: colours.spread, width: 0.5, points: { show: false } },
          { scale: 'y', stroke: colours.spread, width: 0.5, points: { show: false } },
        ],
        bands: [{ series: [4, 3], fill: colours.spread }], // between the highest and the lowest of each span
        hooks: {
          drawClear: [(u) => decorations.under(u, latest.current.point, latest.current.data.forecast, colours)],
          draw: [(u) => decorations.over(u, { ...latest.current, flagged: latest.current.data.flagged ?? [] }, colours)],
          setCursor: [(u) => onReading(reading(u, latest.current.point))],
        },
      },
      columns(latest.current.data),
      host,
    );
    plot.current = chart;
    chart.over.addEventListener('click', () => latest.current.onTime?.(chart.posToVal(chart.cursor.left ?? 0, 'x')));
    const observer = new ResizeObserver(() => chart.setSize({ width: host.clientWidth || 400, height }));
    observer.observe(host);
    return () => {
      observer.disconnect();
      chart.destroy();
      plot.current = null;
    };
  }, [look, height]);

  useEffect(() => {
    plot.current?.setData(columns(data));
  }, [data, onsets.length, seen, pictures, picture, span, stop, ahead]);

  return <div class="plot" style={{ height }} ref={box} role="img" aria-label={label} />;
}

function columns(data: TraceData): uPlot.AlignedData {
  const whole = (column: (number | null)[] | undefined) =>
    column?.length === data.time.length ? column : data.time.map(() => null);
  return [data.time, whole(data.score), data.value, whole(data.min), whole(data.max)];
}

/** Clock times on the axis; the day as well where it begins. */
function timeLabels(_: uPlot, ticks: number[]): string[] {
  const tag = language.peek() === 'en' ? 'en-GB' : 'zh-CN';
  const long = (ticks.at(-1) ?? 0) - (ticks[0] ?? 0) > 86400 * 1.5;
  const clock = new Intl.DateTimeFormat(tag, { timeZone: zone.peek(), hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  const day = new Intl.DateTimeFormat(tag, { timeZone: zone.peek(), month: 'numeric', day: 'numeric' });
  return ticks.map((tick) => {
    const text = clock.format(tick * 1000);
    return long || text === '00:00' ? `${day.format(tick * 1000)}${text === '00:00' ? '' : ` ${text}`}` : text;
  });
}

function reading(u: uPlot, point: Point | undefined): string {
  const at = u.cursor.idx;
  if (at == null) return '';
  const time = u.data[0][at];
  const value = u.data[2]?.[at];
  const score = u.data[1]?.[at];
  if (time === undefined || value == null) return '';
  const parts = [clockTime(time), measure(value, point?.unit)];
  if (score != null) parts.push(`${t('score')} ${quantity(score)}`);
  return parts.join(' · ');
}
