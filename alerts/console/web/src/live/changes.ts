/** Apply changes of the journal to the store. Repeats and older changes are ignored by sequence number. */
import { batch } from '@preact/signals';
import { RANK } from '../contract';
import type { Alarm, AlarmTransition, Change, Dispatch, DispatchChange, Incident, IncidentChange, Text } from '../contract';
import { alarms, dispatches, FINISHED, incidents, isUnacknowledged, touchAll, touched, turn } from '../store';

/** Changes that a listener may want to announce or sound. */
export interface News {
  opened: Incident[]; // or worsened
  raised: Alarm[];
  sent: Dispatch[];
  reminded: Incident[]; // nobody has acknowledged them yet
  ending: Alarm[]; // they soon come back from the shelf
}

const RINGS: readonly string[] = ['alarm', 'realarm', 'raise', 'unshelve', 'unsuppress', 'in_service', 'unhush'];
const ASIDE: readonly string[] = ['SHLVD', 'DSUPR', 'OOSRV'];
const KEPT = 500; // of each kind of what is over: a page stays open for weeks
const MARKS = 5000;
const BLINK = 1000; // milliseconds in which nobody takes in what has changed

/** What got worse a moment ago: the number of the last change before, and when. */
const blinks = new Map<string, { before: number; at: number }>();

/** The number of the last change of an incident or alarm that a person can have seen: an order given by it goes with that. */
export function seen<T extends number | undefined>({ id, sequence }: { id: string; sequence?: T }): number | T {
  const worse = blinks.get(id);
  return worse && performance.now() - worse.at < BLINK ? worse.before : (sequence as T);
}

/** Note that something got worse, and forget what people have seen by now. */
function blink(id: string, before: number | undefined): void {
  const at = performance.now();
  for (const [key, one] of blinks) if (at - one.at >= BLINK) blinks.delete(key);
  if (before !== undefined) blinks.set(id, { before: blinks.get(id)?.before ?? before, at });
}

/** Apply changes in one go, so that a burst draws once. Returns what deserves a sound or a word. */
export function apply(changes: readonly Change[]): News {
  const news: News = { opened: [], raised: [], sent: [], reminded: [], ending: [] };
  const nextIncidents = new Map(incidents.peek());
  const nextAlarms = new Map(alarms.peek());
  const nextDispatches = new Map(dispatches.peek());
  const marks = new Map(touched.peek());
  const mark = (...keys: (string | null | undefined)[]) => {
    for (const key of keys) if (key) marks.set(key, turn());
  };
  for (const change of changes) {
    if (change.kind === 'alarm') {
      const known = nextAlarms.get(change.record.alarm);
      const next = alarmAfter(known, change.record);
      if (!next) continue;
      put(nextAlarms, next, next.state === 'NORM');
      if (worsened(known, next)) blink(next.id, known?.sequence);
      mark(next.id, next.incident);
      if (RINGS.includes(change.record.edge) && next.state === 'UNACK' && !next.hushed) news.raised.push(next);
      if (change.record.edge === 'warn') news.ending.push(next);
    } else if (change.kind === 'incident') {
      const known = nextIncidents.get(change.record.incident);
      const next = incidentAfter(known, change.record);
      if (!next) continue;
      put(nextIncidents, next, next.state === 'closed');
      mark(next.id);
      const loud = next.alarms.some((id) => calls(nextAlarms.get(id)));
      const worse = worsened(known, next);
      if (worse) blink(next.id, known?.sequence);
      if ((change.record.edge === 'opened' || worse) && loud) news.opened.push(next);
      if (change.record.edge === 'reminded') news.reminded.push(next);
    } else if (change.kind === 'dispatch') {
      const next = dispatchAfter(nextDispatches.get(change.record.dispatch), change.record);
      if (!next) continue;
      put(nextDispatches, next, FINISHED.includes(next.leg));
      mark(next.id, next.incident);
      if (change.record.edge === 'issued') news.sent.push(next);
    }
  }
  trim(nextAlarms, (one) => one.state === 'NORM');
  trim(nextIncidents, (one) => one.state === 'closed');
  trim(nextDispatches, (one) => FINISHED.includes(one.leg));
  batch(() => {
    incidents.value = nextIncidents;
    alarms.value = nextAlarms;
    dispatches.value = nextDispatches;
    if (marks.size > MARKS) touchAll();
    else touched.value = marks;
  });
  return news;
}

/**
 * Put lists that were read whole in the place of what was known. Returns what deserves a sound or a word: what is new or
 * worse; of the `first` lists the alarms alone, for what was open before stands on the page, and an order was heard at sign-in.
 */
