/** What a replay found beside alarms: dispatches, the load of each seat, warnings before a limit, by rule. */
import { duration, moment } from '../clock';
import type { ReplayResult, SideLoad } from '../contract';
import { t, tCode, tName } from '../i18n';
import { areaName, directory, pointName, seatName } from '../store';
import { LevelMark } from './level';

const SHOWN = 100;

export function Dispatches({ result }: { result: ReplayResult }) {
  if (!result.dispatches.length) return null;
  return (
    <>
      <h3>{t('replay.dispatches')}</h3>
      <ul class="plain-list" data-test="dispatch-changes">
        {result.dispatches.slice(0, SHOWN).map((one) => (
          <li key={`${one.area} ${one.unit} ${one.before?.issued} ${one.after?.issued}`}>
            <b>{one.what.map((what) => tCode('compare', what)).join(t('list.comma'))}</b>{' '}
            {one.before && <LevelMark level={one.before.level} size={13} />}
            {one.before && one.after && ' → '}
            {one.after && <LevelMark level={one.after.level} size={13} />} {tName(directory.value?.units.get(one.unit)?.name) || one.unit}{' '}
            <span class="quiet">
              {areaName(one.area)} · {moment((one.after ?? one.before)?.issued ?? 0)}
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}

/** Rings of each seat: all in all, in its fullest hour, in its worst ten minutes and when those were. */
export function Seats({ result }: { result: ReplayResult }) {
  const seats = Object.keys(result.after.seats);
  if (!seats.length) return null;
  const hour = (side: Record<string, number> | undefined) => Math.max(0, ...Object.values(side ?? {}));
  const peak = (side: SideLoad | undefined) => (side ? `${side.peak}${side.peak ? ` (${moment(side.peak_at ?? 0)})` : ''}` : '—');
  return (
    <div class="scroll-x" tabIndex={0} role="group" aria-label={t('replay.seats')}>
      <table class="model-table" data-test="seats">
        <caption>{t('replay.seats')}</caption>
        <thead>
          <tr>
            <th scope="col">{t('replay.seat')}</th>
            {[t('replay.rings'), t('replay.hour'), t('replay.peak')].flatMap((what) => [
              <th key={`${what} before`} scope="col" class="number">{what}<span class="quiet model-why">{t('replay.before')}</span></th>,
              <th key={`${what} after`} scope="col" class="number">{what}<span class="quiet model-why">{t('replay.after')}</span></th>,
            ])}
          </tr>
        </thead>
        <tbody>
          {seats.map((seat) => (
            <tr key={seat}>
              <th scope="row">{seatName(seat)}</th>
              <td class="number">{result.before.seats[seat]?.rings ?? '—'}</td>
              <td class="number">{result.after.seats[seat]?.rings ?? '—'}</td>
              <td class="number">{hour(result.before.seat_hours[seat])}</td>
              <td class="number">{hour(result.after.seat_hours[seat])}</td>
              <td class="number">{peak(result.before.seats[seat])}</td>
              <td class="number">{peak(result.after.seats[seat])}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** How long before a point crossed its limit somebody was told. */
export function Leads({ result }: { result: ReplayResult }) {
  if (!result.leads.length) return null;
  const told = (seconds: number | null) => (seconds === null ? t('replay.unwarned') : duration(seconds));
  return (
    <>
      <h3>{t('replay.leads')}</h3>
      <ul class="plain-list" data-test="leads">
        {result.leads.slice(0, SHOWN).map((one) => (
          <li key={`${one.point} ${one.time}`}>
            {pointName(one.point)} <span class="quiet">{moment(one.time)}</span> {told(one.before)} → {told(one.after)}
          </li>
        ))}
      </ul>
    </>
  );
}
