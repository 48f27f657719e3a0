/** Whom to send, and how those already sent are getting on. */
import { useState } from 'preact/hooks';
import { api } from '../api';
import type { Dispatch, IncidentDetail, Unit } from '../contract';
import { t, tCode, tName } from '../i18n';
import { areaName, directory, dispatchesByIncident, mayOperate, unitName, WORKING } from '../store';
import { Action } from './action';
import { Legs } from './legs';
import { LevelShape } from './level';
import { Simulation } from './marks';

const SHOWN = 4; // suggestions shown before the list of all units

export function DispatchPanel({ incident }: { incident: IncidentDetail }) {
  const running = mergedDispatches(incident);
  return (
    <section class="panel dispatch" aria-label={t('dispatch')}>
      <h2>{t('dispatch')}</h2>
      {running.length === 0 && <p class="quiet">{t('dispatch.nobody')}</p>}
      <ul class="dispatches">
        {running.map((dispatch) => (
          <li key={dispatch.id} data-test="dispatch">
            <header>
              <LevelShape level={dispatch.level} size={16} />
              <a href={`#/dispatches/${encodeURIComponent(dispatch.id)}`}>
                <b>{unitName(dispatch.unit)}</b>
              </a>
              {several(incident) && <span class="quiet">{areaName(dispatch.area)}</span>}
              {dispatch.simulated && <Simulation small />}
            </header>
            {dispatch.note && <p class="note">{dispatch.note}</p>}
            <Legs dispatch={dispatch} />
          </li>
        ))}
      </ul>
      {mayOperate.value && incident.state !== 'closed' && (
        <SendBox incident={incident} sent={new Set(running.filter((one) => WORKING.includes(one.leg)).map((one) => one.unit))} />
      )}
    </section>
  );
}

/** The detail's dispatches brought up to date by what the stream has told since; newest first. */
function mergedDispatches(incident: IncidentDetail): Dispatch[] {
  const all = new Map(incident.dispatch_details.map((dispatch) => [dispatch.id, dispatch]));
  for (const live of dispatchesByIncident.value.get(incident.id) ?? []) {
    const known = all.get(live.id);
    if (!known || (live.sequence ?? 0) >= (known.sequence ?? 0)) all.set(live.id, { ...known, ...live });
  }
  return [...all.values()].sort((a, b) => b.issued - a.issued);
}

/** The form to send a unit: open while nobody is under way, folded once somebody is. */
function SendBox({ incident, sent }: { incident: IncidentDetail; sent: ReadonlySet<string> }) {
  if (!sent.size) return <Send incident={incident} sent={sent} />;
  return (
    <details class="send-box" id="dispatch-more">
      <summary>{t('dispatch.more')}</summary>
      <Send incident={incident} sent={sent} />
    </details>
  );
}

/** Tell whether an incident is of several areas: then it matters to which of them somebody goes. */
function several(incident: IncidentDetail): boolean {
  return Object.keys(incident.suggested_at ?? {}).length > 1;
}

function Send({ incident, sent }: { incident: IncidentDetail; sent: ReadonlySet<string> }) {
  const [chosen, choose] = useState('');
  const [note, setNote] = useState('');
  const [place, setPlace] = useState('');
  const units = directory.value?.units;
  const at = incident.suggested_at ?? {};
  const area = place in at ? place : Object.keys(at)[0];
  const suggested = ((area && at[area]) || incident.suggested_units || []).filter((id) => !sent.has(id)).slice(0, SHOWN);
  const unit = chosen && !sent.has(chosen) ? chosen : (suggested[0] ?? '');
  const others = [...(units?.values() ?? [])].filter((one) => !suggested.includes(one.id) && !sent.has(one.id));
  return (
    <form class="send" onSubmit={(event) => event.preventDefault()} id="dispatch-form">
      <fieldset>
        <legend>{t('dispatch.whom')}</legend>
        {several(incident) && (
          <label class="stacked">
            <span>{t('dispatch.where')}</span>
            <select
              id="dispatch-area"
              value={area}
              onChange={(event) => {
                setPlace(event.currentTarget.value);
                choose('');
              }}
            >
              {Object.keys(at).map((one) => (
                <option key={one} value={one}>
                  {areaName(one)}
                </option>
              ))}
            </select>
          </label>
        )}
        {suggested.map((id, index) => (
          <label key={id} class="choice">
            <input type="radio" name="unit" value={id} checked={unit === id} onChange={() => choose(id)} />
            <span>
              <b>{unitName(id)}</b>
              <UnitFacts unit={units?.get(id)} first={index === 0} />
            </span>
          </label>
        ))}
        <label class="stacked">
          <span>{t('dispatch.other')}</span>
          <select value={suggested.includes(unit) ? '' : unit} onChange={(event) => choose(event.currentTarget.value)}>
            <option value="">{t('dispatch.choose')}</option>
            {others.map((one) => (
              <option key={one.id} value={one.id}>
                {tName(one.name)}
              </option>
            ))}
          </select>
        </label>
      </fieldset>
      <label class="stacked">
        <span>{t('dispatch.note')}</span>
        <textarea rows={2} maxLength={1000} value={note} onInput={(event) => setNote(event.currentTarget.value)} />
      </label>
      <Action
        class="primary wide"
        disabled={!unit}
        keys="d"
        run={() => api.dispatch(incident.id, unit, note.trim(), area)}
        done={t('dispatch.done', { unit: unitName(unit) })}
        after={() => {
          setNote('');
          choose('');
        }}
      >
        {unit ? t('dispatch.send', { unit: unitName(unit) }) : t('dispatch.choose')}
      </Action>
    </form>
  );
}

function UnitFacts({ unit, first }: { unit: Unit | undefined; first: boolean }) {
  if (!unit) return null;
  const place = tName(directory.value?.places.get(unit.place)?.name);
  const facts = [tCode('unit.kind', unit.kind), place, unit.contact].filter(Boolean).join(' · ');
  return (
    <span class="quiet">
      {first && <span class="best">{t('dispatch.best')}</span>} {facts}
    </span>
  );
}
