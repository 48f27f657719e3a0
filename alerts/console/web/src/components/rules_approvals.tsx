/** What waits for a second person, and the versions that were in force: approve, reject, publish the folder, go back. */
import { useState } from 'preact/hooks';
import { api } from '../api';
import { moment } from '../clock';
import type { Proposal, Publication } from '../contract';
import { t } from '../i18n';
import { mayPromote } from '../store';
import { Action } from './action';
import { Words } from './form';
import { Failed, useLoad, Waiting } from './load';
import { actorName } from './marks';
import { askForRise, tell } from './notices';

const SHOWN = 30;

export function Approvals() {
  const waiting = useLoad(() => api.proposals(), 'proposals');
  const versions = useLoad(() => api.publications(), 'publications');
  const [reason, setReason] = useState('');
  const again = () => {
    setReason('');
    waiting.again();
    versions.again();
  };
  const open = (waiting.data ?? []).filter((one) => one.state === 'waiting');
  const why = reason.trim();
  const publish = (version: string) => async () => {
    const done = await api.publish(version, why);
    tell(done.waiting ? t('shadow.waiting') : t(done.changed ? 'versions.done' : 'versions.unchanged', { version: done.version }));
    askForRise(done.difference?.rules?.unraised);
  };
  return (
    <>
      {mayPromote.value && (
        <form class="sheet-part" onSubmit={(event) => event.preventDefault()}>
          <Words label={t('models.reason')} value={reason} change={setReason} rows={2} longest={500} />
          <footer>
            <Action disabled={!why} run={publish('')} after={again}>{t('versions.publish')}</Action>
          </footer>
        </form>
      )}
      <h2>{t('versions.waiting')}</h2>
      {waiting.error && <Failed error={waiting.error} again={waiting.again} />}
      {waiting.data && !open.length && <p class="quiet">{t('versions.waiting.none')}</p>}
      <ul class="plain-list" data-test="proposals">
        {open.map((one) => (
          <Waits key={one.number} one={one} why={why} after={again} />
        ))}
      </ul>
      <h2>{t('versions')}</h2>
      {!versions.data && (versions.error ? <Failed error={versions.error} again={versions.again} /> : <Waiting />)}
      <ul class="plain-list" data-test="publications">
        {versions.data?.slice(0, SHOWN).map((one) => (
          <Version key={`${one.version} ${one.time}`} one={one}>
            {mayPromote.value && !one.in_force && (
              <Action disabled={!why} run={publish(one.version)} after={again}>
                {t('versions.back')}<span class="only-read"> {one.version}</span>
              </Action>
            )}
          </Version>
        ))}
      </ul>
    </>
  );
}

function Waits({ one, why, after }: { one: Proposal; why: string; after: () => void }) {
  return (
    <li>
      <p>
        <b>{t('versions.proposal', { n: one.number })}</b> <span class="code">{one.version}</span>{' '}
        <span class="quiet">{actorName(one.author)} · {moment(one.proposed)}</span> <span class="said">{one.why}</span>
      </p>
      <Lines lines={one.difference} />
      {mayPromote.value && (
        <p class="buttons">
          <Action class="primary" run={() => api.decide(one.number, 'approve', why)} done={t('versions.approved')} after={after}>{t('versions.approve')}</Action>
          <Action disabled={!why} run={() => api.decide(one.number, 'reject', why)} done={t('versions.rejected')} after={after}>{t('versions.reject')}</Action>
        </p>
      )}
    </li>
  );
}

function Version({ one, children }: { one: Publication; children: preact.ComponentChildren }) {
  return (
    <li>
      <div class="row">
        <span>
          <span class="code">{one.version}</span> {one.in_force && <span class="chip model-on">{t('models.in_force')}</span>}{' '}
          <span class="quiet">{moment(one.time)} · {actorName(one.author)}</span> <span class="said">{one.reason}</span>
        </span>
        {children}
      </div>
      <Lines lines={one.difference} />
    </li>
  );
}

function Lines({ lines }: { lines: string[] }) {
  if (!lines.length) return null;
  return (
    <details>
      <summary>{t('versions.difference', { n: lines.length })}</summary>
      <ul>
        {lines.map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
    </details>
  );
}
