/** How well each point's scores keep their promise: all points as a plot, and a table page by page. */
import { useEffect, useState } from 'preact/hooks';
import { api, type PointQuery } from '../api';
import { quantity } from '../clock';
import { POINT_STATES, type Calibration, type PointCalibration, type PointOrder, type PointState } from '../contract';
import { t, tCode } from '../i18n';
import { ask, route } from '../router';
import { areaName, pointName } from '../store';
import { AreaOptions } from './form';
import { Failed, useLoad, Waiting } from './load';
import { RatesPlot } from './plots';

const EACH = 50; // points a page
const ORDERS: readonly PointOrder[] = ['worst', 'rate99', 'alarms', 'scored', 'point'];
const PATIENCE = 300; // ms after the last letter before the server is asked

export function PointCalibrations() {
  const asked = pointsAsked();
  const [typed, setTyped] = useState(asked.find);
  const { data, error, again } = useLoad(() => api.modelPoints(asked, EACH), JSON.stringify(asked));
  const [last, setLast] = useState<Calibration | null>(null);
  useEffect(() => {
    if (data) setLast(data);
  }, [data]);
  useEffect(() => {
    const timer = setTimeout(() => typed !== asked.find && change({ find: typed }), PATIENCE);
    return () => clearTimeout(timer);
  }, [typed]);
  const change = ({ offset = 0, ...part }: Partial<PointQuery>) => ask({ ...part, from: offset ? String(offset) : '' });
  const shown = data ?? last; // a page stays in sight until the next one is there
  return (
    <>
      <p class="quiet">{t('calibration.help')}</p>
      <div class="filters" role="search">
        <label>
          <span>{t('reports.area')}</span>
          <select value={asked.area} onChange={(event) => change({ area: event.currentTarget.value })}>
            <option value="">{t('filter.any')}</option>
            <AreaOptions />
          </select>
        </label>
        <label>
          <span>{t('calibration.state')}</span>
          <select value={asked.state} onChange={(event) => change({ state: event.currentTarget.value as PointState | '' })}>
            <option value="">{t('filter.any')}</option>
            {POINT_STATES.map((one) => (
              <option key={one} value={one}>
                {t(`calibration.state.${one}`)} {shown ? `(${quantity(shown.states[one])})` : ''}
              </option>
            ))}
          </select>
        </label>
        <label class="grow">
          <span>{t('calibration.find')}</span>
          <input type="search" value={typed} maxLength={200} onInput={(event) => setTyped(event.currentTarget.value.trim())} />
        </label>
      </div>
      {error && <Failed error={error} again={again} />}
      {!shown && !error && <Waiting />}
      {shown && (
        <>
          <Sums told={shown} />
          {shown.levels.some((one) => one.points > 0) ? <RatesPlot levels={shown.levels} /> : <p class="quiet empty">{t('calibration.none_told')}</p>}
          {shown.total === 0 ? (
            <p class="quiet empty">{t('calibration.empty')}</p>
          ) : (
            <Table shown={shown} order={asked.order} offset={asked.offset} busy={!data} change={change} />
          )}
        </>
      )}
    </>
  );
}

/** What is asked for stands in the address. */
function pointsAsked(): Required<PointQuery> {
  const { query } = route.value;
  return {
    area: query.get('area') ?? '',
    find: query.get('find') ?? '',
    state: POINT_STATES.find((one) => one === query.get('state')) ?? '',
    order: ORDERS.find((one) => one === query.get('order')) ?? 'worst',
    offset: Math.max(Math.trunc(Number(query.get('from'))) || 0, 0),
  };
}

function Sums({ told }: { told: Calibration }) {
  return (
    <dl class="model-sums" data-test="point-states">
      {POINT_STATES.map((one) => (
        <div key={one}>
          <dt>{t(`calibration.state.${one}`)}</dt>
          <dd class="digits">{quantity(told.states[one])}</dd>
        </div>
      ))}
      <div>
        <dt>{t('calibration.alarms.all')}</dt>
        <dd class="digits">{t('calibration.of', { n: quantity(told.alarms), allowed: quantity(told.allowed) })}</dd>
      </div>
    </dl>
  );
}

