/**
 * What a unit did, kept until the server has it: in order, through poor links and restarts, sent once.
 *
 * Each order carries an id of its own, by which the server knows a repeat; what cannot be sent now is kept in the
 * browser's database and shown as waiting, what the server refuses is shown with its reason.
 */
import { computed, signal } from '@preact/signals';
import { createStore, del, entries, set } from 'idb-keyval';
import { api, ApiError, mayWrite, type DispatchStep } from './api';
import { clockTime } from './clock';
import { tell } from './components/notices';
import type { CheckedStep, Dispatch, Leg, Text } from './contract';
import { t } from './i18n';
import { isOpen, unique } from './order_keys';
import { dispatches, me } from './store';

export interface Order {
  id: string;
  who: string;
  about: string; // the dispatch; '' for a report
  step: DispatchStep | 'tick' | 'untick' | 'report';
  what?: Text; // the step of the plan
  path: string;
  body: Record<string, unknown>;
  sent?: Record<string, unknown>; // the body with which it may have reached the server first
  made: number; // unix seconds, by this machine's clock
  late: boolean; // it could not be sent when it was given
  error: string; // why the server refused it
}

const AGAIN = 15_000; // milliseconds between tries while something waits
const AFTER: Partial<Record<Order['step'], Leg>> = {
  accept: 'accepted', refuse: 'refused', 'on-scene': 'on_scene', resolve: 'resolved', 'feed-back': 'fed_back', 'follow-up': 'follow_up', close: 'closed',
};

const store = createStore('foreshock-outbox', 'orders');
const all = signal<readonly Order[]>([]);
/** This person's orders that the server does not have yet, in order. */
export const orders = computed(() => all.value.filter((order) => order.who === me.value?.name));
export const waiting = computed(() => orders.value.filter((order) => !order.error));

/** The leg that the server was last brought to here, and the dispatch's sequence as it was known then. */
const reached = signal<ReadonlyMap<string, { leg: Leg; since: number }>>(new Map());

let sending: Promise<void> | null = null;

/** Read what was kept, and go on sending whenever there is a way. */
export async function open(): Promise<void> {
  try {
    const kept = (await entries<string, Order>(store)).map(([, order]) => order);
    all.value = kept.sort((a, b) => a.made - b.made);
    for (const order of all.value) await later(order); // what outlived a restart was not sent when it was given
  } catch {
    // a browser that keeps nothing (a private window): orders live as long as the page
  }
  addEventListener('online', () => void flush());
  setInterval(() => waiting.peek().length && void flush(), AGAIN);
}

/** Answer for a dispatch. Resolves once the server has it or it is kept; throws `ApiError` when it was refused. */
export function answer(dispatch: string, step: DispatchStep, body: Record<string, unknown>): Promise<void> {
  return give({ about: dispatch, step, path: `/dispatches/${encodeURIComponent(dispatch)}/${step}`, body });
}

export function tickStep(dispatch: string, { id, text }: CheckedStep): Promise<void> {
  return give({ about: dispatch, step: 'tick', what: text, path: `/dispatches/${encodeURIComponent(dispatch)}/tick`, body: { step: id, note: '' } });
}

export function untickStep(dispatch: string, { id, text }: CheckedStep, reason: string): Promise<void> {
  return give({ about: dispatch, step: 'untick', what: text, path: `/dispatches/${encodeURIComponent(dispatch)}/untick`, body: { step: id, reason } });
}

/** The order that ticks a step of a plan, or takes that back, and waits for a link: the last one. */
export function tickAhead(dispatch: string, step: string): Order | undefined {
  return waiting.value.filter((order) => order.late && order.about === dispatch && order.step.endsWith('tick') && order.body['step'] === step).at(-1);
}

/** Report something seen; its own id makes a repeat the same report, its time says when it was seen. */
export function report(body: Record<string, unknown>): Promise<void> {
  const made = Date.now() / 1000;
  return give({ about: '', step: 'report', path: '/reports', body: { ...body, time: made, id: unique() } });
}

