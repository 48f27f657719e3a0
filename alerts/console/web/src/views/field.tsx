/** The phone page of a unit: my tasks, one big button for the next step, the time left for it. */
import { useState } from 'preact/hooks';
import { api } from '../api';
import { clockTime } from '../clock';
import { Action } from '../components/action';
import { Board } from '../components/board';
import { isTicked, OfferedPlan, PlanFurther, PlanSteps } from '../components/checklist';
import { Dialog } from '../components/dialog';
import { Legs } from '../components/legs';
import { LoopActions, owed } from '../components/loop';
import { LevelMark } from '../components/level';
import { Failed, useLoad, Waiting } from '../components/load';
import { Countdown, Simulation } from '../components/marks';
import type { Dispatch, DispatchBrief, Leg } from '../contract';
import { RANK } from '../contract';
import { complain, tell } from '../components/notices';
import { t, tCode, tName } from '../i18n';
import { remembered } from '../known';
import { answer, drop, legAhead, madeAhead, orders, report, type Order } from '../outbox';
import { here } from '../position';
import { href, useAsked } from '../router';
import { isWide } from '../width';
import { PhotoInput } from './new_report';
import { directory, dispatches, FINISHED, has, loaded, mayOperate, me, placePath, stamp, unitName } from '../store';

const NEXT: Partial<Record<Leg, 'accept' | 'on-scene' | 'resolve' | 'close'>> = { issued: 'accept', accepted: 'on-scene', on_scene: 'resolve', resolved: 'close', fed_back: 'close' };

/** Until it is on scene a unit that cannot go refuses, which sends the next one; to close the order is the desk's. */
const REFUSABLE: readonly Leg[] = ['issued', 'accepted'];

export function FieldView() {
  const [unit, setUnit] = useAsked('unit');
  const own = me.value?.unit;
  const all = [...dispatches.value.values()];
  const mine = all.filter((one) => (own ? one.unit === own : !unit || one.unit === unit));
  const open = mine.filter((one) => !FINISHED.includes(legAhead(one)) || sent(one.id)).sort(byUrgency);
  const units = [...new Set(all.map((one) => one.unit))];
  const board = !own && isWide.value && open.length > 0; // who watches over all of them sees where each stands
  return (
    <main class={board ? 'field with-board' : 'field'} id="main" tabIndex={-1}>
      <h1>
        {own ? unitName(own) : t('field.all')} <span class="quiet">{t('field.tasks', { n: open.length })}</span>
      </h1>
      {!own && units.length > 1 && (
        <label class="stacked">
          <span>{t('field.unit')}</span>
          <select value={unit} onChange={(event) => setUnit(event.currentTarget.value)}>
            <option value="">{t('filter.any')}</option>
            {units.map((id) => (
              <option key={id} value={id}>
                {unitName(id)}
              </option>
            ))}
          </select>
        </label>
      )}
      {!loaded.value && <Waiting />}
      {loaded.value && !open.length && (
        <div class="no-tasks">
          <p>{t('field.none')}</p>
          <p class="quiet">{t('field.none.help')}</p>
        </div>
      )}
      {mayReport() && (
        <a class="button wide" href={href('report')}>
          {t('field.new')}
        </a>
      )}
      {!location.pathname.includes('/field') && (
        <a href="./field/" class="quiet">
          {t('field.install')}
        </a>
      )}
      <Unsent about="" />
      {board ? <Board orders={open} /> : open.map((dispatch) => <Task key={dispatch.id} dispatch={dispatch} />)}
    </main>
  );
}

/** One dispatch by its link, whether open or over. */
export function DispatchView({ id }: { id: string }) {
  const { data, error, again } = useLoad(() => remembered(id, () => api.dispatchOne(id)), id, stamp(id));
  const shown = data && newer(data, dispatches.value.get(id));
  return (
    <main class="field" id="main" tabIndex={-1}>
      <a class="back" href="#/field">
        ← {t('field.back')}
      </a>
      <h1>{shown ? unitName(shown.unit) : t('dispatch')}</h1>
      {!shown && (error ? <Failed error={error} again={again} /> : <Waiting />)}
      {shown && <Task dispatch={shown} />}
    </main>
  );
}

function newer(read: Dispatch, live: Dispatch | undefined): Dispatch {
  return live && (live.sequence ?? 0) > (read.sequence ?? 0) ? { ...read, ...live } : read;
}

