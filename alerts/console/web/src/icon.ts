/** The page's icon in the browser's bar: how many alarms wait, on the shape and colour of the worst that sounds. */
import type { Level } from './contract';

const DARK = '#10161d';
const QUIET = { path: 'M7 0h18a7 7 0 0 1 7 7v18a7 7 0 0 1-7 7H7a7 7 0 0 1-7-7V7a7 7 0 0 1 7-7Z', fill: DARK, ink: '#f2a33a', at: 22 };
const SHAPES: Partial<Record<Level, typeof QUIET>> = {
  red: { path: 'M9.5 0h13L32 9.5v13L22.5 32h-13L0 22.5v-13Z', fill: '#ff6159', ink: DARK, at: 22 },
  orange: { path: 'M16 0 32 31H0Z', fill: '#ff9a3d', ink: DARK, at: 28 },
};
const MOST = 99; // more cannot be read at this size

/** The icon's address: as it was built while nothing waits. */
export function icon(count: number, level: Level | null): string {
  if (!count) return './favicon.svg';
  const { path, fill, ink, at } = (level && SHAPES[level]) || QUIET;
  const text = `<text x="16" y="${at}" font-family="sans-serif" font-size="17" font-weight="bold" text-anchor="middle" fill="${ink}">${Math.min(count, MOST)}</text>`;
  return `data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path d="${path}" fill="${fill}"/>${text}</svg>`)}`;
}
