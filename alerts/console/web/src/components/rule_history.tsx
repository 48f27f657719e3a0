/** A rule's former wordings: who put each in force, when and why; looked at as a draft, or put in force again. */
import { useState } from 'preact/hooks';
import { api } from '../api';
import { moment } from '../clock';
import type { RuleVersion } from '../contract';
import { t } from '../i18n';
import { Action } from './action';
import { Words } from './form';
import { Failed, useLoad } from './load';
import { actorName } from './marks';
import { tell } from './notices';

export function RuleHistory({ id, base, after, take }: { id: string; base: string; after: () => void; take: (text: string) => void }) {
  const { data, error, again } = useLoad(() => api.ruleHistory(id), `history ${id} ${base}`);
  const [reason, setReason] = useState('');
  const why = reason.trim();
  const back = (one: RuleVersion) => async () => {
    const done = await api.publishDraft(id, one.text, base, why);
    tell(done.waiting ? t('shadow.waiting') : t('versions.done', { version: done.version }));
    setReason('');
  };
  const former = data?.some((one) => !one.in_force) ?? false;
  return (
    <section data-test="rule-history">
      <h3>{t('editor.history')}</h3>
      {error && <Failed error={error} again={again} />}
      {data && !data.length && <p class="quiet">{t('editor.history.none')}</p>}
      {former && <Words label={t('editor.back.reason')} value={reason} change={setReason} rows={1} longest={500} />}
      <ul class="plain-list">
        {data?.map((one) => (
          <li key={`${one.version} ${one.time}`}>
            <div class="row">
              <span>
                <span class="code">{one.version}</span> {one.in_force && <span class="chip model-on">{t('models.in_force')}</span>}{' '}
                <span class="quiet">{moment(one.time)} · {actorName(one.author)}</span> <span class="said">{one.reason}</span>
              </span>
              {!one.in_force && (
                <span class="buttons">
                  <button type="button" onClick={() => take(one.text)}>{t('editor.take')}<span class="only-read"> {one.version}</span></button>
                  <Action disabled={!why} run={back(one)} after={after}>{t('versions.back')}<span class="only-read"> {one.version}</span></Action>
                </span>
              )}
            </div>
            {one.fields.length > 0 && (
              <ul class="rule-fields">
                {one.fields.map(([field, old, fresh]) => (
                  <li key={field}>
                    <span class="code">{field}</span> <del>{old || '–'}</del> → <ins>{fresh || '–'}</ins>
                  </li>
                ))}
              </ul>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
