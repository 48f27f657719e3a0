/** How each area stands: the worst level of its open incidents and of alarms outside them, else how honest its calm is. */
import type { Standing } from './components/map_symbols';
import { RANK, type Alarm, type Area, type AreaCount, type Incident } from './contract';
import { tName } from './i18n';
import { alarms, directory, HERE, isRisk, loaded, openIncidents, outside } from './store';

export const ORDER: readonly Standing[] = ['red', 'orange', 'yellow', 'blue', 'silent', 'partly', 'calm'];

export interface Stand {
  area: Area;
  standing: Standing;
  incidents: Incident[]; // the worst first; one that opened elsewhere with the level and cause that it has here
  alarm: Alarm | undefined; // the worst that is in none of them
  count: AreaCount | undefined;
}

/** How every area stands, the worst first. */
export function useStands(counts: readonly AreaCount[] | undefined): Stand[] {
  const byArea = new Map(counts?.map((one) => [one.area, one]));
  const open = new Map<string, Incident[]>();
  for (const incident of openIncidents.value.filter(isRisk)) {
    for (const one of [incident, ...elsewhere(incident)]) open.set(one.area, [...(open.get(one.area) ?? []), one]);
  }
  const apart = worstByArea(outside.value);
  const found = (directory.value?.site.areas ?? []).map((area): Stand => {
    const incidents = (open.get(area.id) ?? []).sort((a, b) => rank(b) - rank(a));
    const count = byArea.get(area.id);
    const alarm = apart.get(area.id);
    return { area, incidents, alarm, count, standing: worst({ incidents, alarm })?.level ?? calm(count) };
  });
  return found.sort((a, b) => ORDER.indexOf(a.standing) - ORDER.indexOf(b.standing) || tName(a.area.name).localeCompare(tName(b.area.name)));
}

/** What makes an area stand as it does: its worst incident, or an alarm outside them that is worse. */
export function worst({ incidents: [first], alarm }: Pick<Stand, 'incidents' | 'alarm'>): Incident | Alarm | undefined {
  return first && alarm && rank(alarm) > rank(first) ? alarm : (first ?? alarm);
}

const rank = (of: { level: Alarm['level'] }) => RANK[of.level] ?? 0;

/** The areas that are not calm: those of open incidents, in the incidents' order, then those of alarms outside them. */
export function troubled(): string[] {
  const open = openIncidents.value.filter(isRisk).flatMap((one) => [one, ...elsewhere(one)]);
  return [...new Set([...open, ...outside.value].map((one) => one.area))];
}

/** What an incident is in its other areas, whose alarms joined or were merged into it: there is no calm either. */
function elsewhere(incident: Incident): Incident[] {
  const its = incident.alarms.flatMap((id) => alarms.value.get(id) ?? []);
  const found = worstByArea(its.filter((alarm) => alarm.area !== incident.area && HERE.includes(alarm.state)));
  return [...found.values()].map((alarm) => ({ ...incident, area: alarm.area, level: alarm.level, cause: alarm.id }));
}

/** The worst alarm of each area, the first of those that are alike. */
function worstByArea(some: readonly Alarm[]): Map<string, Alarm> {
  const found = new Map<string, Alarm>();
  for (const alarm of some) {
    const known = found.get(alarm.area);
    if (!known || rank(alarm) > rank(known)) found.set(alarm.area, alarm);
  }
  return found;
}

/** Calm is only what is heard of: where points are silent, or what is open has not come yet, it is not known. */
function calm(count: AreaCount | undefined): Standing {
  if (!count || !loaded.value) return 'silent';
  const { live, stale, never } = count.points;
  if (!live) return 'silent';
  return stale + never ? 'partly' : 'calm';
}
