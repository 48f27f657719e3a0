/** How many alarms two sets of rules do not have in common, in one line. */
import type { How } from '../contract';
import { t, tCode } from '../i18n';

export const HOWS: readonly Exclude<How, 'same'>[] = ['gained', 'lost', 'earlier', 'later', 'level'];

export function Counts({ counts, same }: { counts: Partial<Record<How, number>>; same: number }) {
  return (
    <dl class="facts" data-test="compared">
      {HOWS.map((how) => (
        <div key={how}>
          <dt>{tCode('compare', how)}</dt>
          <dd class="digits">{counts[how] ?? 0}</dd>
        </div>
      ))}
      <div>
        <dt>{t('compare.same')}</dt>
        <dd class="digits">{same}</dd>
      </div>
    </dl>
  );
}
