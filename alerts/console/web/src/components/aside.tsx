/** What is set aside: how long still, by whom and why, what it hid; and the way back. */
import { api } from '../api';
import { clockTime, countdown, moment, now } from '../clock';
import type { Alarm, AlarmState, Aside, Mark } from '../contract';
import { t, tCode } from '../i18n';
import { has, mayOperate } from '../store';
import { Action } from './action';
import { actorName } from './marks';

const BACK: Partial<Record<AlarmState, 'unshelve' | 'in-service' | 'unsuppress'>> = {
  SHLVD: 'unshelve',
  OOSRV: 'in-service',
  DSUPR: 'unsuppress',
};

/** The button that brings an alarm back before its time, for those who may. */
export function BringBack({ alarm }: { alarm: Alarm }) {
  const way = BACK[alarm.state];
  const may = way === 'unsuppress' ? has('analyst', 'administrator') : mayOperate.value;
  if (!way || !may) return null;
  return (
    <Action run={() => api.bringBack(alarm.id, way)} done={t('aside.back.done')}>
      {tCode('aside.back', way)}
    </Action>
  );
}

/** The button that ends a latched alarm, once it is acknowledged. */
export function Reset({ alarm }: { alarm: Alarm }) {
  if (!alarm.marks?.includes('latched') || alarm.state !== 'ACKED' || !mayOperate.value) return null;
  return (
    <Action run={() => api.resetAlarm(alarm.id)} done={t('latch.done')}>
      {t('latch.reset')}
    </Action>
  );
}

/** Time left until an alarm comes back, running. */
export function Left({ aside }: { aside: Aside }) {
  const left = Math.max(0, aside.until - now.value);
  return (
    <span class={left < 600 ? 'countdown close' : 'countdown'} title={clockTime(aside.until)}>
      <span class="countdown-word">{t('aside.left')}</span> <span class="digits">{countdown(left)}</span>
    </span>
  );
}

/** Why it is silent, in a line. */
export function AsideWords({ aside }: { aside: Aside }) {
  return (
    <span class="quiet aside-words">
      {tCode('reason', aside.reason)} · {actorName(aside.by)} · {t('aside.hidden', { n: aside.hidden ?? 0 })}
    </span>
  );
}

/** All about it, on the alarm's own page. */
export function AsideFacts({ aside }: { aside: Aside }) {
  return (
    <div class="aside-facts" data-test="aside">
      <p>
        <Left aside={aside} /> <span class="quiet">{t('aside.until', { time: moment(aside.until) })}</span>
      </p>
      <p>
        {tCode('reason', aside.reason)} <span class="quiet">{actorName(aside.by)}</span>
      </p>
      <p class="quiet">{t('aside.hidden', { n: aside.hidden ?? 0 })}</p>
    </div>
  );
}

/** Chips for what is unusual about an alarm: it chatters, it is stale. */
export function Marks({ alarm }: { alarm: Alarm }) {
  const shown: readonly Mark[] = (alarm.marks ?? []).filter((mark) => mark !== 'folded');
  return (
    <>
      {shown.map((mark) => (
        <span key={mark} class="chip" title={tCode('mark.help', mark)}>
          {tCode('mark', mark)}
          {mark === 'chattering' && !!alarm.folded && <span class="digits"> ×{alarm.folded}</span>}
        </span>
      ))}
    </>
  );
}
