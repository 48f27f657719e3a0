/** What the page knows: the session, the site by id, and the open incidents, alarms and dispatches. */
import { computed, signal } from '@preact/signals';
import type {
  Alarm, AlarmState, Area, AreaType, Camera, Dispatch, Incident, Kind, Loop, Me, Named, Place, Point, Role, Site, Status, Text, Unit,
} from './contract';
import { RANK } from './contract';
import { tName } from './i18n';

/** null: not signed in; undefined: not known yet. */
export const me = signal<Me | null | undefined>(undefined);

export function has(...roles: Role[]): boolean {
  const mine = me.value?.roles ?? [];
  return roles.some((role) => mine.includes(role));
}
/** May this person acknowledge, comment and close? The server decides; this only hides what it would refuse. */
export const mayOperate = computed(() => has('duty', 'dispatcher', 'administrator'));
export const mayComment = computed(() => mayOperate.value || has('analyst'));
export const mayPutIntoMode = computed(() => has('dispatcher', 'analyst', 'administrator'));
/** Who is confined to places is not shown what concerns the whole site. */
export const confined = computed(() => Boolean(me.value?.places?.length));
export const maySeeModels = computed(() => has('duty', 'analyst', 'administrator') && !confined.value);
export const maySeeRules = maySeeModels;
export const mayPromote = computed(() => has('analyst', 'administrator'));
export const mayAdminister = computed(() => has('administrator'));
/** A person of a field unit and nothing else: their home is the phone page. */
export const fieldOnly = computed(() => has('field') && !has('duty', 'dispatcher', 'administrator', 'analyst', 'viewer'));
/** Whom a page is for: what was read for one person is not left standing before another, or one who may see something else. */
export const reader = computed(() => (me.value ? JSON.stringify([me.value.name, me.value.roles, me.value.unit, me.value.places]) : ''));

export interface Directory {
  site: Site;
  areas: Map<string, Area>;
  points: Map<string, Point>;
  cameras: Map<string, Camera>;
  units: Map<string, Unit>;
  places: Map<string, Place>;
  types: Map<string, AreaType>;
  seats: Map<string, Named>;
}
export const directory = signal<Directory | null>(null);

function byId<T extends { id: string }>(items: T[] | undefined): Map<string, T> {
  return new Map((items ?? []).map((item) => [item.id, item]));
}

export function setSite(site: Site): void {
  directory.value = {
    site,
    areas: byId(site.areas),
    points: byId(site.points),
    cameras: byId(site.cameras),
    units: byId(site.units),
    places: byId(site.places),
    types: byId(site.area_types),
    seats: byId(site.seats),
  };
}

/** The places above an area, widest first, without the district itself: 石岩街道 › 官田社区. */
export function placePath(area: Area | undefined): Text[] {
  const places = directory.value?.places;
  const path: Text[] = [];
  let place = area && places?.get(area.place);
  while (place && place.kind !== 'district' && path.length < 6) {
    path.unshift(place.name);
    place = place.parent ? places?.get(place.parent) : undefined;
  }
  return path;
}

export const incidents = signal<ReadonlyMap<string, Incident>>(new Map());
export const alarms = signal<ReadonlyMap<string, Alarm>>(new Map());
export const dispatches = signal<ReadonlyMap<string, Dispatch>>(new Map());
export const status = signal<Status | null>(null);
/** False until the first lists have come, so that an empty list is never shown as "all quiet". */
export const loaded = signal(false);
/** When something about an incident, alarm or dispatch changed last, in turns; what is not here, when all was read. */
export const touched = signal<ReadonlyMap<string, number>>(new Map());
const readAt = signal(0);
let turns = 0;

/** Count up: the next turn. */
export function turn(): number {
  turns += 1;
  return turns;
}

/** Rises whenever something about this incident, alarm or dispatch may have changed: its open page reads itself again. */
export function stamp(id: string): number {
  return touched.value.get(id) ?? readAt.value;
}

/** All may have changed. */
export function touchAll(): void {
  touched.value = new Map();
  readAt.value = turn();
}

export function isRisk(item: { kind: Kind }): boolean {
  return item.kind === 'risk';
}

/** Whether nobody has acknowledged an alarm, be it active or back to normal. */
export function isUnacknowledged(alarm: Pick<Alarm, 'state'>): boolean {
  return alarm.state === 'UNACK' || alarm.state === 'RTNUN';
}

/** Incidents with an alarm that nobody has acknowledged. One that was dispatched by itself waits all the same. */
const waiting = computed(() => {
  const found = new Set<string>();
  for (const alarm of alarms.value.values())
    if (alarm.incident && isUnacknowledged(alarm)) found.add(alarm.incident);
  return found;
});

