/** What may stand at a place in a file of rules: fields and choices of the published schema, names of this site. */
import type { Completion, CompletionContext, CompletionResult } from '@codemirror/autocomplete';
import type { RuleWords } from '../contract';
import { language, tName } from '../i18n';
import { directory } from '../store';

export interface Schema {
  $ref?: string;
  $defs?: Record<string, Schema>;
  description?: string;
  properties?: Record<string, Schema>;
  items?: Schema;
  anyOf?: Schema[];
  enum?: (string | null)[];
  type?: string;
}

/** Where the cursor is: the fields that lead there, and the field whose value is being written ('' for a field's name). */
export interface Place {
  path: string[];
  field: string;
}

const KEY = /^(\s*)((?:- )*)\s*([\w-]+):/;
/** Features that take something in brackets, as they are written most often. */
const CALLS: Record<string, string> = {
  rate: "('10m')", mean: "('1h')", min: "('1h')", max: "('1h')", sum: "('1h')", count: "('10m')", spread: "('1h')", flat: "('30m')", eta: "('limit')",
  level: "('red')", beyond: "('yellow')", seen: "('', '5m')", fault: "('black')", flagged: "('jump', '10m')", mode: "('maintenance')", between: "('22:00', '06:00')",
  sequence: "('', '', '10m')", reports: "('', 3, '1h')", repeat: "('', 2, '14d')", surge: "('', '15m')", rising: "('', '28d')",
};

/** Find the place of the end of a text. */
export function placeOf(before: string): Place {
  const lines = before.split('\n');
  const line = lines.pop() ?? '';
  const [inside, field, open] = flow(line);
  const own = KEY.exec(line);
  let indent = own && (open || field) ? (own[1] ?? '').length + (own[2] ?? '').length : /^(\s*)((?:- ?)*)/.exec(line)![0].length;
  if (line.trimStart().startsWith('- ') && !own) indent = line.length - line.trimStart().length + 1; // an entry of a list: its field is above
  const path: string[] = [];
  for (const above of lines.reverse()) {
    const found = KEY.exec(above);
    if (!found) continue;
    const deep = (found[1] ?? '').length + (found[2] ?? '').length;
    if (deep < indent) {
      path.unshift(found[3] ?? '');
      indent = (found[1] ?? '').length + (found[2] ? 1 : 0); // the entry's own fields stand further right than its dash
    }
  }
  if (field || !line.trimStart().startsWith('- ') || own) return { path: [...path, ...inside], field };
  return { path: path.slice(0, -1), field: path.at(-1) ?? '' };
}

/** Read the current line: the fields whose braces are open, the field that waits for its value, whether any brace is open. */
function flow(line: string): [string[], string, boolean] {
  const stack: string[] = [];
  let field = '';
  let word = '';
  let quote = '';
  for (const sign of line.replace(/^\s*(- )*/, '')) {
    if (quote) {
      if (sign === quote) quote = '';
    } else if ((sign === '"' || sign === "'") && !field) quote = sign;
    else if (sign === '{') {
      stack.push(field);
      field = word = '';
    } else if (sign === '}') {
      field = word = '';
      stack.pop();
    } else if (sign === ',' && stack.length && !/^\[[^\]]*$/.test(word) && !/\([^)]*$/.test(word)) field = word = '';
    else if (sign === ':' && !field) {
      field = word.trim();
      word = '';
    } else word += sign;
  }
  return [stack.filter(Boolean), field, stack.length > 0];
}

/** All kinds of object, and of plain value, that a schema allows; lists stand for what they hold. */
function resolved(schema: Schema | undefined, all: Record<string, Schema>): Schema[] {
  if (!schema) return [];
  if (schema.$ref) return resolved(all[schema.$ref.split('/').at(-1) ?? ''], all);
  if (schema.anyOf) return schema.anyOf.flatMap((one) => resolved(one, all));
  if (schema.items) return resolved(schema.items, all);
  return [schema];
}

/** A description's half in the page's language: the catalogue of the schema has both in one. */
function words(description: string | undefined): string {
  const [zh = '', en = ''] = (description ?? '').split(' · ');
  return language.value === 'en' ? en || zh : zh;
}

const AREAS = new Set(['areas', 'without_areas']);

/** Names of this site that may be a field's value. */
function names(field: string, known: RuleWords | null): Completion[] {
  const site = directory.value;
  const plain = (list: readonly string[] | undefined) => (list ?? []).map((label): Completion => ({ label, type: 'constant' }));
  const named = (list: Iterable<{ id: string; name: Parameters<typeof tName>[0] }> | undefined) =>
    [...(list ?? [])].map((one): Completion => ({ label: one.id, detail: tName(one.name), type: 'constant' }));
  if (AREAS.has(field)) return named(site?.areas.values());
  if (field === 'points') return named(site?.points.values());
  if (field === 'cameras') return named(site?.cameras.values());
  if (field === 'types') return named(site?.types.values());
  if (field === 'quantity') return plain(known?.quantities);
  if (field === 'tags' || field === 'without_tags') return plain(known?.tags);
  if (field === 'modes' || field === 'mode') return plain(known?.modes);
  if (field === 'event' || field === 'kind') return plain(known?.events);
  if (field === 'report') return plain(known?.reports);
  if (field === 'template') return plain(known?.templates);
  if (field === 'plan') return plain(known?.plans);
  if (field === 'when' || field === 'clear') return (known?.names ?? []).map((label): Completion => ({ label, apply: label + (CALLS[label] ?? ''), type: 'function' }));
  return [];
}

/** The completions of a place. */
export function completionsAt(place: Place, schema: Schema | null, known: RuleWords | null): Completion[] {
  const all = schema?.$defs ?? {};
  let here = schema ? resolved({ ...(schema.$ref ? { $ref: schema.$ref } : {}) }, all) : [];
  for (const step of place.path) here = here.flatMap((one) => resolved(one.properties?.[step], all));
  if (!place.field) {
    const fields = new Map(here.flatMap((one) => Object.entries(one.properties ?? {})));
    return [...fields].map(([label, field]) => ({ label, apply: `${label}: `, detail: words(field.description), type: 'property' }));
  }
  const values = here.flatMap((one) => resolved(one.properties?.[place.field], all));
  const choices = values.flatMap((one) => (one.type === 'boolean' ? ['true', 'false'] : (one.enum ?? []))).filter((one): one is string => one !== null);
  return [...choices.map((label): Completion => ({ label, type: 'enum' })), ...names(place.field, known)];
}

/** Complete in the editor: by itself while a word is written, and wherever it is asked for. */
export function completion(context: CompletionContext, schema: Schema | null, known: RuleWords | null): CompletionResult | null {
  const word = context.matchBefore(/[\w.-]*/);
  if (!word || (word.from === word.to && !context.explicit)) return null;
  const place = placeOf(context.state.sliceDoc(0, word.from));
  const quoted = /['"]([^'"]*)$/.exec(context.state.sliceDoc(context.state.doc.lineAt(word.from).from, word.from));
  if ((place.field === 'when' || place.field === 'clear') && quoted && /(seen|count|surge|not seen)\(['"]$/.test(context.state.sliceDoc(Math.max(word.from - 12, 0), word.from)))
    return { from: word.from, options: (known?.events ?? []).map((label) => ({ label, type: 'constant' })), validFor: /^[\w-]*$/ };
  const options = completionsAt(place, schema, known);
  return options.length ? { from: word.from, options, validFor: /^[\w.-]*$/ } : null;
}
