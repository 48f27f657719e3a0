/** What is silent, until when and why; and the dialog that silences what an alarm is about. */
import { useState } from 'preact/hooks';
import { api } from '../api';
import { clockTime, countdown, now } from '../clock';
import { RANK, type Alarm, type Level, type Silence } from '../contract';
import { t, tName } from '../i18n';
import { areaName, mayOperate, scopeName } from '../store';
import { Action } from './action';
import { Dialog } from './dialog';
import { Footer, Times, Words } from './form';
import { useLoad } from './load';
import { actorName } from './marks';

const TIMES: readonly number[] = [900, 3600, 14400, 86400]; // seconds
const MINUTE = 60;
type Cover = 'point' | 'rule' | 'area';

/** The silences that last, those that soon end marked. Read anew every minute, and when `version` moves. */
export function Silences({ version }: { version: number }) {
  const [ended, setEnded] = useState(0);
  const { data } = useLoad(() => api.silences(), '', ended * 1_000_003 + version * 1009 + Math.floor(now.value / MINUTE));
  if (!data?.items.length) return null;
  return (
    <section class="silences" aria-label={t('silences')} data-test="silences">
      <h2>{t('silences')}</h2>
      <ul>
        {data.items.map((one) => {
          const left = Math.max(0, one.until - now.value);
          return (
            <li key={one.id}>
              <b>{covers(one)}</b> <span class="quiet">{t('silence.up_to', { level: t(`level.${one.level}`) })}</span>{' '}
              <span class={left < 600 ? 'countdown close' : 'countdown'} title={clockTime(one.until)}>
                {left < 600 ? t('silence.soon') : t('silence.left')} <span class="digits">{countdown(left)}</span>
              </span>{' '}
              <span class="quiet">
                {one.reason} · {actorName(one.by)}
              </span>{' '}
              {mayOperate.value && (
                <Action run={() => api.endSilence(one.id)} done={t('silence.ended')} after={() => setEnded(ended + 1)}>
                  {t('silence.end')}
                </Action>
              )}
            </li>
          );
        })}
      </ul>
    </section>
  );
}

/** Name what a silence covers. */
export function covers(one: Silence): string {
  const names = one.areas.map((id) => areaName(id));
  const rules = one.rules.map((id) => tName(one.rule_titles?.[id]) || id);
  return [names, one.scopes.map((scope) => scopeName({ scope })), rules].map((some) => some.join(', ')).filter(Boolean).join(' · ');
}

/** Silence the point, the rule or the area of an alarm. Red cannot be silenced. */
export function SilenceDialog({ alarm, onClose }: { alarm: Alarm; onClose: () => void }) {
  const [cover, setCover] = useState<Cover>('point');
  const [seconds, setSeconds] = useState(3600);
  const [reason, setReason] = useState('');
  const level: Level = (RANK[alarm.level] ?? 0) >= 3 ? 'orange' : alarm.level;
  const words: Readonly<Record<Cover, string>> = {
    point: scopeName(alarm),
    rule: tName(alarm.rule_title) || alarm.rule,
    area: areaName(alarm.area),
  };
  const what = cover === 'point' ? { scopes: [alarm.scope] } : cover === 'rule' ? { rules: [alarm.rule], areas: [alarm.area] } : { areas: [alarm.area] };
  return (
    <Dialog title={t('silence.title')} onClose={onClose}>
      <form onSubmit={(event) => event.preventDefault()}>
        <p class="quiet">{t('silence.help', { level: t(`level.${level}.long`) })}</p>
        <fieldset>
          <legend>{t('silence.what')}</legend>
          {(['point', 'rule', 'area'] as const).map((one) => (
            <label key={one} class="choice">
              <input type="radio" name="cover" checked={cover === one} onChange={() => setCover(one)} />
              <span>
                <b>{t(`silence.${one}`)}</b> <span class="quiet">{words[one]}</span>
              </span>
            </label>
          ))}
        </fieldset>
        <Times times={TIMES} seconds={seconds} choose={setSeconds} />
        <Words label={t('silence.reason')} value={reason} change={setReason} required />
        <Footer onClose={onClose} disabled={!reason.trim()} run={() => api.silence({ ...what, level }, seconds, reason.trim())} word={t('silence.do')} done={t('silence.done')} />
      </form>
    </Dialog>
  );
}