function byUrgency(a: Dispatch, b: Dispatch): number {
  return (RANK[b.level] ?? 0) - (RANK[a.level] ?? 0) || (a.deadline ?? Infinity) - (b.deadline ?? Infinity);
}

/** The server takes reports from these; the rest do not see the way. */
const mayReport = () => mayOperate.value || has('field');
const sent = (id: string) => orders.value.some((order) => order.about === id);

function stepName(step: Order['step']): string {
  if (step === 'tick' || step === 'untick') return t(`plan.${step}`);
  if (step === 'refer' || step === 'call') return t(`loop.${step}`);
  return step === 'report' ? t('field.new') : tCode('step', step);
}

/** What was done here that the server does not have: waiting, or refused with the reason. */
function Unsent({ about }: { about: string }) {
  const mine = orders.value.filter((order) => order.about === about);
  if (!mine.length) return null;
  return (
    <ul class="unsent" data-test="unsent">
      {mine.map((order) => (
        <li key={order.id} class={order.error ? 'refused' : ''}>
          <b>{stepName(order.step)}</b> {order.what && `${tName(order.what)} `}<span class="digits">{clockTime(order.made)}</span>{' '}
          {order.error ? t('queue.refused', { why: order.error }) : t('queue.unsent')}
          {order.error && (
            <button type="button" class="plain" onClick={() => void drop(order.id)}>
              {t('dismiss')}
            </button>
          )}
        </li>
      ))}
    </ul>
  );
}

function Task({ dispatch: told }: { dispatch: Dispatch }) {
  const leg = legAhead(told);
  const dispatch = leg === told.leg ? told : { ...told, leg, deadline: null, time: madeAhead(told) ?? told.time };
  const [tellPlace, setTellPlace] = useState(false);
  const [photo, setPhoto] = useState('');
  const [refusing, setRefusing] = useState(false);
  const [note, setNote] = useState('');
  const at = stamp(dispatch.id) + stamp(dispatch.incident);
  const { data: whole, again } = useLoad(() => remembered(dispatch.id, () => api.dispatchOne(dispatch.id)), dispatch.id, at);
  const brief = dispatch.brief ?? briefOf(dispatch) ?? (whole && briefOf(whole)) ?? {};
  const area = directory.value?.areas.get(dispatch.area);
  const step = owed(dispatch) ? undefined : NEXT[dispatch.leg];
  const lead = dispatch.lead ? t(dispatch.lead === dispatch.unit ? 'loop.leads' : 'loop.led', { unit: unitName(dispatch.lead) }) : '';
  const mayAnswer = mayOperate.value || (has('field') && me.value?.unit === dispatch.unit);
  const reporting = dispatch.leg === 'on_scene' || dispatch.leg === 'resolved' || dispatch.leg === 'fed_back';
  return (
    <article class={`task level-${dispatch.level}`} data-test="task" data-leg={dispatch.leg}>
      <header>
        <LevelMark level={dispatch.level} size={26} long />
        {dispatch.simulated && <Simulation />}
      </header>
      <h2>{tName(area?.name) || dispatch.area}</h2>
      <p class="quiet">{placePath(area).map(tName).join(' › ')}</p>
      {brief.title && <p class="what">{tName(brief.title)}</p>}
      {brief.note && <p class="note">{brief.note}</p>}
      {area?.location && (
        <a class="button wide" href={`geo:${area.location[0]},${area.location[1]}?q=${area.location[0]},${area.location[1]}`}>
          {t('field.navigate')}
        </a>
      )}
      {dispatch.deadline != null && !FINISHED.includes(dispatch.leg) && (
        <Countdown deadline={dispatch.deadline} leg={dispatch.leg} large />
      )}
      <Legs dispatch={{ ...dispatch, history: whole?.history ?? dispatch.history ?? [], deadline: null }} />
      <Unsent about={dispatch.id} />
      {lead && <p class="quiet">{lead}</p>}
      <TaskPlan dispatch={dispatch} whole={whole} again={again} open={mayAnswer && !FINISHED.includes(dispatch.leg)} />
      {step && mayAnswer && (
        <div class="answers">
          {reporting && (
            <label class="stacked">
              <span>{t(dispatch.leg === 'on_scene' ? 'field.report' : 'field.remark')}</span>
              <textarea rows={3} maxLength={2000} value={note} onInput={(event) => setNote(event.currentTarget.value)} />
            </label>
          )}
          {reporting && <PhotoInput taken={photo !== ''} take={setPhoto} />}
          {step === 'on-scene' && 'geolocation' in navigator && (
            <label class="inline">
              <input type="checkbox" checked={tellPlace} onChange={(event) => setTellPlace(event.currentTarget.checked)} />
              <span>{t('field.position')}</span>
            </label>
          )}
          <Action
            class="primary big"
            run={() => act(dispatch, step, note.trim(), step === 'on-scene' && tellPlace, photo)}
            after={() => {
              setNote('');
              setPhoto('');
            }}
          >
            {t(`step.${step}`)}
          </Action>
          {REFUSABLE.includes(dispatch.leg) && (
            <button type="button" class="big" onClick={() => setRefusing(true)}>
              {t('step.refuse')}
            </button>
          )}
        </div>
      )}
      {mayAnswer && <LoopActions dispatch={dispatch} />}
      {refusing && <Refuse dispatch={dispatch.id} onClose={() => setRefusing(false)} />}
    </article>
  );
}

