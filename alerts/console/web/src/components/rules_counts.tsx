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

/** The same by rule; nothing where none differs. */
export function ByRule({ rules }: { rules: Record<string, Partial<Record<How, number>>> }) {
  const rows = Object.entries(rules);
  if (!rows.length) return null;
  return (
    <div class="scroll-x" tabIndex={0} role="group" aria-label={t('compare.by_rule')}>
      <table class="model-table" data-test="by-rule">
        <caption>{t('compare.by_rule')}</caption>
        <thead>
          <tr>
            <th scope="col">{t('column.rule')}</th>
            {HOWS.map((how) => (
              <th key={how} scope="col" class="number">{tCode('compare', how)}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(([rule, counts]) => (
            <tr key={rule}>
              <th scope="row" class="code">{rule}</th>
              {HOWS.map((how) => (
                <td key={how} class="number">{counts[how] ?? ''}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
