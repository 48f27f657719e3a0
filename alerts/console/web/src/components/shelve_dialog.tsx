/** Shelve an alarm: for how long, and why. It rings all the same when things get worse. */
import { useState } from 'preact/hooks';
import { api } from '../api';
import { duration } from '../clock';
import type { Alarm } from '../contract';
import { t, tName } from '../i18n';
import { scopeName } from '../store';
import { Action } from './action';
import { Dialog } from './dialog';

const TIMES: readonly number[] = [900, 3600, 14400, 28800]; // seconds

export function ShelveDialog({ alarm, onClose }: { alarm: Alarm; onClose: () => void }) {
  const [seconds, setSeconds] = useState(3600);
  const [reason, setReason] = useState('');
  return (
    <Dialog title={t('shelve.title')} onClose={onClose}>
      <form onSubmit={(event) => event.preventDefault()}>
        <p>
          <b>{tName(alarm.rule_title) || alarm.rule}</b> <span class="quiet">{scopeName(alarm)}</span>
        </p>
        <p class="quiet">{t('shelve.help', { level: t(`level.${alarm.level}.long`) })}</p>
        <fieldset class="inline">
          <legend>{t('shelve.time')}</legend>
          {TIMES.map((one) => (
            <label key={one} class="choice">
              <input type="radio" name="seconds" checked={seconds === one} onChange={() => setSeconds(one)} />
              <span>{duration(one)}</span>
            </label>
          ))}
        </fieldset>
        <label class="stacked">
          <span>{t('shelve.reason')}</span>
          <textarea rows={3} maxLength={2000} required value={reason} onInput={(event) => setReason(event.currentTarget.value)} />
        </label>
        <footer>
          <button type="button" onClick={onClose}>
            {t('cancel')}
          </button>
          <Action
            class="primary"
            disabled={!reason.trim()}
            run={() => api.shelve(alarm.id, seconds, reason.trim(), alarm.sequence)}
            done={t('shelve.done')}
            after={onClose}
          >
            {t('shelve')}
          </Action>
        </footer>
      </form>
    </Dialog>
  );
}
