/** The dispatch board: a column for each leg, in it the orders that stand there, those that are due first on top. */
import { moment } from '../clock';
import type { Dispatch, Leg } from '../contract';
import { t, tCode, tName } from '../i18n';
import { href } from '../router';
import { areaName, unitName } from '../store';
import { LevelMark } from './level';
import { Countdown, Simulation } from './marks';

const ALWAYS: readonly Leg[] = ['issued', 'accepted', 'on_scene', 'resolved'];
const LEGS: readonly Leg[] = [...ALWAYS, 'fed_back', 'follow_up'];

export function Board({ orders }: { orders: readonly Dispatch[] }) {
  const legs = LEGS.filter((leg) => ALWAYS.includes(leg) || orders.some((one) => one.leg === leg));
  return (
    <div class="board" data-test="board">
      {legs.map((leg) => (
        <Column key={leg} leg={leg} orders={orders.filter((one) => one.leg === leg).sort(byDeadline)} />
      ))}
    </div>
  );
}

function byDeadline(a: Dispatch, b: Dispatch): number {
  return (a.deadline ?? Infinity) - (b.deadline ?? Infinity) || a.issued - b.issued;
}

function Column({ leg, orders }: { leg: Leg; orders: readonly Dispatch[] }) {
  return (
    <section data-leg={leg} aria-label={tCode('leg', leg)}>
      <h2>
        {tCode('leg', leg)} <span class="quiet digits">{orders.length}</span>
      </h2>
      {!orders.length && <p class="quiet">{t('board.nobody')}</p>}
      <ol>
        {orders.map((one) => (
          <li key={one.id}>
            <a class={`order level-${one.level}`} href={href('dispatches', one.id)}>
              <span class="row">
                <LevelMark level={one.level} size={16} />
                {one.simulated && <Simulation small />}
              </span>
              <b>{unitName(one.unit)}</b>
              <span>{areaName(one.area)}</span>
              {tName(one.title) && <span class="quiet">{tName(one.title)}</span>}
              {one.deadline != null ? <Countdown deadline={one.deadline} leg={leg} /> : <span class="quiet digits">{moment(one.time)}</span>}
            </a>
          </li>
        ))}
      </ol>
    </section>
  );
}
