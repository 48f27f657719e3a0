/** The site's clock: the server's time carried forward, shown in the site's zone. */
import { signal } from '@preact/signals';
import { language, t } from './i18n';

export const zone = signal('Asia/Shanghai');

let offset = 0; // seconds to add to this machine's clock to get the server's

/** Site time now, in unix seconds; changes once a second, so that ages and countdowns run. */
export const now = signal(Date.now() / 1000);

/** The server's time as far as it is known, at this moment. */
export const serverTime = (): number => Date.now() / 1000 + offset;

/** Set the server's time. Small jitter is ignored so that the clock does not hop. */
export function setServerTime(time: number): void {
  const difference = time - Date.now() / 1000;
  if (Math.abs(difference - offset) > 1.5) {
    offset = difference;
    now.value = Date.now() / 1000 + offset;
  }
}

setInterval(() => {
  now.value = Date.now() / 1000 + offset;
}, 1000);

const formats = new Map<string, Intl.DateTimeFormat>();

function format(name: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${name} ${language.value} ${zone.value}`;
  let found = formats.get(key);
  if (!found) {
    const tag = language.value === 'en' ? 'en-GB' : 'zh-CN';
    found = new Intl.DateTimeFormat(tag, { timeZone: zone.value, hourCycle: 'h23', ...options });
    formats.set(key, found);
  }
  return found;
}

/** Clock time, 14:03:27. */
export function clockTime(time: number): string {
  return format('clock', { hour: '2-digit', minute: '2-digit', second: '2-digit' }).format(time * 1000);
}

/** Date and weekday, for the header. */
export function clockDate(time: number): string {
  return format('date', { month: 'short', day: 'numeric', weekday: 'short' }).format(time * 1000);
}

/** Date and clock time where the day matters; only the clock time for today. */
export function moment(time: number): string {
  const day = format('day', { year: 'numeric', month: '2-digit', day: '2-digit' });
  if (day.format(time * 1000) === day.format(now.peek() * 1000)) return clockTime(time);
  return format('moment', {
    month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit',
  }).format(time * 1000);
}

/** The day that a time is in, in the site's zone: 2026-11-27. */
export function dayOf(time: number): string {
  const parts = new Map(format('iso', { year: 'numeric', month: '2-digit', day: '2-digit' }).formatToParts(time * 1000).map((part) => [part.type, part.value]));
  return `${parts.get('year')}-${parts.get('month')}-${parts.get('day')}`;
}

/** What stands under a bar of a plot: the hour, or month and day. */
export function markLabel(time: number, hour: boolean): string {
  return hour ? format('hour', { hour: '2-digit' }).format(time * 1000).replace(/\D/g, '') : dayOf(time).slice(5);
}

/** A time as a chooser of dates and times takes it, by the site's clock: 2026-11-27T20:15. */
export function localTime(time: number): string {
  const parts = new Intl.DateTimeFormat('en-CA', {
    timeZone: zone.value, hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit',
  }).formatToParts(time * 1000);
  const of = (type: Intl.DateTimeFormatPartTypes) => parts.find((part) => part.type === type)?.value ?? '';
  return `${of('year')}-${of('month')}-${of('day')}T${of('hour')}:${of('minute')}`;
}

/** The moment that a chooser means by the site's clock, unix seconds. One that a change of the clocks leaves out is moved on. */
export function localInstant(text: string): number | null {
  const asUtc = text ? Date.parse(`${text}Z`) / 1000 : Number.NaN;
  if (!Number.isFinite(asUtc)) return null;
  const ahead = (time: number) => Date.parse(`${localTime(time)}Z`) / 1000 - Math.floor(time / 60) * 60;
  const first = asUtc - ahead(asUtc);
  return asUtc - ahead(first); // once more: the clocks may have changed in between
}

/** A length of time in words of two units at most: 45 s, 3 min, 2 h 05 min, 4 d 3 h. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return t('time.never');
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return t('time.seconds', { s: whole });
  if (whole < 3600) return t('time.minutes', { m: Math.floor(whole / 60) });
  if (whole < 86400) {
    const m = Math.floor((whole % 3600) / 60);
    const h = Math.floor(whole / 3600);
    return m ? t('time.hours_minutes', { h, m: String(m).padStart(2, '0') }) : t('time.hours', { h });
  }
  const d = Math.floor(whole / 86400);
  const h = Math.floor((whole % 86400) / 3600);
  return h ? t('time.days_hours', { d, h }) : t('time.days', { d });
}

/** A countdown as digits: 04:59, 1:02:09; minus once it is over; beyond two days in words. */
export function countdown(seconds: number): string {
  if (seconds >= 2 * 86400) return duration(seconds);
  const sign = seconds < 0 ? '−' : '';
  const whole = Math.floor(Math.abs(seconds));
  const h = Math.floor(whole / 3600);
  const m = String(Math.floor((whole % 3600) / 60)).padStart(2, '0');
  const s = String(whole % 60).padStart(2, '0');
  return h ? `${sign}${h}:${m}:${s}` : `${sign}${m}:${s}`;
}

/** A number as people read it: as many digits as matter, grouped. */
export function quantity(value: number): string {
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞';
  const size = Math.abs(value);
  const digits = size >= 1000 ? 0 : size >= 100 ? 1 : size >= 1 ? 2 : 3;
  const text = value.toLocaleString('en-US', { maximumFractionDigits: digits });
  return text === '-0' ? '0' : text.replace('-', '−');
}

/** A unit as it stands after a value: a plain number has none. */
export function unitWord(unit: string | null | undefined): string {
  return unit && unit !== '1' ? unit : '';
}

/** A value with its unit. */
export function measure(value: number, unit: string | null | undefined): string {
  return `${quantity(value)} ${unitWord(unit)}`.trimEnd();
}
