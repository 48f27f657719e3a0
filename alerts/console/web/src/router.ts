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

/** Go to a route; `replace` leaves no entry in the history. */
export function go(target: string, replace = false): void {
  if (replace) {
    history.replaceState(null, '', target);
    hash.value = location.hash;
  } else {
    location.hash = target;
  }
}
