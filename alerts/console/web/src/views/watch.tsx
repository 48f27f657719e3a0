/** The duty page: the queue of incidents on the left, the chosen one beside it. */
import { useComputed } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { api } from '../api';
import { Guard } from '../components/lazy';
import { HelpDialog } from '../components/help_dialog';
import { LevelShape } from '../components/level';
import { LongList } from '../components/long_list';
import { actorName, Age, Countdown, IncidentStateChip, Simulation } from '../components/marks';
import { askMute } from '../components/mute_dialog';
import { complain, tell } from '../components/notices';
import { Outside } from '../components/outside';
import { Waiting } from '../components/load';
import { Together } from '../components/together';
import { LEVELS, RANK, type Incident } from '../contract';
import { t, tName } from '../i18n';
import { handsRest, occupied, onKeys } from '../keys';
import { looking } from '../live/attention';
import { seen } from '../live/changes';
import { ask, go, href, route } from '../router';
import { directory, holderOf, isRisk, loaded, mayOperate, nextDue, openIncidents, outside, status, subject, unitName, waits } from '../store';
import { isWide } from '../width';
import { focusDispatch, IncidentView } from './incident';

export function Watch({ id }: { id: string }) {
  const kind = kindAsked();
  const list = useComputed(() => openIncidents.value.filter((incident) => isRisk(incident) === (kindAsked() === 'risk')));
  const [help, setHelp] = useState(false);
  const { picked, hold } = usePick(id, list.value);
  const shown = id || (isWide.value ? picked : '');
  useEffect(() => {
    looking.value = shown;
    return () => {
      looking.value = '';
    };
  }, [shown]);
  useKeys(shown, list.value, setHelp, hold);
  return (
    <main class={`watch${id ? ' has-choice' : ''}`} id="main" tabIndex={-1}>
      <Queue list={list.value} shown={shown} kind={kind} onKind={(next) => ask({ kind: next === 'risk' ? '' : next })} onHelp={() => setHelp(true)} />
      <div class="chosen" onPointerDown={hold} onKeyDown={hold} onInput={hold}>
        {id && (
          <a class="back" href={`#/${asking()}`}>
            ← {t('back')}
          </a>
        )}
        {shown ? (
          <Guard key={shown}>
            <IncidentView id={shown} />
          </Guard>
        ) : (
          isWide.value && loaded.value && <Calm />
        )}
      </div>
      {help && <HelpDialog onClose={() => setHelp(false)} />}
    </main>
  );
}

/** Which queue is asked for; it stands in the address, beside an incident as well. */
function kindAsked(): 'risk' | 'technical' {
  return route.value.query.get('kind') === 'technical' ? 'technical' : 'risk';
}

const asking = () => (kindAsked() === 'technical' ? '?kind=technical' : '');

/** Milliseconds after a hand on mouse or keys during which nothing is put in the place of what is shown. */
const AT_REST = 3_000;

/**
 * Choose for who has not chosen: the most urgent incident, and a more severe one as soon as it waits, while nobody is
 * at the desk. Once the person works on what is shown (a click or a key), or a hand has just moved, it stays, and only
 * the summons above speaks of others: what is under a finger must be what the eyes saw.
 */
function usePick(id: string, list: readonly Incident[]): { picked: string; hold: () => void } {
  const [pinned, pin] = useState('');
  const held = useRef(false);
  const [, look] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => look((turn) => turn + 1), AT_REST / 5); // a worse one is taken once the hands rest
    return () => clearInterval(timer);
  }, []);
  const first = list[0];
  const current = list.find((incident) => incident.id === pinned);
  const worse = first && current && waits(first) && (!waits(current) || rank(first) > rank(current));
  const next = !current || (worse && !held.current && !occupied() && handsRest(AT_REST)) ? (first?.id ?? '') : pinned;
  useEffect(() => {
    if (id) held.current = false; // what was chosen by hand stands in the address; coming back, choose afresh
    else if (next !== pinned) {
      held.current = false;
      pin(next);
    }
  }, [id, next, pinned]);
  const hold = () => {
    held.current = true;
  };
  return { picked: next, hold };
}

function rank(incident: Incident): number {
  return RANK[incident.level] ?? 0;
}

interface QueueProps {
  list: readonly Incident[];
  shown: string;
  kind: 'risk' | 'technical';
  onKind: (kind: 'risk' | 'technical') => void;
  onHelp: () => void;
}

function Queue({ list, shown, kind, onKind, onHelp }: QueueProps) {
  const risks = openIncidents.value.filter(isRisk).length;
  const technical = openIncidents.value.length - risks;
  const flood = kind === 'risk' && status.value?.load?.flood === true;
  return (
    <section class="queue" aria-label={t('queue')}>
      <header>
        <h2>{t('queue')}</h2>
        <button type="button" class="plain" onClick={onHelp} aria-label={t('help')} title={t('help')}>
          ?
        </button>
      </header>
      <div class="segments" role="group" aria-label={t('queue.kind')}>
        <button type="button" aria-pressed={kind === 'risk'} onClick={() => onKind('risk')}>
          {t('queue.risk')} <b>{risks}</b>
        </button>
        <button type="button" aria-pressed={kind === 'technical'} onClick={() => onKind('technical')}>
          {t('queue.technical')} <b>{technical}</b>
        </button>
      </div>
      {kind === 'risk' && <Outside />}
      {kind === 'risk' && <Together />}
      {!loaded.value && <Waiting />}
      {loaded.value && !list.length && <p class="quiet empty">{t(kind === 'risk' ? 'queue.empty' : 'queue.empty.technical')}</p>}
      <Items list={flood ? list.filter(isRed) : list} shown={shown} />
      {flood && <Folded list={list.filter((incident) => !isRed(incident))} shown={shown} />}
    </section>
  );
}

