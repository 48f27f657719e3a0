/** Close an incident with a verdict: what it was, and why one thinks so. */
import { useState } from 'preact/hooks';
import { api } from '../api';
import type { Disposition } from '../contract';
import { t } from '../i18n';
import { Action } from './action';
import { Dialog } from './dialog';

const DISPOSITIONS: readonly Disposition[] = ['real', 'nuisance', 'test', 'duplicate'];

export function CloseDialog({ incident, onClose }: { incident: string; onClose: () => void }) {
  const [verdict, setVerdict] = useState<Disposition | null>(null);
  const [reason, setReason] = useState('');
  return (
    <Dialog title={t('close.title')} onClose={onClose}>
      <form onSubmit={(event) => event.preventDefault()}>
        <fieldset>
          <legend>{t('close.what')}</legend>
          {DISPOSITIONS.map((one) => (
            <label key={one} class="choice">
              <input type="radio" name="disposition" checked={verdict === one} onChange={() => setVerdict(one)} />
              <span>
                <b>{t(`disposition.${one}`)}</b>
                <span class="quiet">{t(`disposition.${one}.help`)}</span>
              </span>
            </label>
          ))}
        </fieldset>
        <label class="stacked">
          <span>{t('close.reason')}</span>
          <textarea rows={3} maxLength={2000} value={reason} onInput={(event) => setReason(event.currentTarget.value)} />
        </label>
        <footer>
          <button type="button" onClick={onClose}>
            {t('cancel')}
          </button>
          <Action
            class="primary"
            disabled={!verdict}
            run={async () => {
              if (verdict) await api.close(incident, verdict, reason.trim());
            }}
            done={t('close.done')}
            after={onClose}
          >
            {t('close.do')}
          </Action>
        </footer>
      </form>
    </Dialog>
  );
}
