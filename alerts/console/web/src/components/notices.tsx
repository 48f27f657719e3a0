/** What the page tells a person: notices that fade, errors that stay until read, words for screen readers. */
import { signal } from '@preact/signals';
import { ApiError } from '../api';
import { t } from '../i18n';

interface Notice {
  id: number;
  tone: 'good' | 'bad';
  text: string;
  undo?: () => Promise<unknown>;
}

const notices = signal<readonly Notice[]>([]);
const spoken = signal('');
let last = 0;
const FADE = 4000; // milliseconds
const THINK = 10_000; // of one that offers a way back

function drop(id: number): void {
  notices.value = notices.value.filter((notice) => notice.id !== id);
}

/** Say that something was done, and offer to `undo` it where that is safe. */
export function tell(text: string, undo?: () => Promise<unknown>): void {
  const id = ++last;
  notices.value = [...notices.value.slice(-3), { id, tone: 'good', text, ...(undo ? { undo } : {}) }];
  setTimeout(() => drop(id), undo ? THINK : FADE);
}

/** Ask for the rise of each version under which a rule decides otherwise now: nobody could tell its alarms apart. */
export function askForRise(rules: readonly string[] | undefined): void {
  if (rules?.length) complain(new Error(t('versions.unraised', { n: rules.length, rules: rules.slice(0, 12).join(', ') })));
}

function takeBack({ id, undo }: Notice): void {
  drop(id);
  undo?.().then(() => tell(t('undone')), complain);
}

/** Say that something failed; it stays until dismissed. */
export function complain(error: unknown): void {
  const text = error instanceof ApiError || error instanceof Error ? error.message : String(error);
  notices.value = [...notices.value.slice(-3), { id: ++last, tone: 'bad', text }];
}

/** Have a screen reader say it. */
export function announce(text: string): void {
  spoken.value = text;
}

export function Notices() {
  return (
    <>
      <div class="notices">
        {notices.value.map((notice) => (
          <div key={notice.id} class={`notice ${notice.tone}`} role={notice.tone === 'bad' ? 'alert' : 'status'}>
            <span>{notice.text}</span>
            {notice.undo && (
              <button type="button" onClick={() => takeBack(notice)}>
                {t('undo')}
              </button>
            )}
            <button type="button" class="plain" aria-label={t('dismiss')} onClick={() => drop(notice.id)}>
              ×
            </button>
          </div>
        ))}
      </div>
      <div class="only-read" role="status" aria-live="assertive" data-test="announcer">
        {spoken.value}
      </div>
    </>
  );
}
