/** Put a model in force, or the one before it again: each with a reason that the publication and the audit keep. */
import { useState } from 'preact/hooks';
import { api } from '../api';
import { moment } from '../clock';
import type { ModelDone, Promoted } from '../contract';
import { t } from '../i18n';
import { Dialog } from './dialog';
import { Footer, Words } from './form';
import { actorName } from './marks';
import { tell } from './notices';

export type Step = { kind: 'promote' | 'rollback'; of: string; name: string; version: string; present: string };

export function PromotionDialog({ step, onClose, after }: { step: Step; onClose: () => void; after: () => void }) {
  const [reason, setReason] = useState('');
  const promoting = step.kind === 'promote';
  const run = async () => {
    const done = await (promoting
      ? api.promoteModel(step.version, reason.trim())
      : api.rollModelBack(step.of, step.present, reason.trim()));
    tell(said(done, step.name));
  };
  return (
    <Dialog title={t(promoting ? 'models.promote.title' : 'models.rollback.title', { of: step.name })} onClose={onClose}>
      <form onSubmit={(event) => event.preventDefault()}>
        <p>
          {promoting
            ? step.present
              ? t('models.promote.instead', { version: step.version, present: step.present })
              : t('models.promote.first', { version: step.version })
            : t('models.rollback.from', { present: step.present })}
        </p>
        <Words label={t('models.reason')} value={reason} change={setReason} longest={500} />
        <Footer
          onClose={onClose}
          disabled={!reason.trim()}
          run={run}
          after={after}
          word={t(promoting ? 'models.promote' : 'models.rollback')}
        />
      </form>
    </Dialog>
  );
}

function said(done: ModelDone, name: string): string {
  if (done.waiting) return t('models.done.waiting', { of: name });
  if (!done.version) return t('models.done.none', { of: name });
  return t('models.done', { of: name, version: done.version });
}

/** Who put a model in force, when and why. */
export function PromotedBy({ by }: { by: Promoted | null }) {
  if (!by) return <>—</>;
  return (
    <>
      {actorName(by.by) || t('models.unknown')}
      {by.time > 0 && <span class="quiet"> {moment(by.time)}</span>}
      {by.reason && <span class="model-why">{by.reason}</span>}
    </>
  );
}
