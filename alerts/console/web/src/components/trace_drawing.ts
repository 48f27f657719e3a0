/** What is drawn around a trace: normal band, level lines, limit, onset marks; and the range that shows them. */
import type uPlot from 'uplot';
import { measure, quantity } from '../clock';
import { LEVELS, type FlaggedReading, type Forecast, type Level, type Point } from '../contract';
import { t } from '../i18n';
import type { Onset } from './evidence';

export interface Palette {
  text: string;
  grid: string;
  line: string;
  score: string;
  scoreFill: string;
  band: string;
  spread: string; // between the lowest and highest readings where several stand for one
  ground: string;
  levels: Record<Level, string>;
  font: string;
}

/** Read the colours from the style sheet, so that charts follow the theme. */
export function palette(element: HTMLElement): Palette {
  const style = getComputedStyle(element);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  return {
    text: colour('--muted'),
    grid: colour('--grid'),
    line: colour('--trace'),
    score: colour('--score'),
    scoreFill: colour('--score-fill'),
    band: colour('--band'),
    spread: colour('--spread'),
    ground: colour('--surface'),
    levels: { red: colour('--red'), orange: colour('--orange'), yellow: colour('--yellow'), blue: colour('--blue') },
    font: `11px ${style.fontFamily}`,
  };
}

interface Line {
  value: number;
  level: Level;
  label: string;
  limit: boolean;
}

/** The horizontal lines of a point: its limits by level, and its limit (drawn solid) where no level stands on it. */
function lines(point: Point): Line[] {
  const found: Line[] = [];
  for (const level of LEVELS) {
    const value = point.levels?.[level];
    if (value != null) found.push({ value, level, label: t(`level.${level}`), limit: value === point.limit });
  }
  if (point.limit != null && !found.some((line) => line.limit))
    found.push({ value: point.limit, level: 'red', label: t(point.limit_below ? 'trace.floor' : 'trace.limit'), limit: true });
  return found;
}

/** Show the data, where they lead, the normal band, and each line near enough not to flatten them; room for the score below. */
export function valueRange(low: number | null, high: number | null, point: Point | undefined, forecast?: Forecast | null): [number, number] {
  let from = low ?? 0;
  let to = high ?? 1;
  if (forecast) {
    const most = (to - from) * 1.5; // the readings stay readable however steep the path is
    from = Math.max(Math.min(from, ...forecast.value), from - most);
    to = Math.min(Math.max(to, ...forecast.value), to + most);
  }
  if (point?.normal) {
    const [bottom, top] = point.normal;
    const size = Math.max(to - from, 1e-9);
    if (top - bottom < size * 6) {
      from = Math.min(from, bottom);
      to = Math.max(to, top);
    }
  }
  const reach = Math.max(to - from, Math.abs(to) * 0.02, 1e-6) * 1.5;
  const [bottom, top] = [from, to];
  if (point)
    for (const line of lines(point)) {
      if (line.value > top && line.value - top < reach) to = Math.max(to, line.value);
      if (line.value < bottom && bottom - line.value < reach) from = Math.min(from, line.value);
    }
  const size = Math.max(to - from, Math.abs(to) * 0.01, 1e-6);
  return [from - size * 0.28, to + size * 0.12];
}

function under(u: uPlot, point: Point | undefined, forecast: Forecast | null | undefined, colours: Palette): void {
  if (forecast) cone(u, forecast, colours);
  if (!point?.normal) return;
  const { ctx, bbox } = u;
  const top = Math.max(u.valToPos(point.normal[1], 'y', true), bbox.top);
  const bottom = Math.min(u.valToPos(point.normal[0], 'y', true), bbox.top + bbox.height);
  if (bottom <= top) return;
  ctx.save();
  ctx.fillStyle = colours.band;
  ctx.fillRect(bbox.left, top, bbox.width, bottom - top);
  ctx.restore();
}

