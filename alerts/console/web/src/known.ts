/** What the field page last knew, kept on the phone so that it opens without a link; gone when one signs out. */
import { effect, signal } from '@preact/signals';
import { clear, createStore, get, set } from 'idb-keyval';
import { ApiError } from './api';
import { zone } from './clock';
import type { Dispatch, Me, Site } from './contract';
import { directory, dispatches, loaded, me, setSite } from './store';

interface Known {
  at: number; // unix seconds
  me: Me;
  site: Site;
  dispatches: Dispatch[];
}

const LATEST = 'latest';
const GATHER = 500; // milliseconds
const store = createStore('foreshock-known', 'pages');
let keeping = false;

/** Unix seconds of what is shown from memory; 0 while it comes from the server. */
export const recalled = signal(0);

/** Keep what is known from now on. For a phone of one person: a desk's machine keeps nothing. */
export function keepKnown(): void {
  keeping = true;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let signed = false;
  effect(() => {
    const person = me.value;
    const site = directory.value?.site;
    const tasks = [...dispatches.value.values()];
    if (person === null && signed) {
      signed = false;
      clearTimeout(timer);
      void clear(store).catch(() => undefined);
    }
    if (!person || !site || !loaded.value || recalled.value) return;
    signed = true;
    clearTimeout(timer);
    timer = setTimeout(() => {
      const known: Known = { at: Date.now() / 1000, me: { ...person, csrf: '' }, site: slim(site), dispatches: tasks };
      void set(LATEST, known, store).catch(() => undefined);
    }, GATHER);
  });
}

/** Show what was known last; false when nothing was. */
export async function recall(): Promise<boolean> {
  const known = await get<Known>(LATEST, store).catch(() => undefined);
  if (!known) return false;
  recalled.value = known.at;
  zone.value = known.me.zone;
  setSite(known.site);
  dispatches.value = new Map(known.dispatches.map((one) => [one.id, one]));
  loaded.value = true;
  me.value = known.me;
  return true;
}

/** Read something, or without a link what was read last. */
export async function remembered<T>(key: string, load: () => Promise<T>): Promise<T> {
  if (!keeping) return load();
  try {
    const found = await load();
    void set(key, found, store).catch(() => undefined);
    return found;
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 0) throw error;
    const kept = await get<T>(key, store).catch(() => undefined);
    if (kept === undefined) throw error;
    return kept;
  }
}

/** What tasks need of a site. */
function slim(site: Site): Site {
  return { ...site, points: [], cameras: [], units: site.units.map(({ contact: _, ...unit }) => unit) };
}