interface TableProps {
  shown: Calibration;
  order: PointOrder;
  offset: number;
  busy: boolean;
  change: (part: Partial<PointQuery>) => void;
}

function Table({ shown, order, offset, busy, change }: TableProps) {
  const heading = (to: PointOrder, text: string, number = true) => (
    <th scope="col" class={number ? 'number' : ''} aria-sort={order === to ? (to === 'point' ? 'ascending' : 'descending') : 'none'}>
      <button type="button" class="plain sort" aria-pressed={order === to} onClick={() => change({ order: to })}>
        {text} <span aria-hidden="true">{order === to ? (to === 'point' ? '▲' : '▼') : '↕'}</span>
      </button>
    </th>
  );
  const last = offset + shown.items.length;
  return (
    <>
      <div class="scroll-x" tabIndex={0} role="group" aria-label={t('models.tab.points')} aria-busy={busy}>
        <table class="model-table points" data-test="point-calibration">
          <thead>
            <tr>
              {heading('point', t('calibration.point'), false)}
              <th scope="col">{t('calibration.state')}</th>
              {heading('worst', t('calibration.rate', { level: '0.999' }))}
              {heading('rate99', t('calibration.rate', { level: '0.99' }))}
              {heading('alarms', t('calibration.alarms'))}
              <th scope="col" class="number">{t('calibration.budget')}</th>
              {heading('scored', t('calibration.scored'))}
              <th scope="col">{t('calibration.kind')}</th>
            </tr>
          </thead>
          <tbody>
            {shown.items.map((one) => (
              <Row key={one.point} one={one} />
            ))}
          </tbody>
        </table>
      </div>
      <div class="pager">
        <button type="button" disabled={offset === 0} onClick={() => change({ offset: Math.max(offset - EACH, 0) })}>
          {t('calibration.before')}
        </button>
        <p role="status" class="digits">
          {t('calibration.range', { from: quantity(offset + 1), to: quantity(last), total: quantity(shown.total) })}
        </p>
        <button type="button" disabled={shown.next === null} onClick={() => change({ offset: shown.next ?? offset })}>
          {t('calibration.after')}
        </button>
      </div>
    </>
  );
}

function Row({ one }: { one: PointCalibration }) {
  const known = one.state === 'known';
  return (
    <tr data-point={one.point}>
      <th scope="row">
        {pointName(one.point)}
        <span class="quiet model-why">
          {one.point} · {one.areas[0] ? areaName(one.areas[0]) : ''}
        </span>
      </th>
      <td>
        {t(`calibration.state.${one.state}`)}
        {one.learning && one.state !== 'learning' && <span class="quiet model-why">{t('calibration.learning_anew')}</span>}
      </td>
      <Rate ratio={known ? one.ratios['0.999'] : undefined} />
      <Rate ratio={known ? one.ratios['0.99'] : undefined} />
      <td class="number">{one.scored ? t('calibration.of', { n: quantity(one.alarms), allowed: quantity(one.allowed) }) : '—'}</td>
      <td class="number">
        {quantity(one.budget)}
        <span class="quiet model-why">{t(one.alarms_per_day === null ? 'calibration.budget.shipped' : 'calibration.budget.type')}</span>
      </td>
      <td class="number">{quantity(one.scored)}</td>
      <td>
        {one.kind ? tCode('point.kind', one.kind) : one.guessed ? t('calibration.guessed', { kind: tCode('point.kind', one.guessed) }) : tCode('point.kind', 'gauge')}
      </td>
    </tr>
  );
}

/** A rate over the nominal one; outside a half and twice it says so in a word, not by colour alone. */
function Rate({ ratio }: { ratio: number | undefined }) {
  if (ratio === undefined) return <td class="number">—</td>;
  const word = ratio > 2 ? 'often' : ratio < 0.5 ? 'seldom' : null;
  return (
    <td class={word === 'often' ? 'number model-bad' : 'number'}>
      {quantity(ratio)}×{word && <span class="quiet model-why">{t(`calibration.too.${word}`)}</span>}
    </td>
  );
}