/** Draw where the readings lead: the range as a widening band, the path in the middle as a broken line. */
function cone(u: uPlot, forecast: Forecast, colours: Palette): void {
  const { ctx, bbox } = u;
  const scale = devicePixelRatio || 1;
  const trail = (values: number[]) => values.map((value, i): [number, number] => [u.valToPos(forecast.time[i] ?? 0, 'x', true), u.valToPos(value, 'y', true)]);
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.fillStyle = colours.spread;
  ctx.beginPath();
  for (const [x, y] of [...trail(forecast.high), ...trail(forecast.low).reverse()]) ctx.lineTo(x, y);
  ctx.fill();
  ctx.strokeStyle = colours.line;
  ctx.lineWidth = 1.25 * scale;
  ctx.setLineDash([4 * scale, 4 * scale]);
  ctx.beginPath();
  for (const [x, y] of trail(forecast.value)) ctx.lineTo(x, y);
  ctx.stroke();
  ctx.restore();
}

interface Marks {
  point: Point | undefined;
  onsets: readonly Onset[];
  flagged: readonly FlaggedReading[];
  seen: readonly number[]; // unix seconds
  pictures: readonly number[]; // unix seconds
  picture: number | null; // the one that is looked at
}

function over(u: uPlot, { point, onsets, flagged, seen, pictures, picture }: Marks, colours: Palette): void {
  const { ctx, bbox } = u;
  const scale = devicePixelRatio || 1;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.font = colours.font.replace('11px', `${11 * scale}px`);
  ctx.lineWidth = scale;
  if (point) {
    const all = lines(point).sort((a, b) => Number(b.limit) - Number(a.limit));
    for (const line of all) horizontal(u, line, colours, scale);
    const taken: number[] = []; // heights that a word has: close to it another would not be readable
    for (const line of all) label(u, line, point, taken, colours, scale);
  }
  let free = -Infinity; // where the word of the flag before ends: of alarms close together the first is named
  for (const onset of [...onsets].sort((a, b) => a.time - b.time)) free = vertical(u, onset, free, colours, scale);
  for (const time of seen) eye(u, time, colours, scale);
  for (const time of pictures) frame(u, time, time === picture, colours, scale);
  for (const one of flagged) if (poor(one)) hollow(u, one, colours, scale);
  ctx.restore();
}