/** Take a step: with the position where the person agrees to tell it, and a photo as a report of the area. */
async function act(dispatch: Dispatch, step: 'accept' | 'on-scene' | 'resolve' | 'close', note: string, place: boolean, photo: string): Promise<void> {
  let words = note;
  if (place) {
    const found = await here();
    if (found) words = [words, t('field.position.note', found)].filter(Boolean).join(' ');
    else complain(new Error(t('field.position.none')));
  }
  await answer(dispatch.id, step, words ? { note: words } : {});
  if (photo) {
    await report({ category: 'scene', area: dispatch.area, text: words, photo });
    tell(t('field.photo.sent'));
  }
}

/** The checklist of the plan, folded until it is wanted: the next step's button comes first. */
function TaskPlan({ dispatch, whole, again, open }: { dispatch: Dispatch; whole: Dispatch | null; again: () => void; open: boolean }) {
  const [wanted, setWanted] = useState(false);
  const plan = whole?.plan;
  const there = whole?.area_plan ? <OfferedPlan plan={whole.area_plan} /> : null; // of where this unit goes
  if (!plan) return there;
  return (
    <>
      {there}
      <details class="task-plan" open={wanted} onToggle={(event) => setWanted(event.currentTarget.open)}>
        <summary>
          {t('plan')} <span class="quiet digits">{`${plan.steps.filter((one) => isTicked(dispatch.id, one)).length}/${plan.steps.length}`}</span>
        </summary>
        <PlanSteps plan={plan} on="dispatches" id={dispatch.id} open={open} after={again} />
        <PlanFurther plan={plan} />
      </details>
    </>
  );
}

/** What the order says: its title and note, else its newest event. */
function briefOf(dispatch: Dispatch): DispatchBrief | undefined {
  const told = dispatch.history?.filter((change) => change.event?.data).at(-1)?.event?.data;
  return told ?? (dispatch.title ? { title: dispatch.title, note: dispatch.note ?? '' } : undefined);
}

function Refuse({ dispatch, onClose }: { dispatch: string; onClose: () => void }) {
  const [reason, setReason] = useState('');
  const common = ['field.busy', 'field.far', 'field.wrong'] as const;
  return (
    <Dialog title={t('refuse.title')} onClose={onClose}>
      <form onSubmit={(event) => event.preventDefault()}>
        <div class="quick">
          {common.map((key) => (
            <button key={key} type="button" aria-pressed={reason === t(key)} onClick={() => setReason(t(key))}>
              {t(key)}
            </button>
          ))}
        </div>
        <label class="stacked">
          <span>{t('refuse.reason')}</span>
          <textarea rows={3} maxLength={1000} value={reason} onInput={(event) => setReason(event.currentTarget.value)} />
        </label>
        <footer>
          <button type="button" onClick={onClose}>
            {t('cancel')}
          </button>
          <Action class="primary" disabled={!reason.trim()} run={() => answer(dispatch, 'refuse', { reason: reason.trim() })} after={onClose}>
            {t('step.refuse')}
          </Action>
        </footer>
      </form>
    </Dialog>
  );
}
