/** The handover from one turn of duty to the next: what is open, late, silenced, degraded; signed once. */
import { useState } from 'preact/hooks';
import { api, sheet } from '../api';
import { moment, now } from '../clock';
import { Action } from '../components/action';
import { askDuty } from '../components/duty';
import { LevelMark } from '../components/level';
import { Failed, useLoad, Waiting } from '../components/load';
import { actorName, Simulation } from '../components/marks';
import { modeName, modePlace } from '../components/modes';
import { covers } from '../components/silences';
import type { Handover, SheetPart } from '../contract';
import { t, tCode, tName } from '../i18n';
import { href } from '../router';
import { areaName, mayOperate, me, scopeName, seatName, unitName } from '../store';

const MINUTE = 60; // seconds

export function HandoverView() {
  const { data, error, again } = useLoad(() => api.handover(), 'handover', Math.floor(now.value / MINUTE)); // who signs has read what is kept
  return (
    <main class="page handover" id="main" tabIndex={-1}>
      <header class="row">
        <h1>{t('handover')}</h1>
        <a class="button" href={sheet('/handover/sheet.pdf')} target="_blank" rel="noopener">
          {t('plan.print')}
        </a>
      </header>
      {!data && (error ? <Failed error={error} again={again} /> : <Waiting />)}
      {data && <Shown handover={data} again={again} />}
      <Earlier />
    </main>
  );
}

function Shown({ handover, again }: { handover: Handover; again: () => void }) {
  const { turn, sheet: made, signed } = handover;
  const people = Object.entries(handover.people);
  return (
    <>
      <dl class="facts">
        <Fact name={t('handover.turn')} value={turn ? moment(turn.begin) : t('handover.nobody')} />
        <Fact name={t('handover.people')} value={people.map(([seat, who]) => `${seatName(seat)}: ${who}`).join(t('list.comma')) || '—'} />
        <Fact name={t('handover.span')} value={`${moment(made.since)} – ${moment(made.time)}`} />
        <Fact name={t('figures.load')} value={t('handover.load', { rings: made.load.rings, peak: made.load.peak, floods: made.load.floods, closed: made.closed })} />
      </dl>
      <Part title={t('handover.open')} part={made.open} row={(one) => (
        <li key={one.id}>
          <LevelMark level={one.level} size={15} /> <a href={href('incidents', one.id)}>{tName(one.title) || one.id}</a> <Simulated one={one} />{' '}
          <span class="quiet">{moment(one.opened)} · {tCode('incident.state', one.state)} · {one.acknowledged_by ? actorName(one.acknowledged_by) : t('fact.nobody')}</span>
        </li>
      )} />
      <Part title={t('handover.outside')} part={made.outside} row={(one) => (
        <li key={one.id}>
          <LevelMark level={one.level} size={15} /> <a href={href('alarms', one.id)}>{tName(one.title) || scopeName(one)}</a> <Simulated one={one} />{' '}
          <span class="quiet">{areaName(one.area)} · {scopeName(one)} · {one.onset ? moment(one.onset) : ''}</span>
        </li>
      )} />
      <Part title={t('handover.overdue')} part={made.overdue} row={(one) => (
        <li key={one.id}>
          <LevelMark level={one.level} size={15} /> <a href={href('dispatches', one.id)}>{unitName(one.unit)}</a> <Simulated one={one} />{' '}
          <span class="quiet">{areaName(one.area)} · {tCode('leg', one.leg)} · {one.deadline ? moment(one.deadline) : ''}</span>
        </li>
      )} />
      <Part title={t('handover.shelved')} part={made.shelved} row={(one) => (
        <li key={one.id}>
          <LevelMark level={one.level} size={15} /> <a href={href('alarms', one.id)}>{tName(one.rule_title) || scopeName(one)}</a> <Simulated one={one} />{' '}
          <span class="quiet">{areaName(one.area)} · {one.until ? moment(one.until) : ''} · {tCode('reason', one.reason ?? '')} · {one.by ? actorName(one.by) : ''}</span>
        </li>
      )} />
      <Part title={t('silences')} part={made.silences} row={(one) => (
        <li key={one.id}>
          {covers(one)} <Until one={one} />
        </li>
      )} />
      <Part title={t('modes')} part={made.modes} row={(one) => (
        <li key={`${one.order}${one.area}`}>
          <a href={href('modes')}>{modeName(one.mode)}</a> {modePlace(one.area)} <Until one={one} />
        </li>
      )} />
      <Part title={t('handover.degraded')} part={made.degraded} row={(one) => (
        <li key={one.id}>
          <a href={href('alarms', one.id)}>{scopeName(one)}</a> {tName(one.title)} <Simulated one={one} /> <span class="quiet">{areaName(one.area)} · {one.onset ? moment(one.onset) : ''}</span>
        </li>
      )} />
      <Part title={t('handover.comments')} part={made.comments} row={(one) => (
        <li key={`${one.incident}${one.time}`}>
          {one.text} <span class="quiet">{areaName(one.area)} · {actorName(one.actor)} · {moment(one.time)}</span>
        </li>
      )} />
      {signed ? (
        <p data-test="signed">
          ✓ {t('handover.signed', { who: actorName(signed.actor), when: moment(signed.time) })} {signed.reason}
        </p>
      ) : (
        turn && mayOperate.value && (people.some(([, who]) => who === me.value?.name) ? <Sign turn={turn.key} again={again} /> : <p class="quiet">{t('handover.help')}</p>)
      )}
    </>
  );
}

