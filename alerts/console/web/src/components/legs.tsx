/** A dispatch's legs as steps, with the time of each that is done and the deadline of the next. */
import { clockTime } from '../clock';
import type { Dispatch, Leg } from '../contract';
import { t, tCode } from '../i18n';
import { FINISHED, needs } from '../store';
import { Countdown } from './marks';

const LEGS: readonly Leg[] = ['issued', 'accepted', 'on_scene', 'resolved', 'fed_back', 'follow_up', 'closed'];
const LOOP: readonly Leg[] = ['fed_back', 'follow_up'];

export function Legs({ dispatch }: { dispatch: Dispatch }) {
  const shown = LEGS.filter((leg) => !LOOP.includes(leg) || leg === dispatch.leg || asked(dispatch, leg));
  const at = shown.indexOf(dispatch.leg);
  const times = new Map<string, number>([['issued', dispatch.issued]]);
  for (const change of dispatch.history ?? []) times.set(change.edge, change.time);
  if (dispatch.leg !== 'refused') times.set(dispatch.leg, times.get(dispatch.leg) ?? dispatch.time);
  return (
    <div class="legs-box">
      <ol class="legs" aria-label={t('legs')}>
        {shown.map((leg, index) => {
          const done = dispatch.leg !== 'refused' ? index <= at : index === 0;
          const time = done ? times.get(leg) : undefined;
          return (
            <li key={leg} class={done ? (index === at ? 'done at' : 'done') : ''} aria-current={index === at ? 'step' : undefined}>
              <span class="dot" aria-hidden="true" />
              <span class="leg-name">{tCode('leg', leg)}</span>
              <span class="digits quiet">{time === undefined ? ' ' : clockTime(time).slice(0, 5)}</span>
            </li>
          );
        })}
      </ol>
      {dispatch.leg === 'refused' && (
        <p class="refused">
          {t('leg.refused')}
          {lastReason(dispatch) && `: ${lastReason(dispatch)}`}
        </p>
      )}
      {!FINISHED.includes(dispatch.leg) && dispatch.deadline != null && (
        <p class="due">
          <Countdown deadline={dispatch.deadline} leg={dispatch.leg} />
        </p>
      )}
    </div>
  );
}

/** Whether what closes the loop is asked for by the area's type, or was done. */
function asked(dispatch: Dispatch, leg: Leg): boolean {
  const done = (dispatch.history ?? []).some((change) => change.edge === leg);
  return done || needs(dispatch).includes(leg === 'fed_back' ? 'feed_back' : 'follow_up');
}

function lastReason(dispatch: Dispatch): string {
  const reason = dispatch.history?.filter((change) => change.reason).at(-1)?.reason ?? '';
  return tCode('reason', reason);
}