/** Does this incident still wait for somebody to say "seen"? */
export function waits(incident: Incident): boolean {
  return incident.state !== 'closed' && (incident.state === 'open' || waiting.value.has(incident.id));
}

/** Who has an incident: whom its cause, else another alarm of it, is assigned to; else who acknowledged it. */
export function holderOf(incident: Incident): string | null {
  for (const id of [incident.cause, ...incident.alarms]) {
    const to = alarms.value.get(id)?.assignee;
    if (to) return to;
  }
  return incident.acknowledged_by ?? null;
}

/**
 * Active alarms of risk in no incident that is open here: it was closed over them, as a nuisance perhaps, or opened where
 * this person may not look. Their areas are not calm.
 */
export const outside = computed(() =>
  [...alarms.value.values()].filter((alarm) => isRisk(alarm) && HERE.includes(alarm.state) && (incidents.value.get(alarm.incident ?? '')?.state ?? 'closed') === 'closed'),
);
/** States of an alarm that is neither over nor set aside. */
export const HERE: readonly AlarmState[] = ['UNACK', 'ACKED', 'RTNUN'];

/** What an incident is about, without area and level, which stand beside it: its cause's rule, else its title. */
export function subject(incident: Incident): Partial<Text> | string {
  return alarms.value.get(incident.cause)?.rule_title ?? incident.title ?? incident.cause;
}

function urgency(incident: Incident): number {
  return (waits(incident) ? 100 : incident.state === 'calm' ? 0 : 50) + (RANK[incident.level] ?? 0);
}

/** Put what is real before what is simulated, a drill too: that never stands in its way. */
export function realFirst(a: Incident, b: Incident): number {
  return Number(a.simulated) - Number(b.simulated);
}

/** Incidents that are not closed: those that wait first, then by level, what is real first, then the newest. */
export const openIncidents = computed(() =>
  [...incidents.value.values()]
    .filter((incident) => incident.state !== 'closed')
    .sort((a, b) => urgency(b) - urgency(a) || realFirst(a, b) || b.opened - a.opened || (a.id < b.id ? -1 : 1)),
);

/** Alarms that nobody has acknowledged, whether still active or back to normal. */
export const unacknowledged = computed(
  () => [...alarms.value.values()].filter(isUnacknowledged).length,
);

export const dispatchesByIncident = computed(() => {
  const groups = new Map<string, Dispatch[]>();
  for (const dispatch of dispatches.value.values()) {
    const group = groups.get(dispatch.incident);
    if (group) group.push(dispatch);
    else groups.set(dispatch.incident, [dispatch]);
  }
  return groups;
});

export const FINISHED: readonly string[] = ['closed', 'refused'];

/** Legs of a dispatch that somebody is on. */
export const WORKING: readonly string[] = ['issued', 'accepted', 'on_scene'];

/** The running dispatch of an incident whose deadline comes first, or null. */
export function nextDue(incident: string): (Dispatch & { deadline: number }) | null {
  let next: (Dispatch & { deadline: number }) | null = null;
  for (const dispatch of dispatchesByIncident.value.get(incident) ?? []) {
    const { deadline } = dispatch;
    if (!FINISHED.includes(dispatch.leg) && dispatch.leg !== 'follow_up' && deadline != null && (next === null || deadline < next.deadline))
      next = { ...dispatch, deadline };
  }
  return next;
}

/** What must come before a dispatch that was dealt with may be closed. */
export function needs(dispatch: Dispatch): readonly Loop[] {
  const known = directory.value;
  return known?.types.get(known.areas.get(dispatch.area)?.type ?? '')?.close_needs ?? [];
}

export function unitName(id: string): string {
  return tName(directory.value?.units.get(id)?.name) || id;
}

export function cameraName(id: string): string {
  return tName(directory.value?.cameras.get(id)?.name) || id;
}

export function seatName(id: string): string {
  return tName(directory.value?.seats.get(id)?.name) || id;
}

/** Name an area, or a point, as the site does; one that it does not have by its id. */
export function areaName(id: string): string {
  return tName(directory.value?.areas.get(id)?.name) || id;
}
export function pointName(id: string): string {
  return tName(directory.value?.points.get(id)?.name) || id;
}

/** The name of the point, area or camera that an alarm is about. */
export function scopeName({ scope }: Pick<Alarm, 'scope'>): string {
  const known = directory.value;
  const found = known?.points.get(scope) ?? known?.areas.get(scope) ?? known?.cameras.get(scope);
  return tName(found?.name) || scope;
}
