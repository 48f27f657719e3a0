/** The live connection: lists first, then the events from exactly there on; reconnects by itself and never looks fresher than it is. */
import { batch, computed, signal } from '@preact/signals';
import { api, ApiError, endSession } from '../api';
import { now, serverTime, setServerTime } from '../clock';
import type { Change, Me, Status } from '../contract';
import { fieldOnly, loaded, me, status, touchAll } from '../store';
import { apply, replace, type News } from './changes';

/** Data older than this are said to be old, loudly. */
export const STALE_AFTER = 5; // seconds
const SILENT_AFTER = 12; // seconds without any event until the connection is given up and made anew
const LATE = 2; // seconds after which what the stream tells must have been held up, or a clock was set
const ASK_AFTER = 4000; // milliseconds between two questions of how far the stream is behind
const GATHER = 40; // milliseconds for which a burst of changes is gathered into one drawing
const BACKOFF = [500, 1000, 2000, 4000, 8000] as const; // milliseconds

type Phase = 'off' | 'connecting' | 'open' | 'lost';
export const phase = signal<Phase>('off');
/** Counts the pulses, so that the header's dot can beat with them. */
export const beats = signal(0);

let fresh = performance.now(); // when the figures last moved on, by this machine's steady clock
let heard = performance.now();
let behind = 0; // seconds by which the stream was found to be behind the server
let asked = -Infinity; // when that was last looked at, by this machine's steady clock

/** Seconds since the engine's figures last moved on: what the page may claim about its own age. */
export const dataAge = computed(() => {
  void now.value; // once a second
  void beats.value;
  return (performance.now() - fresh) / 1000;
});

/** Why what is on the page is not to be relied on: it is old, or alarms do not get here; '' when it is. */
export const lacking = computed(() => {
  if (phase.value === 'off' || (phase.value === 'connecting' && !loaded.value)) return ''; // nothing is claimed yet
  if (dataAge.value > STALE_AFTER) return phase.value === 'open' ? 'engine' : 'lost';
  return status.value?.trouble ?? '';
});

let source: EventSource | null = null;
let position = 0;
let attempts = 0;
let waiting: Change[] = [];
let gathering: ReturnType<typeof setTimeout> | undefined;
let retrying: ReturnType<typeof setTimeout> | undefined;
let run = 0; // each start and stop makes what is under way for the last one void
let onNews: (news: News) => void = () => {};
let onOther: (person: Me) => Promise<void> = () => Promise.resolve();

/** Say who wants to hear of new incidents and alarms. */
export function whenNews(handler: (news: News) => void): void {
  onNews = handler;
}

/** Say who sees to it that somebody else is signed in by now, or may see and do something else. */
export function whenOther(handler: (person: Me) => Promise<void>): void {
  onOther = handler;
}

/** Load the lists and stay connected until `stop`. */
export function start(): void {
  stop();
  phase.value = 'connecting';
  void load(run);
}

/** Close the stream and forget what is under way. */
export function stop(): void {
  run += 1;
  clearTimeout(gathering);
  clearTimeout(retrying);
  gathering = undefined;
  waiting = [];
  source?.close();
  source = null;
  phase.value = 'off';
}

async function load(mine: number): Promise<void> {
  try {
    const figures = await api.status(); // its position comes before the lists: what changes meanwhile is replayed
    const [some, raised, sent] = await Promise.all([
      fieldOnly.peek() ? [] : api.openIncidents(), // a field unit may read only its dispatches
      fieldOnly.peek() ? [] : api.openAlarms(),
      api.openDispatches(),
    ]);
    if (mine !== run) return;
    behind = 0;
    setServerTime(figures.now);
    const news = batch(() => {
      takeStatus(figures, figures.time > 0 ? figures.now - figures.time : 0);
      const first = !loaded.peek();
      if (!first) touchAll(); // what an open page has read is as old as the lists were
      const found = replace(some, raised, sent, first);
      loaded.value = true;
      return found;
    });
    position = figures.journal_position;
    subscribe(mine);
    onNews(news);
  } catch (error) {
    if (mine !== run) return;
    if (error instanceof ApiError && error.status === 401) return;
    retry(mine, () => load(mine));
  }
}