export function replace(some: readonly Incident[], raised: readonly Alarm[], sent: readonly Dispatch[], first: boolean): News {
  const news: News = { opened: [], raised: [], sent: [], reminded: [], ending: [] };
  const [oldIncidents, oldAlarms, oldDispatches] = [incidents.peek(), alarms.peek(), dispatches.peek()];
  for (const next of raised) {
    const known = oldAlarms.get(next.id);
    const worse = worsened(known, next);
    if (worse) blink(next.id, known?.sequence);
    const anew = !known || worse || known.hushed || !isUnacknowledged(known);
    if (anew && isUnacknowledged(next) && !next.hushed) news.raised.push(next);
  }
  const now = new Map(raised.map((item) => [item.id, item]));
  for (const next of some) {
    const known = oldIncidents.get(next.id);
    const worse = worsened(known, next);
    if (worse) blink(next.id, known?.sequence);
    if (!first && (!known || worse) && next.alarms.some((id) => calls(now.get(id)))) news.opened.push(next);
  }
  if (!first) news.sent = sent.filter((next) => next.leg === 'issued' && !oldDispatches.has(next.id));
  batch(() => {
    incidents.value = new Map(some.map((item) => [item.id, item]));
    alarms.value = now;
    dispatches.value = new Map(sent.map((item) => [item.id, item]));
  });
  return news;
}

/** Put what changed in its place; what is `over` goes to the end, so that what was over first is let go of first. */
function put<T extends { id: string }>(items: Map<string, T>, item: T, over: boolean): void {
  if (over) items.delete(item.id);
  items.set(item.id, item);
}

function trim<T>(items: Map<string, T>, over: (item: T) => boolean): void {
  if (items.size <= KEPT) return;
  const gone = [...items].filter(([, item]) => over(item)).slice(0, -KEPT);
  for (const [id] of gone) items.delete(id);
}

function alarmAfter(known: Alarm | undefined, record: AlarmTransition): Alarm | null {
  if (known && lastSequence(known) >= record.sequence) return null;
  return {
    rule_title: null,
    acknowledged_by: null,
    explanation: null,
    ...known,
    id: record.alarm,
    rule: record.rule,
    rule_version: record.rule_version,
    kind: record.kind,
    area: record.area,
    scope: record.scope,
    state: record.after,
    level: record.level,
    onset: record.onset ?? known?.onset ?? 0,
    time: record.time ?? known?.time ?? 0,
    incident: record.incident ?? known?.incident ?? null,
    simulated: record.simulated ?? false,
    sequence: record.sequence,
    aside: ASIDE.includes(record.after) ? (record.aside ?? null) : null,
    assignee: record.assignee || null,
    marks: record.marks ?? [],
    folded: record.folded ?? 0,
    hushed: RINGS.includes(record.edge) ? (record.marks ?? []).some((mark) => mark === 'folded' || mark === 'silenced') : (known?.hushed ?? false),
    ...(record.explanation ? { explanation: record.explanation } : {}),
    ...(filled(record.title) ? { rule_title: record.title } : {}),
    ...(record.rationale && Object.keys(record.rationale).length ? { rationale: record.rationale } : {}),
    ...(record.edge === 'acknowledge' ? { acknowledged_by: record.actor ?? null } : record.after === 'UNACK' && record.before !== 'UNACK' ? { acknowledged_by: null } : {}),
  };
}

function lastSequence(alarm: Alarm): number {
  return alarm.sequence ?? alarm.transitions?.at(-1)?.sequence ?? -1;
}

function incidentAfter(known: Incident | undefined, record: IncidentChange): Incident | null {
  if (known && known.sequence >= record.sequence) return null;
  return {
    acknowledged_by: null,
    title: null,
    dispatches: [],
    ...known,
    id: record.incident,
    area: record.area,
    kind: record.kind,
    state: record.state,
    level: record.level,
    cause: record.cause,
    alarms: record.alarms,
    opened: record.opened,
    time: record.time,
    simulated: record.simulated ?? false,
    exercise: record.exercise || null,
    sort: record.sort || null,
    subject: record.subject || null,
    sequence: record.sequence,
    disposition: record.disposition || known?.disposition || null,
    ...(filled(record.title) ? { title: record.title } : {}),
    // an alarm that is new or worse waits again, also while a unit is on its way: whoever acknowledged has not seen that one
    ...(record.edge === 'acknowledged'
      ? { acknowledged_by: record.actor ?? null }
      : record.unacknowledged || record.state === 'open' // records of old do not have the first
        ? { acknowledged_by: null }
        : {}),
  };
}

/** Whether an alarm may call: one that is not known may. */
function calls(alarm: Alarm | undefined): boolean {
  return !alarm?.marks?.includes('silenced');
}

function worsened<T extends Pick<Alarm, 'level'>>(before: T | undefined, after: T): boolean {
  return before !== undefined && (RANK[after.level] ?? 0) > (RANK[before.level] ?? 0);
}

function filled(title: Partial<Text> | undefined): title is Partial<Text> {
  return !!title && Object.keys(title).length > 0;
}

function dispatchAfter(known: Dispatch | undefined, record: DispatchChange): Dispatch | null {
  const last = known ? (known.sequence ?? known.history?.at(-1)?.sequence ?? -1) : -1;
  if (known && last >= record.sequence) return null;
  return {
    ...known,
    id: record.dispatch,
    incident: record.incident,
    area: record.area,
    unit: record.unit,
    leg: record.leg,
    level: record.level,
    deadline: record.deadline ?? null,
    overdue: record.overdue ?? false,
    issued: known?.issued ?? record.time,
    time: record.time,
    simulated: record.simulated ?? false,
    lead: record.lead ?? '',
    sequence: record.sequence,
    ...(record.event?.data ? { brief: record.event.data } : {}),
  };
}
