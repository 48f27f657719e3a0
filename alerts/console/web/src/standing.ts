/** How each area stands: the worst level of its open incidents, else how honest its calm is. */
import type { Standing } from './components/map_symbols';
import { RANK, type Area, type AreaCount, type Incident } from './contract';
import { tName } from './i18n';
import { directory, isRisk, loaded, openIncidents } from './store';

export const ORDER: readonly Standing[] = ['red', 'orange', 'yellow', 'blue', 'silent', 'partly', 'calm'];

export interface Stand {
  area: Area;
  standing: Standing;
  incidents: Incident[];
  count: AreaCount | undefined;
}

/** How every area stands, the worst first. */
export function useStands(counts: readonly AreaCount[] | undefined): Stand[] {
  const byArea = new Map(counts?.map((one) => [one.area, one]));
  const open = new Map<string, Incident[]>();
  for (const incident of openIncidents.value.filter(isRisk)) open.set(incident.area, [...(open.get(incident.area) ?? []), incident]);
  const found = (directory.value?.site.areas ?? []).map((area): Stand => {
    const incidents = open.get(area.id) ?? [];
    const count = byArea.get(area.id);
    const worst = [...incidents].sort((a, b) => (RANK[b.level] ?? 0) - (RANK[a.level] ?? 0))[0];
    return { area, incidents, count, standing: worst ? worst.level : calm(count) };
  });
  return found.sort((a, b) => ORDER.indexOf(a.standing) - ORDER.indexOf(b.standing) || tName(a.area.name).localeCompare(tName(b.area.name)));
}

/** Calm is only what is heard of: where points are silent, or what is open has not come yet, it is not known. */
function calm(count: AreaCount | undefined): Standing {
  if (!count || !loaded.value) return 'silent';
  const { live, stale, never } = count.points;
  if (!live) return 'silent';
  return stale + never ? 'partly' : 'calm';
}
