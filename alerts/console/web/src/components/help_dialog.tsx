/** The keys of the watch page, and the switch that turns them off. */
import { t } from '../i18n';
import { keysOn, setKeys } from '../keys';
import { Dialog } from './dialog';
import { LevelMark } from './level';
import { LEVELS } from '../contract';

export function HelpDialog({ onClose }: { onClose: () => void }) {
  const keys: [string, string][] = [
    ['j / k', t('keys.move')],
    ['g', t('keys.go')],
    ['a', t('keys.acknowledge')],
    ['d', t('keys.dispatch')],
    ['c', t('keys.comment')],
    ['s', t('keys.shelve')],
    ['x', t('keys.close')],
    ['p', t('keys.assign')],
    ['m', t('keys.mute')],
    ['?', t('keys.help')],
  ];
  return (
    <Dialog title={t('help')} onClose={onClose}>
      <dl class="keys">
        {keys.map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <label class="inline">
        <input
          type="checkbox"
          checked={keysOn.value}
          onChange={(event) => setKeys(event.currentTarget.checked)}
        />
        {t('keys.on')}
      </label>
      <h3>{t('help.levels')}</h3>
      <ul class="legend">
        {LEVELS.map((level) => (
          <li key={level}>
            <LevelMark level={level} long />
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
