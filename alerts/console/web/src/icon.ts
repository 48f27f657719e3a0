/** The tab's icon: the shape of the level that sounds, and how many alarms nobody has acknowledged. */
import type { Level } from './contract';

const CALM = './favicon.svg';
const GROUNDS: Partial<Record<Level, string>> = {
  red: '<path d="M10 1h12l9 9v12l-9 9H10l-9-9V10Z" fill="#ff6159"/>',
  orange: '<path d="M16 0 32 30H0Z" fill="#ff9a3d"/>',
};
const QUIET = '<rect width="32" height="32" rx="7" fill="#f2a33a"/>';
const MOST = 99;

/** The address of the icon. The triangle has room for its number at its foot. */
export function icon(level: Level | null, count: number): string {
  if (!count) return CALM;
  const said = count > MOST ? `${MOST}+` : String(count);
  const size = [0, 21, 17, 12][said.length] ?? 12;
  const foot = level === 'orange' ? 27 : 16 + size * 0.36;
  const words = `<text x="16" y="${foot}" font-family="sans-serif" font-weight="bold" font-size="${level === 'orange' ? Math.min(size, 17) : size}" text-anchor="middle" fill="#10161c">${said}</text>`;
  const ground = (level && GROUNDS[level]) || QUIET;
  return `data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">${ground}${words}</svg>`)}`;
}
