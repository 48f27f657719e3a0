/** A table that scrolls sideways by itself where it is too wide, and by the keyboard; an empty head is that of actions. */
import type { ComponentChildren } from 'preact';
import { t } from '../i18n';

interface Props {
  label: string;
  head: string[];
  test?: string;
  children: ComponentChildren; // rows
}

export function Table({ label, head, test, children }: Props) {
  return (
    <div class="scroll-x" tabIndex={0} role="group" aria-label={label}>
      <table class="users" data-test={test}>
        <thead>
          <tr>
            {head.map((one, at) => (
              <th key={at} scope="col">
                {one || <span class="only-read">{t('column.actions')}</span>}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}
