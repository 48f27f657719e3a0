/** What asks for a look: red and orange incidents that nobody has acknowledged and that this person has not looked at. */
import { computed, effect, signal } from '@preact/signals';
import { RANK, type Incident, type Level } from '../contract';
import { alarms, isRisk, isUnacknowledged, loaded, openIncidents, realFirst, waits } from '../store';

const URGENT = 3; // rank of orange

/** The incident on the page, so that it is not announced beside itself. */
export const looking = signal('');
/** The level at which each incident was last looked at. */
const seen = signal<ReadonlyMap<string, number>>(new Map());

function urgent(incident: Incident): boolean {
  return isRisk(incident) && (RANK[incident.level] ?? 0) >= URGENT && waits(incident);
}

function look(incidents: readonly Incident[]): void {
  const next = new Map(seen.peek());
  let moved = false;
  for (const incident of incidents) {
    const rank = RANK[incident.level] ?? 0;
    if ((next.get(incident.id) ?? 0) >= rank) continue;
    next.set(incident.id, rank);
    moved = true;
  }
  if (moved) seen.value = next;
}

/** Incidents that press, new or worse since they were looked at: what is real before what is played, then the most urgent. */
export const pressing = computed(() =>
  openIncidents.value
    .filter(
      (incident) =>
        incident.id !== looking.value && urgent(incident) && (seen.value.get(incident.id) ?? 0) < (RANK[incident.level] ?? 0),
    )
    .sort(realFirst),
);

/** The most severe level among risk alarms that nobody has acknowledged, if it is one that sounds; folded rings do not. */
export const alarming = computed<Level | null>(() => {
  let worst = 0;
  for (const alarm of alarms.value.values())
    if (isRisk(alarm) && !alarm.hushed && isUnacknowledged(alarm)) worst = Math.max(worst, RANK[alarm.level] ?? 0);
  return worst >= 4 ? 'red' : worst >= URGENT ? 'orange' : null;
});

effect(() => {
  const shown = openIncidents.value.find((incident) => incident.id === looking.value);
  if (shown) look([shown]);
});

// What was open before this person came stands in the queue already; only red asks for a look all the same.
let before = false;
effect(() => {
  const now = loaded.value;
  if (now && !before) look(openIncidents.peek().filter((incident) => incident.level !== 'red'));
  if (!now) seen.value = new Map();
  before = now;
});
