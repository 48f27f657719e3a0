/** How many alarms are active outside the incidents that are shown: no list of incidents is calm because it is empty. */
import { t } from '../i18n';
import { href } from '../router';
import { confined, loaded, outside } from '../store';

export function Outside() {
  const n = outside.value.length;
  if (!n || !loaded.value) return null;
  return (
    <p class="outside" data-test="outside">
      <a href={href('alarms')}>{t(confined.value ? 'outside.confined' : 'outside', { n })}</a>
    </p>
  );
}
