/**
 * The ids of orders, by which the server knows a repeat.
 *
 * Where no answer came the order may have been done all the same: given again it goes under the id that it had, so
 * that it is done once. An answer about the same object, and time, make the same words another order.
 */

const KEYED = /^\/(?:alarms|attachments|candidates|dispatches|handover|incidents|modes|silences)\b/; // what the engine decides
const FORGOTTEN = 600_000; // milliseconds after which the same words are meant anew
const MOST = 50;

interface Held {
  key: string;
  object: string;
  since: number;
}

const unanswered = new Map<string, Held>(); // a digest of what an order says → the id under which it was sent

/** The id to send an order under: a new one, or that of the same order which got no answer. Nothing for what takes none. */
export function keyOf(method: string, path: string, body: string): string | null {
  if (method !== 'POST' || !KEYED.test(path)) return null;
  const said = `${path} ${digest(body)}`; // which may have a whole file in it
  const known = unanswered.get(said);
  if (known && Date.now() - known.since < FORGOTTEN) return known.key;
  const key = unique();
  unanswered.delete(said); // so that it stands last
  unanswered.set(said, { key, object: objectOf(path), since: Date.now() });
  if (unanswered.size > MOST) unanswered.delete(unanswered.keys().next().value!);
  return key;
}

/** Whether a `status`, 0 where none came, leaves open what became of an order: the link, the session, the pace, a proxy, the engine's time. */
export function isOpen(status: number): boolean {
  return status === 0 || status === 401 || status === 429 || status >= 500;
}

/** Take note of what came of an order: `status` of the answer, 0 where none came. */
export function answered(path: string, status: number): void {
  if (isOpen(status)) return;
  for (const [said, held] of unanswered) if (held.object === objectOf(path)) unanswered.delete(said);
}

/** 53 bits of a text and its length, without what only secure origins have; two that are alike the server tells apart. */
function digest(text: string): string {
  let [a, b] = [0xdeadbeef, 0x41c6ce57];
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    a = Math.imul(a ^ code, 2654435761);
    b = Math.imul(b ^ code, 1597334677);
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return `${text.length} ${4294967296 * (2097151 & b) + (a >>> 0)}`;
}

/** What an order is about: `/alarms/7` of `/alarms/7/shelve`. */
function objectOf(path: string): string {
  return path.split('/', 3).join('/');
}

/** 32 random hexadecimal digits; `randomUUID` is there on secure origins only, and a site may have none. */
export function unique(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