async function give(what: Pick<Order, 'about' | 'step' | 'what' | 'path' | 'body'>): Promise<void> {
  const order: Order = { ...what, id: unique(), who: me.peek()?.name ?? '', made: Date.now() / 1000, late: false, error: '' };
  all.value = [...all.value, order];
  await keep(order);
  if (sending) await sending; // which may have begun without it
  await flush();
  const left = find(order.id);
  if (!left) return;
  if (left.error) {
    await drop(left.id);
    throw new ApiError(409, 'refused', left.error);
  }
  await later(left);
  tell(t('queue.kept'));
}

/** Send what waits, the oldest first, until one does not get through. */
export function flush(): Promise<void> {
  sending ??= run().finally(() => {
    sending = null;
  });
  return sending;
}

async function run(): Promise<void> {
  if (!mayWrite()) return; // who we are is known from memory only: the session's token is not
  for (const { id } of waiting.peek()) {
    const order = find(id);
    if (!order || order.error) continue;
    try {
      await send(order);
      const leg = AFTER[order.step];
      if (leg && order.late) reached.value = new Map(reached.peek()).set(order.about, { leg, since: dispatches.peek().get(order.about)?.sequence ?? -1 });
      await drop(order.id);
    } catch (error) {
      const status = error instanceof ApiError ? error.status : 0;
      if (isOpen(status)) {
        await later(find(id) ?? order);
        return;
      }
      await change({ ...(find(id) ?? order), error: error instanceof Error ? error.message : String(error) });
    }
  }
}

/** Send an order; where the answer to what was sent first was lost on the way, that is asked for. */
async function send(order: Order): Promise<void> {
  const first = order.sent;
  if (!first) await change({ ...order, sent: order.body });
  try {
    await api.order(order.path, order.body, order.id);
  } catch (error) {
    const taken = error instanceof ApiError && (error.status === 409 || error.code === 'key_used');
    if (!first || first === order.body || !taken) throw error;
    await api.order(order.path, first, order.id).catch((other) => {
      throw other instanceof ApiError && other.code === 'key_used' ? error : other;
    });
  }
}

/** Say in the order itself that it comes late: who reads it must not take its arrival for the deed. */
async function later(order: Order): Promise<void> {
  if (order.late) return;
  const words = order.step === 'refer' || order.step === 'untick' ? 'reason' : 'note'; // what the server takes
  const said = order.step === 'report' ? {} : { [words]: `${String(order.body[words] ?? '')} ${t('queue.note', { time: clockTime(order.made) })}`.trim() };
  await change({ ...order, late: true, body: { ...order.body, ...said } });
}

/** The leg at which a dispatch stands once all that could not be sent is sent; with a link only the server says. */
export function legAhead(dispatch: Dispatch): Leg {
  const last = waiting.value.filter((order) => order.late && order.about === dispatch.id && AFTER[order.step]).at(-1);
  const told = reached.value.get(dispatch.id);
  const behind = told && (dispatch.sequence ?? -1) <= told.since; // the server has it, the stream has not said so yet
  return (last && AFTER[last.step]) ?? (behind ? told.leg : dispatch.leg);
}

/** When what could not be sent yet brought a dispatch to its leg, unix seconds. */
export function madeAhead(dispatch: Dispatch): number | null {
  return waiting.value.filter((order) => order.late && order.about === dispatch.id && AFTER[order.step]).at(-1)?.made ?? null;
}

export async function drop(id: string): Promise<void> {
  all.value = all.value.filter((order) => order.id !== id);
  await del(id, store).catch(() => undefined);
}

function find(id: string): Order | undefined {
  return all.peek().find((order) => order.id === id);
}

async function change(order: Order): Promise<void> {
  all.value = all.value.map((one) => (one.id === order.id ? order : one));
  await keep(order);
}

async function keep(order: Order): Promise<void> {
  await set(order.id, order, store).catch(() => undefined);
}
