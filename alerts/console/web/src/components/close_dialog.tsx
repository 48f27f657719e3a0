/** Close an incident with a verdict: what it was, and why one thinks so. */
import { useState } from 'preact/hooks';
import { api } from '../api';
import type { Disposition } from '../contract';
import { t } from '../i18n';
import { Dialog } from './dialog';
import { Footer, Words } from './form';

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
        <Words label={t('close.reason')} value={reason} change={setReason} />
        <Footer
          onClose={onClose}
          disabled={!verdict}
          run={async () => {
            if (verdict) await api.close(incident, verdict, reason.trim());
          }}
          word={t('close.do')}
          done={t('close.done')}
        />
      </form>
    </Dialog>
  );
}
