/** The rule language's features in a duty officer's words: `rate('10m')` → 10 分钟变化率. */
import { duration, measure } from './clock';
import { RANK, type Level, type Term } from './contract';
import { t, tCode } from './i18n';

const WINDOW = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|w)$/;
const SECONDS: Record<string, number> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86400, w: 604800 };
const TIMES = /^(not\s+)?(\w+\.)*(eta|age|flat)\b/;
const TIME_UNITS: Record<string, string> = { min: 'm', h: 'h', d: 'd' };
const CALL = /^(not\s+)?((?:[a-z_]\w*\.)*)([a-z_]\w*)(?:\((.*)\))?$/i;

/** Name a feature in words; what is not known stays as the rule writes it. */
export function featureName(name: string): string {
  const text = wording(name);
  return text === name ? name : text.charAt(0).toUpperCase() + text.slice(1);
}

const AROUND: Record<string, Parameters<typeof t>[0]> = { 'area.': 'feature.area', 'neighbours.': 'feature.neighbours', 'upstream.': 'feature.upstream' };
const COMPARED = /^(.+?)\s*(>=|<=|==|!=|>|<)\s*(.+)$/;

function wording(name: string): string {
  const compared = Object.keys(AROUND).some((prefix) => name.includes(prefix)) ? null : COMPARED.exec(name); // a condition that an area counts
  if (compared) return `${wording(compared[1] ?? '')} ${SIGNS[compared[2] ?? ''] ?? compared[2]} ${compared[3]}`;
  const match = CALL.exec(name.trim());
  if (!match) return name;
  const [, not, prefix = '', feature = '', inner = ''] = match;
  if (not) return t('feature.not', { what: wording(name.trim().slice(not.length)) });
  const around = AROUND[prefix];
  if (around) return t(around, { how: tCode('feature.how', feature), what: wording(inner) });
  if (tCode('feature', feature) === feature) return name;
  const asked = ['reports', 'repeat', 'rising'].includes(feature); // they name a category of reports
  const args = inner.split(',').map((part) => part.trim().replace(/^['"]|['"]$/g, '')).filter(Boolean);
  if (feature === 'sequence') {
    const kinds = args.slice(0, -1).map((kind) => `“${argument(kind)}”`);
    return t('feature.sequence', { kinds: kinds.join(' → '), time: argument(args.at(-1)) });
  }
  if (feature === 'count' && args.length === 1) return t('feature.readings', { time: argument(args[0]) });
  const what = prefix ? `${tCode('quantity', prefix.slice(0, -1))} ` : '';
  return what + tCode('feature', feature).replace(/\{(\d)\}/g, (_, n: string) => (asked && n === '0' ? tCode('report', args[0] ?? '') : argument(args[Number(n)])));
}

function argument(text: string | undefined): string {
  if (text === undefined) return '';
  const window = WINDOW.exec(text);
  if (window) return duration(Number(window[1]) * (SECONDS[window[2] ?? 's'] ?? 1));
  if (text === 'limit') return t('feature.limit');
  if (text in RANK) return t(`level.${text as Level}`);
  if (text.startsWith('report-')) return eventName(text);
  const fault = tCode('fault', text);
  return fault === text ? tCode('event', text) : fault;
}

/** Name what a camera saw or a person reported. */
export function eventName(kind: string): string {
  const category = kind.startsWith('report-') ? kind.slice('report-'.length) : '';
  return category ? tCode('report', category) : tCode('event', kind);
}

/** Write a term's value or threshold with its unit: times as times, unknown as unknown. */
export function termValue(term: Term, value: number | null | undefined): string {
  if (value == null) return t('value.unknown');
  if (/^(not\s+)?(seen\(|reports\(|repeat\(|fault\(|between\(|sequence\(|(judged|night|holiday|workday)$)/.test(term.name)) return value ? t('value.yes') : t('value.no');
  const unit = term.unit ?? '';
  if (TIMES.test(term.name)) return Number.isFinite(value) ? duration(value * (SECONDS[TIME_UNITS[unit] ?? 's'] ?? 1)) : t('time.never');
  return measure(value, unit);
}

/** A term's value, with the interval about it where it is foreseen: `1 h 10 min (50 min–2 h)`. */
export function termForeseen(term: Term): string {
  const told = termValue(term, term.value);
  if (term.value == null || (term.low == null && term.high == null)) return told;
  const high = term.high == null ? t('time.open') : termValue(term, term.high);
  return `${told} (${termValue(term, term.low ?? 0)}–${high})`;
}

/** The first term that says how long until a point passes its limit, if it was known: the term itself. */
export function etaTerm(terms: readonly Term[] | undefined): Term | undefined {
  return terms?.find((term) => /^eta\(/.test(term.name) && term.value != null && Number.isFinite(term.value));
}

const SIGNS: Record<string, string> = { '>=': '≥', '<=': '≤', '!=': '≠', '==': '=' };

/** Write what a term was compared with, e.g. `≥ 0.99`; nothing for a term that simply holds. */
export function termThreshold(term: Term): string {
  if (!term.op || term.threshold == null) return '';
  return `${SIGNS[term.op] ?? term.op} ${termValue(term, term.threshold)}`;
}
