/** Shelve an alarm: for how long, and why. It rings all the same when things get worse. */
import { useState } from 'preact/hooks';
import { api } from '../api';
import type { Alarm } from '../contract';
import { t, tName } from '../i18n';
import { scopeName } from '../store';
import { Dialog } from './dialog';
import { Footer, Times, Words } from './form';
import { tell } from './notices';

const TIMES: readonly number[] = [900, 3600, 14400, 28800]; // seconds

export function ShelveDialog({ alarm, onClose }: { alarm: Alarm; onClose: () => void }) {
  const [seconds, setSeconds] = useState(3600);
  const [reason, setReason] = useState('');
  const shelve = async () => {
    await api.shelve(alarm.id, seconds, reason.trim(), alarm.sequence);
    tell(t('shelve.done'), () => api.bringBack(alarm.id, 'unshelve'));
  };
  return (
    <Dialog title={t('shelve.title')} onClose={onClose}>
      <form onSubmit={(event) => event.preventDefault()}>
        <p>
          <b>{tName(alarm.rule_title) || alarm.rule}</b> <span class="quiet">{scopeName(alarm)}</span>
        </p>
        <p class="quiet">{t('shelve.help', { level: t(`level.${alarm.level}.long`) })}</p>
        <Times times={TIMES} seconds={seconds} choose={setSeconds} />
        <Words label={t('shelve.reason')} value={reason} change={setReason} required />
        <Footer onClose={onClose} disabled={!reason.trim()} run={shelve} word={t('shelve')} />
      </form>
    </Dialog>
  );
}
