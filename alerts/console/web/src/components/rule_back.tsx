/** The way back to a rule's draft, from where it is tried. */
import { t } from '../i18n';
import { href } from '../router';
import { mayPromote } from '../store';

export function BackToDraft({ rule }: { rule: string }) {
  if (!rule || !mayPromote.value) return null;
  return (
    <p>
      <a class="button" href={href('rules', 'edit', rule)} data-test="back-to-draft">{t('editor.back', { id: rule })}</a>
    </p>
  );
}