function subscribe(mine: number): void {
  if (mine !== run) return;
  source?.close();
  const stream = new EventSource(`/api/v1/changes?since=${position}`);
  source = stream;
  heard = performance.now();
  stream.onopen = () => {
    if (stream !== source) return;
    attempts = 0;
    heard = performance.now();
    phase.value = 'open';
  };
  stream.addEventListener('change', (event) => {
    heard = performance.now();
    const change = parse<Change>(event);
    if (!change || change.position <= position) return;
    position = change.position;
    waiting.push(change);
    gathering ??= setTimeout(flush, GATHER);
  });
  stream.addEventListener('pulse', (event) => {
    heard = performance.now();
    const figures = parse<Status>(event);
    if (!figures) return;
    const late = Math.abs(serverTime() - figures.now) > LATE;
    if (!late) behind = 0;
    takeStatus(figures, behind);
    if (late) void lookBehind(mine);
  });
  stream.addEventListener('resync', () => {
    stream.close();
    source = null;
    if (gathering) flush(); // before the lists, which are newer: laid over them it would bring back what is closed by now
    void load(mine);
  });
  stream.onerror = () => {
    if (stream === source) lose(mine); // the browser's own reconnect would ask from where the page began
  };
}

/** Let go of a stream that ended or fell silent, and make it anew. */
function lose(mine: number): void {
  source?.close();
  source = null;
  retry(mine, () => reconnect(mine));
}

/** Ask who we are first: a session that has ended must lead to the sign-in page, not to endless retries. */
async function reconnect(mine: number): Promise<void> {
  try {
    const person = await api.me();
    if (mine !== run) return;
    if (JSON.stringify(person) === JSON.stringify(me.peek())) subscribe(mine);
    else await onOther(person); // which begins anew
  } catch (error) {
    if (mine !== run) return;
    if (error instanceof ApiError && error.status === 401) {
      endSession();
      return;
    }
    retry(mine, () => reconnect(mine));
  }
}

function retry(mine: number, again: () => Promise<void>): void {
  if (mine !== run) return;
  phase.value = 'lost';
  const pause = BACKOFF[Math.min(attempts, BACKOFF.length - 1)] ?? 8000;
  attempts += 1;
  clearTimeout(retrying);
  retrying = setTimeout(() => void again(), pause * (0.75 + Math.random() / 2));
}

function flush(): void {
  clearTimeout(gathering);
  gathering = undefined;
  const changes = waiting;
  waiting = [];
  onNews(apply(changes));
}

/** Take figures that are so many seconds old. */
function takeStatus(figures: Status, age: number): void {
  const before = status.peek();
  if (!before || figures.time > before.time) fresh = performance.now() - Math.max(0, age) * 1000;
  status.value = figures;
  beats.value += 1;
}

/**
 * Find out by a question of its own, which nothing on the stream's way holds up, how far the stream is behind. What comes
 * late could as well be a clock that was set: the server's is taken from the answer, and only from there.
 */
async function lookBehind(mine: number): Promise<void> {
  const begun = performance.now();
  if (begun - asked < ASK_AFTER) return;
  asked = begun;
  const figures = await api.status().catch(() => null);
  if (!figures || mine !== run) return;
  if (performance.now() - begun < LATE * 1000) setServerTime(figures.now);
  const gap = figures.now - (status.peek()?.now ?? figures.now);
  behind = gap > LATE ? gap : 0;
  fresh = Math.min(fresh, performance.now() - behind * 1000);
  beats.value += 1;
}

function parse<T>(event: Event): T | null {
  try {
    return JSON.parse((event as MessageEvent<string>).data) as T;
  } catch {
    return null;
  }
}

// A connection that died without a word (a sleeping laptop, a pulled cable), or that never opens, is noticed by its silence.
setInterval(() => {
  if (source && performance.now() - heard > SILENT_AFTER * 1000) lose(run);
}, 2000);
