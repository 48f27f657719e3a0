/** Rules that run in the shadow: they raise nothing and are compared with those in force, alarm by alarm. */
import { useState } from 'preact/hooks';
import { api } from '../api';
import { duration, moment, now } from '../clock';
import type { How, ShadowStatus } from '../contract';
import { t, tCode } from '../i18n';
import { route } from '../router';
import { areaName, mayPromote } from '../store';
import { Action } from './action';
import { Words } from './form';
import { Failed, useLoad, Waiting } from './load';
import { actorName } from './marks';
import { askForRise, tell } from './notices';
import { BackToDraft } from './rule_back';
import { ByRule, Counts } from './rules_counts';

export function ShadowRules() {
  const { data, error, again } = useLoad(async () => ({ shadow: await api.shadow() }), 'shadow', Math.floor(now.value / 10));
  if (!data) return error ? <Failed error={error} again={again} /> : <Waiting />;
  const { shadow } = data;
  const running = shadow?.state === 'running';
  return (
    <>
      <p class="quiet">{t('shadow.help')}</p>
      <BackToDraft rule={route.value.query.get('rule') ?? ''} />
      {shadow ? <Status shadow={shadow} /> : <p class="empty quiet">{t('shadow.none')}</p>}
      {mayPromote.value && <Steps running={running ? shadow.id : ''} again={again} />}
      {shadow && <Compared shadow={shadow} />}
    </>
  );
}

function Status({ shadow }: { shadow: ShadowStatus }) {
  return (
    <p data-test="shadow">
      <b>{tCode('shadow.state', shadow.state)}</b>{' '}
      <span class="quiet">
        {shadow.began !== null && moment(shadow.began)}
        {shadow.ended !== null && ` – ${moment(shadow.ended)}`} · {actorName(shadow.author)} · {t('rules.count', { n: shadow.rules })}
      </span>{' '}
      <span class="said">{shadow.reason}</span>
      {shadow.fault && <span class="model-bad"> {shadow.fault}</span>}
      {shadow.ended_by && <span class="quiet"> {t('modes.ended.by', { who: actorName(shadow.ended_by) })} {shadow.ended_why}</span>}
    </p>
  );
}

function Steps({ running, again }: { running: string; again: () => void }) {
  const [reason, setReason] = useState('');
  const after = () => {
    setReason('');
    setTimeout(again, 1000); // the log has it by then
  };
  const step = (name: 'begin' | 'promote' | 'drop') => async () => {
    const done = await api.shadowStep(name, reason.trim(), running);
    tell(done.waiting ? t('shadow.waiting') : tCode('shadow.done', name));
    askForRise(done.unraised);
  };
  const why = !reason.trim();
  return (
    <form class="sheet-part" onSubmit={(event) => event.preventDefault()}>
      <Words label={t('models.reason')} value={reason} change={setReason} rows={2} longest={500} />
      <footer class="buttons">
        <Action disabled={why} run={step('begin')} after={after}>{t(running ? 'shadow.again' : 'shadow.begin')}</Action>
        {running && <Action class="primary" disabled={why} run={step('promote')} after={after}>{t('shadow.promote')}</Action>}
        {running && <Action disabled={why} run={step('drop')} after={after}>{t('shadow.drop')}</Action>}
      </footer>
    </form>
  );
}

function Compared({ shadow }: { shadow: ShadowStatus }) {
  return (
    <>
      <Counts counts={shadow.counts} same={shadow.counts.same ?? 0} />
      <ByRule rules={shadow.by_rule} />
      <ul class="plain-list">
        {shadow.verdicts.map((one) => (
          <li key={`${one.rule} ${one.scope} ${one.time}`}>
            <b>{tCode('compare', one.how)}</b> <span class="code">{one.rule}</span> {one.scope}{' '}
            <span class="quiet">{areaName(one.area)} · {moment(one.time)}</span>
            {one.seconds !== null && <span class="quiet"> {shift(one.seconds, one.how)}</span>}
          </li>
        ))}
      </ul>
    </>
  );
}

function shift(seconds: number, how: How): string {
  return how === 'earlier' || how === 'later' ? duration(Math.abs(seconds)) : '';
}
