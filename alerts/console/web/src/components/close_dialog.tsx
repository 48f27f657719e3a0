/** Close an incident with a verdict: what it was, and why one thinks so. */
import { useRef, useState } from 'preact/hooks';
import { api } from '../api';
import { RANK, type Disposition, type IncidentDetail } from '../contract';
import { t } from '../i18n';
import { waits } from '../store';
import { Dialog } from './dialog';
import { Footer, Words } from './form';

const DISPOSITIONS: readonly Disposition[] = ['real', 'nuisance', 'test', 'duplicate'];

/** Closing acknowledges all alarms: of one that came while the verdict was written, the person is told first. */
export function CloseDialog({ incident, onClose }: { incident: IncidentDetail; onClose: () => void }) {
  const judged = useRef({ incident, waits: waits(incident) });
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
            const before = judged.current;
            judged.current = { incident, waits: waits(incident) };
            if (isWorse(before, judged.current)) throw new Error(t('close.worse'));
            if (verdict) await api.close(incident.id, verdict, reason.trim(), before.incident.sequence);
          }}
          word={t('close.do')}
          done={t('close.done')}
        />
      </form>
    </Dialog>
  );
}

interface Judged {
  incident: IncidentDetail;
  waits: boolean;
}

function isWorse(before: Judged, now: Judged): boolean {
  const rose = (RANK[now.incident.level] ?? 0) > (RANK[before.incident.level] ?? 0);
  return rose || (now.waits && !before.waits) || now.incident.alarms.some((id) => !before.incident.alarms.includes(id));
}
