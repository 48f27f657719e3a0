/** Shelve an alarm, or take it out of service: for how long, and why. What is shelved rings all the same when it gets worse. */
import { useState } from 'preact/hooks';
import { api } from '../api';
import type { Alarm } from '../contract';
import { t, tName } from '../i18n';
import { scopeName } from '../store';
import { Dialog } from './dialog';
import { Footer, Times, Words } from './form';
import { tell } from './notices';

const TIMES: readonly number[] = [900, 3600, 14400, 28800]; // seconds
const REPAIRS: readonly number[] = [28800, 86400, 604800, 1209600]; // seconds

export function ShelveDialog({ alarm, onClose, out = false }: { alarm: Alarm; onClose: () => void; out?: boolean }) {
  const [seconds, setSeconds] = useState(out ? 86400 : 3600);
  const [reason, setReason] = useState('');
  const shelve = async () => {
    if (out) {
      await api.takeOut(alarm.id, seconds, reason.trim(), alarm.sequence);
      tell(t('out.done'), () => api.bringBack(alarm.id, 'in-service'));
      return;
    }
    await api.shelve(alarm.id, seconds, reason.trim(), alarm.sequence);
    tell(t('shelve.done'), () => api.bringBack(alarm.id, 'unshelve'));
  };
  return (
    <Dialog title={t(out ? 'out.title' : 'shelve.title')} onClose={onClose}>
      <form onSubmit={(event) => event.preventDefault()}>
        <p>
          <b>{tName(alarm.rule_title) || alarm.rule}</b> <span class="quiet">{scopeName(alarm)}</span>
        </p>
        <p class="quiet">{out ? t('out.help') : t('shelve.help', { level: t(`level.${alarm.level}.long`) })}</p>
        <Times times={out ? REPAIRS : TIMES} seconds={seconds} choose={setSeconds} />
        <Words label={t('shelve.reason')} value={reason} change={setReason} required />
        <Footer onClose={onClose} disabled={!reason.trim()} run={shelve} word={t(out ? 'out' : 'shelve')} />
      </form>
    </Dialog>
  );
}
