/** How each area stands: the worst level of its open incidents, else how honest its calm is. */
import type { Standing } from './components/map_symbols';
import { RANK, type Alarm, type Area, type AreaCount, type Incident } from './contract';
import { tName } from './i18n';
import { alarms, directory, HERE, isRisk, led, loaded, openIncidents } from './store';

export const ORDER: readonly Standing[] = ['red', 'orange', 'yellow', 'blue', 'silent', 'partly', 'calm'];

export interface Stand {
  area: Area;
  standing: Standing;
  incidents: Incident[]; // the worst first; one that opened elsewhere with the level and cause that it has here
  alarm: Alarm | undefined; // the worst of an incident that opened where this person may not look
  count: AreaCount | undefined;
}

/** How every area stands, the worst first. */
export function useStands(counts: readonly AreaCount[] | undefined): Stand[] {
  const byArea = new Map(counts?.map((one) => [one.area, one]));
  const open = new Map<string, Incident[]>();
  for (const incident of openIncidents.value.filter(isRisk)) {
    for (const one of [incident, ...elsewhere(incident)]) open.set(one.area, [...(open.get(one.area) ?? []), one]);
  }
  const found = (directory.value?.site.areas ?? []).map((area): Stand => {
    const incidents = (open.get(area.id) ?? []).sort((a, b) => rank(b) - rank(a));
    const count = byArea.get(area.id);
    const [alarm] = led.value.filter((one) => one.area === area.id).sort((a, b) => rank(b) - rank(a));
    return { area, incidents, alarm, count, standing: incidents[0]?.level ?? alarm?.level ?? calm(count) };
  });
  return found.sort((a, b) => ORDER.indexOf(a.standing) - ORDER.indexOf(b.standing) || tName(a.area.name).localeCompare(tName(b.area.name)));
}

const rank = (of: { level: Alarm['level'] }) => RANK[of.level] ?? 0;

/** What an incident is in its other areas, whose alarms joined or were merged into it: there is no calm either. */
function elsewhere(incident: Incident): Incident[] {
  const worst = new Map<string, Alarm>();
  for (const id of incident.alarms) {
    const alarm = alarms.value.get(id);
    if (!alarm || alarm.area === incident.area || !HERE.includes(alarm.state)) continue;
    const known = worst.get(alarm.area);
    if (!known || rank(alarm) > rank(known)) worst.set(alarm.area, alarm);
  }
  return [...worst.values()].map((alarm) => ({ ...incident, area: alarm.area, level: alarm.level, cause: alarm.id }));
}

/** Calm is only what is heard of: where points are silent, or what is open has not come yet, it is not known. */
function calm(count: AreaCount | undefined): Standing {
  if (!count || !loaded.value) return 'silent';
  const { live, stale, never } = count.points;
  if (!live) return 'silent';
  return stale + never ? 'partly' : 'calm';
}
