/** Dark first; light or the system's choice on request, remembered on this device. Paper is light. */
import { effect, signal } from '@preact/signals';

export type Theme = 'dark' | 'light' | 'system';
const STORED = 'foreshock.theme';
const system = matchMedia('(prefers-color-scheme: light)');
const systemLight = signal(system.matches);
system.addEventListener('change', () => {
  systemLight.value = system.matches;
});

const paper = matchMedia('print');
const printed = signal(paper.matches);
paper.addEventListener('change', () => {
  printed.value = paper.matches;
});

function initial(): Theme {
  const stored = localStorage.getItem(STORED);
  return stored === 'light' || stored === 'system' ? stored : 'dark';
}

export const theme = signal<Theme>(initial());
/** What is shown: charts draw themselves again when it changes. */
export const shade = signal<'dark' | 'light'>('dark');

effect(() => {
  const shown = printed.value ? 'light' : theme.value === 'system' ? (systemLight.value ? 'light' : 'dark') : theme.value;
  document.documentElement.dataset['theme'] = shown;
  shade.value = shown;
});

/** dark → light → as the system → dark. */
export function nextTheme(): void {
  theme.value = theme.value === 'dark' ? 'light' : theme.value === 'light' ? 'system' : 'dark';
  localStorage.setItem(STORED, theme.value);
}