function horizontal(u: uPlot, line: Line, colours: Palette, scale: number): void {
  const { ctx, bbox } = u;
  const y = u.valToPos(line.value, 'y', true);
  if (y < bbox.top || y > bbox.top + bbox.height) return;
  ctx.strokeStyle = colours.levels[line.level];
  ctx.setLineDash(line.limit ? [] : [5 * scale, 4 * scale]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.setLineDash([]);
}

/** Name a line at its left end; the right end belongs to the newest readings and the alarm's flag. */
function label(u: uPlot, line: Line, point: Point, taken: number[], colours: Palette, scale: number): void {
  const { ctx, bbox } = u;
  const y = u.valToPos(line.value, 'y', true);
  const [top, bottom] = [bbox.top, bbox.top + bbox.height];
  ctx.fillStyle = colours.levels[line.level];
  if (y >= top && y <= bottom) {
    const high = y - 14 * scale < top; // no room above the line
    const at = high ? y + 15 * scale : y - 2 * scale;
    if (taken.some((other) => Math.abs(other - at) < 12 * scale)) return;
    taken.push(at);
    ctx.textAlign = 'left';
    ctx.textBaseline = 'bottom';
    ctx.fillText(`${line.label} ${quantity(line.value)}`, bbox.left + 4 * scale, at);
    return;
  }
  if (!line.limit) return; // of what is out of sight only the limit is told, and in which direction it lies
  const above = y < top;
  const name = t(point.limit_below ? 'trace.floor' : 'trace.limit');
  const words = `${above ? '↑' : '↓'} ${name} ${measure(line.value, point.unit)}`;
  // left of the middle: the alarm's flag stands right of it
  const [x, edge] = [bbox.left + bbox.width * 0.3, above ? top + 3 * scale : bottom - 3 * scale];
  const [width, height] = [ctx.measureText(words).width + 12 * scale, 15 * scale];
  ctx.fillStyle = colours.ground; // a level's line may run just here
  ctx.fillRect(x - width / 2, above ? edge - 2 * scale : edge - height + 2 * scale, width, height);
  ctx.fillStyle = colours.levels[line.level];
  ctx.textAlign = 'center';
  ctx.textBaseline = above ? 'top' : 'bottom';
  ctx.fillText(words, x, edge);
}

/** Draw an alarm's flag, with its word where there is room from `free` on; returns from where there is room then. */
function vertical(u: uPlot, onset: Onset, free: number, colours: Palette, scale: number): number {
  const { ctx, bbox } = u;
  const x = u.valToPos(onset.time, 'x', true);
  if (x < bbox.left || x > bbox.left + bbox.width) return free;
  ctx.strokeStyle = ctx.fillStyle = colours.levels[onset.level];
  ctx.setLineDash([2 * scale, 3 * scale]);
  ctx.beginPath();
  ctx.moveTo(x, bbox.top);
  ctx.lineTo(x, bbox.top + bbox.height);
  ctx.stroke();
  ctx.setLineDash([]);
  ctx.beginPath(); // a flag at the top, so that the mark is more than a colour
  ctx.moveTo(x, bbox.top);
  ctx.lineTo(x + 8 * scale, bbox.top + 4 * scale);
  ctx.lineTo(x, bbox.top + 8 * scale);
  ctx.fill();
  const width = ctx.measureText(t('trace.onset')).width;
  const left = x > bbox.left + bbox.width * 0.8 ? x - 5 * scale - width : x + 11 * scale;
  if (left < free) return free;
  ctx.textAlign = 'left';
  ctx.textBaseline = 'top';
  ctx.fillText(t('trace.onset'), left, bbox.top + 1 * scale);
  return left + width + 4 * scale;
}

/** Mark what a camera saw by a diamond on the floor of the plot: on the axis of time that the readings have. */
function eye(u: uPlot, time: number, colours: Palette, scale: number): void {
  const { ctx, bbox } = u;
  const x = u.valToPos(time, 'x', true);
  if (x < bbox.left || x > bbox.left + bbox.width) return;
  const [y, size] = [bbox.top + bbox.height - 6 * scale, 5 * scale];
  ctx.fillStyle = colours.text;
  ctx.beginPath();
  ctx.moveTo(x, y - size);
  ctx.lineTo(x + size, y);
  ctx.lineTo(x, y + size);
  ctx.lineTo(x - size, y);
  ctx.fill();
}

/** Mark when a picture was taken by a small frame on the floor of the plot; the one looked at is full, with a line up. */
function frame(u: uPlot, time: number, looked: boolean, colours: Palette, scale: number): void {
  const { ctx, bbox } = u;
  const x = u.valToPos(time, 'x', true);
  if (x < bbox.left || x > bbox.left + bbox.width) return;
  const [width, height] = [9 * scale, 6 * scale];
  const top = bbox.top + bbox.height - height - 2 * scale;
  ctx.strokeStyle = colours.text;
  ctx.fillStyle = looked ? colours.text : colours.ground;
  ctx.beginPath();
  ctx.rect(x - width / 2, top, width, height);
  ctx.fill();
  if (looked) {
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, top);
  }
  ctx.stroke();
}

/** Whether a reading is marked: it was not scored, or it came as if in another unit. */
export const poor = (one: FlaggedReading) => one.aside || one.flags.includes('jump');

/** Mark a reading that decided nothing by a hollow circle, at the edge where its value is out of sight. */
function hollow(u: uPlot, one: FlaggedReading, colours: Palette, scale: number): void {
  if (one.value == null) return;
  const { ctx, bbox } = u;
  const radius = 3 * scale;
  const x = u.valToPos(one.time, 'x', true);
  if (x < bbox.left || x > bbox.left + bbox.width) return;
  const y = Math.min(Math.max(u.valToPos(one.value, 'y', true), bbox.top + radius + scale), bbox.top + bbox.height - radius - scale);
  ctx.strokeStyle = one.aside ? colours.text : colours.line;
  ctx.fillStyle = colours.ground;
  ctx.beginPath();
  ctx.arc(x, y, radius, 0, 2 * Math.PI);
  ctx.fill();
  ctx.stroke();
}

export const decorations = { under, over };
