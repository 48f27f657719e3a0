/** Say who sees to an alarm: oneself, somebody on duty, or another person by the name of their account. */
import { useState } from 'preact/hooks';
import { api } from '../api';
import type { Alarm } from '../contract';
import { t, tName } from '../i18n';
import { me, scopeName } from '../store';
import { Dialog } from './dialog';
import { Footer, Words } from './form';
import { useLoad } from './load';

export function AssignDialog({ alarm, onClose }: { alarm: Alarm; onClose: () => void }) {
  const [to, setTo] = useState(me.value?.name ?? '');
  const [reason, setReason] = useState('');
  const { data } = useLoad(() => api.duty(), '');
  return (
    <Dialog title={t('assign.title')} onClose={onClose}>
      <form onSubmit={(event) => event.preventDefault()}>
        <p>
          <b>{tName(alarm.rule_title) || alarm.rule}</b> <span class="quiet">{scopeName(alarm)}</span>
        </p>
        <label class="stacked">
          <span>{t('assign.to')}</span>
          <input list="on-duty" required maxLength={128} value={to} autoComplete="off" onInput={(event) => setTo(event.currentTarget.value)} />
        </label>
        <datalist id="on-duty">
          {(data?.people ?? []).map((one) => (
            <option key={one.account} value={one.account}>
              {tName(one.name)}
            </option>
          ))}
        </datalist>
        <Words label={t('assign.reason')} value={reason} change={setReason} />
        <Footer onClose={onClose} disabled={!to.trim()} run={() => api.assign(alarm.id, to.trim(), reason.trim(), alarm.sequence)} word={t('assign')} done={t('assign.done')} />
      </form>
    </Dialog>
  );
}
