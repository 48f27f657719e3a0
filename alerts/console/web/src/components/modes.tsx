/** Modes that last, such as maintenance: what they suppress does not ring, so the page says where, until when and why. */
import { signal } from '@preact/signals';
import { api } from '../api';
import { clockTime, moment, now } from '../clock';
import type { LastingMode, Modes } from '../contract';
import { t, tName } from '../i18n';
import { href } from '../router';
import { areaName } from '../store';

export const modes = signal<Modes | null>(null);
const IN_SIGHT = 3;
const SOON = 12 * 3600; // seconds within which a time of day says enough

/** Ask which modes last. Where that fails, what is known stays. */
export async function askModes(): Promise<void> {
  modes.value = await api.modes();
}

export function modeName(id: string): string {
  return tName(modes.value?.modes.find((one) => one.id === id)?.name) || id;
}

export function modePlace(area: string): string {
  return area ? areaName(area) : t('modes.everywhere');
}

/** Name a mode, where it is and until when, in one line. */
export function modeWords(one: LastingMode): string {
  return t('modes.line', { mode: modeName(one.mode), where: modePlace(one.area), until: one.until - now.value > SOON ? moment(one.until) : clockTime(one.until) });
}

export function ModeBanner() {
  const lasting = modes.value?.items ?? [];
  if (!lasting.length) return null;
  return (
    <div class="mode-banner" role="status" data-test="modes">
      <b>{t('modes.banner')}</b>{' '}
      <a href={href('modes')}>
        {lasting.slice(0, IN_SIGHT).map(modeWords).join(t('list.comma'))}
        {lasting.length > IN_SIGHT && ` ${t('modes.more', { n: lasting.length - IN_SIGHT })}`}
      </a>{' '}
      <span>{t('modes.advice')}</span>
    </div>
  );
}
