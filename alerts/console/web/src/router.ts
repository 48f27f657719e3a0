/** Hash routes: the path and the query after `#`. */
import { computed, signal } from '@preact/signals';

const hash = signal(location.hash);
addEventListener('hashchange', () => {
  hash.value = location.hash;
});

export interface Route {
  parts: string[];
  query: URLSearchParams;
}

export const route = computed<Route>(() => {
  const [path = '', search = ''] = hash.value.replace(/^#/, '').split('?', 2);
  return { parts: path.split('/').filter(Boolean).map(decode), query: new URLSearchParams(search) };
});

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // a hand-typed % that is no escape
  }
}

/** The address of a route, parts escaped. */
export function href(...parts: string[]): string {
  return `#/${parts.map(encodeURIComponent).join('/')}`;
}

/** One thing that a page asks, as it stands in the address: a link, a reload and the way back show the same. */
export function useAsked(name: string, usual = ''): [string, (value: string) => void] {
  return [route.value.query.get(name) ?? usual, (value) => ask({ [name]: value === usual ? '' : value })];
}

/** Put what a page asks into the address, beside what stands there; what is empty goes. No entry in the history: each letter typed would be one. */
export function ask(asked: Record<string, string>): void {
  const [path = '', search = ''] = hash.peek().split('?', 2);
  const query = new URLSearchParams(search);
  for (const [name, value] of Object.entries(asked)) if (value) query.set(name, value);
    else query.delete(name);
  go(query.size ? `${path || '#/'}?${query}` : path || '#/', true);
}

/** Go to a route; `replace` leaves no entry in the history. */
export function go(target: string, replace = false): void {
  if (replace) {
    history.replaceState(null, '', target);
    hash.value = location.hash;
  } else {
    location.hash = target;
  }
}