const isRed = (incident: Incident) => incident.level === 'red';

function Items({ list, shown }: { list: readonly Incident[]; shown: string }) {
  return (
    <LongList
      test="queue"
      items={list}
      chosen={shown}
      at={list.findIndex((incident) => incident.id === shown)}
      row={(incident, at) => <Item key={incident.id} incident={incident} current={incident.id === shown} at={at} of={list.length} />}
    />
  );
}

/** In a flood of alarms, all that is not red behind one line, which says how many of each level there are. */
function Folded({ list, shown }: { list: readonly Incident[]; shown: string }) {
  const [open, setOpen] = useState(false);
  const within = list.some((incident) => incident.id === shown);
  if (!list.length) return null;
  return (
    <details class="folded" open={open || within} data-test="folded">
      <summary
        onClick={(event) => {
          event.preventDefault(); // what is chosen opens it without the person's doing, which is not to be remembered
          setOpen(!open);
        }}
      >
        <span>{t('flood.folded')}</span>
        {LEVELS.filter((level) => list.some((incident) => incident.level === level)).map((level) => (
          <span key={level} class={`level-${level}`}>
            <LevelShape level={level} size={16} />
            <span class="only-read">{t(`level.${level}.long`)} </span>
            <b>{list.filter((incident) => incident.level === level).length}</b>
          </span>
        ))}
      </summary>
      <Items list={list} shown={shown} />
    </details>
  );
}

function Item({ incident, current, at, of }: { incident: Incident; current: boolean; at: number; of: number }) {
  const area = directory.value?.areas.get(incident.area);
  const due = nextDue(incident.id);
  const waiting = waits(incident);
  const holder = holderOf(incident);
  return (
    <li aria-setsize={of} aria-posinset={at + 1}>
      <a
        href={href('incidents', incident.id) + asking()}
        class={`item level-${incident.level}${waiting ? ' waits' : ''}${incident.state === 'calm' ? ' is-calm' : ''}`}
        aria-current={current ? 'true' : undefined}
        data-incident={incident.id}
      >
        <span class="item-level">
          <LevelShape level={incident.level} size={24} />
          <span>{t(`level.${incident.level}`)}</span>
        </span>
        <span class="item-body">
          <b>{tName(subject(incident))}</b>
          <span class="item-area">{tName(area?.name) || incident.area}</span>
          <span class="item-facts">
            <IncidentStateChip state={incident.state} />
            {waiting && incident.state !== 'open' && <span class="chip state-open">{t('unacknowledged')}</span>}
            {incident.simulated && <Simulation small exercise={!!incident.exercise} />}
            {holder && <span class="quiet">{actorName(holder)}</span>}
          </span>
          {due && (
            <span class="item-due">
              {unitName(due.unit)} <Countdown deadline={due.deadline} leg={due.leg} />
            </span>
          )}
        </span>
        <span class="item-age digits">
          <Age time={incident.opened} />
        </span>
      </a>
    </li>
  );
}

/** Nothing is open: say so calmly, unless an alarm outlives its incident, and say how much of the district is really seen. */
function Calm() {
  const figures = status.value;
  const level = LEVELS.find((one) => outside.value.some((alarm) => alarm.level === one));
  return (
    <div class="calm">
      {level ? (
        <LevelShape level={level} size={60} />
      ) : (
        <svg width="120" height="60" viewBox="0 0 120 60" aria-hidden="true">
          <path d="M2 34h30l4-6 6 12 6-10 4 4h66" />
        </svg>
      )}
      <h1>{t('calm')}</h1>
      <Outside />
      {figures && (
        <p>
          {t('calm.points', { live: figures.points_live, total: figures.points_total })}
          {figures.points_live < figures.points_total && (
            <b class="blind"> {t('calm.blind', { n: figures.points_total - figures.points_live })}</b>
          )}
        </p>
      )}
    </div>
  );
}

function useKeys(shown: string, list: readonly Incident[], setHelp: (open: boolean) => void, hold: () => void): void {
  useLayoutEffect(() => {
    const at = list.findIndex((incident) => incident.id === shown);
    const move = (to: number) => {
      const next = list[Math.max(0, Math.min(list.length - 1, to))];
      if (next) go(href('incidents', next.id) + asking(), true);
    };
    return onKeys({
      j: () => move(at + 1),
      k: () => move(at < 0 ? 0 : at - 1),
      a: () => acknowledge(openIncidents.peek().find((incident) => incident.id === shown), hold), // whichever queue it is in
      d: focusDispatch,
      c: () => document.getElementById('comment')?.focus(),
      m: askMute,
      p: () => press('assign'),
      s: () => press('shelve'),
      x: () => press('close'),
      '?': () => setHelp(true),
    });
  }, [shown, list]);
}

/** Do what a button of the incident does, where it is there. */
function press(what: string): void {
  document.querySelector<HTMLElement>(`.incident-head [data-act=${what}]`)?.click();
}

function acknowledge(incident: Incident | undefined, hold: () => void): void {
  if (!incident || !mayOperate.peek() || !waits(incident)) return;
  hold(); // the next press must not be for another
  api.acknowledgeIncident(incident.id, seen(incident)).then(() => tell(t('acknowledge.done')), complain);
}