/** Mark what the simulator raised: the sheet is signed by people who were not there. */
const Simulated = ({ one }: { one: { simulated: boolean } }) => (one.simulated ? <Simulation small /> : null);

/** Until when something lasts, and why; what ends soon says so. */
function Until({ one }: { one: { until: number; soon: boolean; reason: string; by: string } }) {
  return (
    <>
      {one.soon && <b class="countdown close">{t('handover.soon')} </b>}
      <span class="quiet">
        {moment(one.until)} · {one.reason} · {actorName(one.by)}
      </span>
    </>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function Part<T>({ title, part, row }: { title: string; part: SheetPart<T>; row: (one: T) => preact.JSX.Element }) {
  return (
    <section class="sheet-part">
      <h2>
        {title} <span class="quiet digits">{part.items.length + part.more}</span>
      </h2>
      {part.items.length ? <ul class="plain-list">{part.items.map(row)}</ul> : <p class="quiet">{t('handover.none')}</p>}
      {part.more > 0 && <p class="quiet">{t('handover.more', { n: part.more })}</p>}
    </section>
  );
}

function Sign({ turn, again }: { turn: string; again: () => void }) {
  const [comment, setComment] = useState('');
  return (
    <form class="sign" onSubmit={(event) => event.preventDefault()}>
      <label class="stacked">
        <span>{t('handover.comment')}</span>
        <textarea rows={2} maxLength={2000} value={comment} onInput={(event) => setComment(event.currentTarget.value)} />
      </label>
      <Action class="primary" run={() => api.signHandover(turn, comment.trim())} done={t('handover.done')} after={() => { again(); void askDuty(); }}>
        {t('handover.sign')}
      </Action>
      <p class="quiet">{t('handover.help')}</p>
    </form>
  );
}

function Earlier() {
  const { data } = useLoad(() => api.handovers(), 'handovers');
  if (!data?.items.length) return null;
  return (
    <section class="sheet-part">
      <h2>{t('handover.earlier')}</h2>
      <ul class="plain-list">
        {data.items.slice(0, 20).map((one) => (
          <li key={one.id}>
            <a href={sheet(`/handovers/${encodeURIComponent(one.id)}/sheet.pdf`)} target="_blank" rel="noopener">
              {moment(one.begin)}
            </a>{' '}
            <span class="quiet">{t('handover.signed', { who: actorName(one.actor), when: moment(one.time) })}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
