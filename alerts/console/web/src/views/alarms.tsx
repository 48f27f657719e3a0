/** All alarms as a list with a filter, open ones live; and one alarm's own page. */
import { useEffect, useLayoutEffect, useState } from 'preact/hooks';
import { api, ApiError } from '../api';
import { Action } from '../components/action';
import { AssignDialog } from '../components/assign_dialog';
import { AsideFacts, AsideWords, BringBack, Left, Marks, Reset } from '../components/aside';
import { Evidence } from '../components/evidence';
import { LevelMark } from '../components/level';
import { Failed, useLoad, Waiting } from '../components/load';
import { LongList } from '../components/long_list';
import { actorName, Age, AlarmStateChip, Moment, Simulation } from '../components/marks';
import { Reasons } from '../components/plan';
import { ShelveDialog } from '../components/shelve_dialog';
import { SilenceDialog, Silences } from '../components/silences';
import { Why } from '../components/why';
import { LEVELS, RANK, type Alarm, type Snapshot } from '../contract';
import { t, tCode, tName } from '../i18n';
import { onKeys } from '../keys';
import { looking } from '../live/attention';
import { seen } from '../live/changes';
import { href, useAsked } from '../router';
import { alarms as live, areaName, directory, mayOperate, scopeName, stamp } from '../store';

const STATES = ['open', 'aside', 'stale', 'UNACK', 'ACKED', 'RTNUN', 'SHLVD', 'DSUPR', 'OOSRV', 'all'] as const;
/** States that the page knows without asking. */
const LIVE: readonly string[] = ['open', 'aside', 'stale'];
const BATCH = 100;

export function AlarmsView() {
  const [asked, setState] = useAsked('state', 'open');
  const state = STATES.find((one) => one === asked) ?? 'open';
  const [level, setLevel] = useAsked('level');
  const [text, setText] = useAsked('find');
  const { items, error, more, loading } = useAlarms(state);
  const [order, setOrder] = useAsked('order', 'urgency');
  const odds = useOdds(state === 'open' ? items : []);
  const words = text.trim().toLowerCase();
  const shown = items.filter((alarm) => (!level || alarm.level === level) && (!words || searchText(alarm).includes(words)));
  if (order === 'odds' && state === 'open') shown.sort((a, b) => (odds.get(b.id) ?? -1) - (odds.get(a.id) ?? -1)); // as by urgency where equal
  return (
    <main class="page" id="main" tabIndex={-1}>
      <h1>{t('alarms')}</h1>
      <div class="filters" role="search">
        <label>
          <span>{t('filter.state')}</span>
          <select value={state} onChange={(event) => setState(event.currentTarget.value)}>
            {STATES.map((one) => (
              <option key={one} value={one}>
                {one === 'open' || one === 'aside' || one === 'stale' || one === 'all' ? t(`filter.${one}`) : tCode('alarm.state', one)}
              </option>
            ))}
          </select>
        </label>
        <label>
          <span>{t('filter.level')}</span>
          <select value={level} onChange={(event) => setLevel(event.currentTarget.value)}>
            <option value="">{t('filter.any')}</option>
            {LEVELS.map((one) => (
              <option key={one} value={one}>
                {t(`level.${one}`)}
              </option>
            ))}
          </select>
        </label>
        {state === 'open' && odds.size > 0 && (
          <label>
            <span>{t('filter.order')}</span>
            <select value={order} onChange={(event) => setOrder(event.currentTarget.value)}>
              <option value="urgency">{t('order.urgency')}</option>
              <option value="odds">{t('order.odds')}</option>
            </select>
          </label>
        )}
        <label class="grow">
          <span>{t('filter.text')}</span>
          <input type="search" value={text} placeholder={t('filter.hint')} onInput={(event) => setText(event.currentTarget.value)} />
        </label>
        <p class="quiet" role="status">
          {t('filter.count', { n: shown.length })}
        </p>
      </div>
      {error && <p class="failed" role="alert">{error.message}</p>}
      {!shown.length && !loading && !error && <p class="quiet empty">{t('alarms.empty')}</p>}
      {(state === 'open' || state === 'aside') && <Silences version={items.filter((one) => one.marks?.includes('silenced')).length} />}
      <LongList class="alarm-list" test="alarms" items={shown} row={(alarm, at) => <Row key={alarm.id} alarm={alarm} odds={odds.get(alarm.id) ?? null} at={at} of={shown.length} />} />
      {loading && <Waiting />}
      {more && !loading && (
        <button type="button" onClick={more}>
          {t('more')}
        </button>
      )}
    </main>
  );
}

/** Open alarms, and those set aside, come from the live store; other states are read page by page. */
function useAlarms(state: string): { items: Alarm[]; error: ApiError | null; more: (() => void) | null; loading: boolean } {
  const [pages, setPages] = useState<{ state: string; items: Alarm[]; next: string | number | null }>({ state: '', items: [], next: null });
  const [error, setError] = useState<ApiError | null>(null);
  const [loading, setLoading] = useState(false);
  const read = async (before: string | number | null) => {
    setLoading(true);
    try {
      const page = await api.alarms(state, before, BATCH);
      setPages((old) => ({ state, items: before === null ? page.items : [...old.items, ...page.items], next: page.next ?? null }));
      setError(null);
    } catch (reason) {
      setError(reason instanceof ApiError ? reason : new ApiError(0, 'page', String(reason)));
    } finally {
      setLoading(false);
    }
  };
  useEffect(() => {
    if (!LIVE.includes(state)) void read(null);
  }, [state]);
  if (state === 'open' || state === 'stale') {
    const open = [...live.value.values()].filter((alarm) => alarm.state !== 'NORM' && (state === 'open' || alarm.marks?.includes('stale')));
    open.sort((a, b) => urgency(b) - urgency(a) || b.time - a.time);
    return { items: open, error: null, more: null, loading: false };
  }
  if (state === 'aside') {
    const shelved = [...live.value.values()].filter((alarm) => alarm.aside);
    shelved.sort((a, b) => (a.aside?.until ?? 0) - (b.aside?.until ?? 0));
    return { items: shelved, error: null, more: null, loading: false };
  }
  const here = pages.state === state;
  const next = here ? pages.next : null;
  return {
    items: here ? pages.items.map((alarm) => live.value.get(alarm.id) ?? alarm) : [],
    error,
    more: next === null ? null : () => void read(next),
    loading,
  };
}

/** The odds of open alarms by id; those that opened since the page was loaded are asked for. */
function useOdds(items: Alarm[]): Map<string, number> {
  const [later, setLater] = useState<Map<string, number>>(new Map());
  const found = new Map<string, number>();
  for (const alarm of items) {
    const odds = alarm.odds ?? later.get(alarm.id);
    if (odds != null) found.set(alarm.id, odds);
  }
  const missing = found.size ? items.filter((alarm) => !alarm.simulated && !found.has(alarm.id)).map((alarm) => alarm.id).join() : '';
  useEffect(() => {
    if (!missing) return;
    const wait = setTimeout(() => {
      api.alarms('open', null, 500).then(
        (page) => setLater(new Map(page.items.flatMap((alarm) => (alarm.odds == null ? [] : [[alarm.id, alarm.odds] as const])))),
        () => undefined, // the list is whole without them
      );
    }, 1000);
    return () => clearTimeout(wait);
  }, [missing]);
  return found;
}

function urgency(alarm: Alarm): number {
  return (alarm.state === 'UNACK' ? 10 : alarm.state === 'RTNUN' ? 5 : 0) + (RANK[alarm.level] ?? 0);
}

function searchText(alarm: Alarm): string {
  const area = directory.value?.areas.get(alarm.area)?.name;
  const title = alarm.rule_title;
  return [alarm.id, alarm.rule, alarm.scope, alarm.area, area?.zh, area?.en, title?.zh, title?.en, scopeName(alarm)].join(' ').toLowerCase();
}

function Row({ alarm, odds, at, of }: { alarm: Alarm; odds: number | null; at: number; of: number }) {
  const waiting = alarm.state === 'UNACK' || alarm.state === 'RTNUN';
  return (
    <li class={`alarm-row level-${alarm.level}${waiting ? ' waits' : ''}`} aria-setsize={of} aria-posinset={at + 1}>
      <LevelMark level={alarm.level} size={18} />
      <a href={href('alarms', alarm.id)} class="alarm-title">
        <b>{tName(alarm.rule_title) || alarm.rule}</b>
        <span class="quiet">
          {areaName(alarm.area)} · {scopeName(alarm)}
        </span>
        {alarm.aside && <AsideWords aside={alarm.aside} />}
      </a>
      <span class="alarm-marks">
        <AlarmStateChip state={alarm.state} />
        {alarm.kind !== 'risk' && <span class="chip">{tCode('kind', alarm.kind)}</span>}
        <Marks alarm={alarm} />
        {odds !== null && <span class="chip" title={t('odds.help')}>{t('odds.real', { n: Math.round(100 * odds) })}</span>}
        {alarm.simulated && <Simulation small />}
      </span>
      <span class="digits quiet">{alarm.aside ? <Left aside={alarm.aside} /> : <Age time={alarm.onset} />}</span>
      {waiting && mayOperate.value ? (
        <Action run={() => api.acknowledgeAlarm(alarm.id, seen(alarm))} done={t('acknowledge.done')}>
          {t('acknowledge')}
        </Action>
      ) : alarm.aside ? (
        <BringBack alarm={alarm} />
      ) : (
        <span class="quiet">{actorName(alarm.acknowledged_by)}</span>
      )}
    </li>
  );
}

export function AlarmView({ id }: { id: string }) {
  const { data, error, again } = useLoad(() => api.alarm(id), id, stamp(id));
  return (
    <main class="page" id="main" tabIndex={-1}>
      <a class="back" href="#/alarms">
        ← {t('alarms')}
      </a>
      {error ? <Failed error={error} again={again} /> : !data && <Waiting />}
      {data && <One alarm={data} />}
    </main>
  );
}

/** The pictures that cameras took for the alarm's incident. */
function usePictures(incident: string | null): readonly Snapshot[] {
  const { data } = useLoad(
    () => (incident ? api.incident(incident).then((found) => found.snapshots) : Promise.resolve([])),
    incident ?? '',
    incident ? stamp(incident) : 0,
  );
  return data ?? [];
}

function One({ alarm }: { alarm: Alarm }) {
  const area = directory.value?.areas.get(alarm.area);
  const waiting = alarm.state === 'UNACK' || alarm.state === 'RTNUN';
  const [shelving, setShelving] = useState(false);
  const [taking, setTaking] = useState(false);
  const [silencing, setSilencing] = useState(false);
  const [assigning, setAssigning] = useState(false);
  const mayAssign = alarm.state !== 'NORM' && mayOperate.value;
  useLayoutEffect(() => (mayAssign ? onKeys({ p: () => setAssigning(true) }) : undefined), [mayAssign]);
  const pictures = usePictures(alarm.incident);
  useEffect(() => {
    looking.value = alarm.incident ?? '';
    return () => {
      looking.value = '';
    };
  }, [alarm.incident]);
  return (
    <article class="incident" aria-labelledby="alarm-title">
      <header class={`incident-head level-${alarm.level}${waiting ? ' waits' : ''}`}>
        <div class="head-line">
          <LevelMark level={alarm.level} size={30} long />
          <AlarmStateChip state={alarm.state} />
          <Marks alarm={alarm} />
          {alarm.simulated && <Simulation />}
        </div>
        <h1 id="alarm-title">{tName(alarm.rule_title) || alarm.rule}</h1>
        <p class="where">
          <b>{tName(area?.name) || alarm.area}</b>
          <span class="quiet">{scopeName(alarm)}</span>
        </p>
        <dl class="facts">
          <div>
            <dt>{t('column.onset')}</dt>
            <dd>
              <Moment time={alarm.onset} /> <span class="quiet"><Age time={alarm.onset} ago /></span>
            </dd>
          </div>
          <div>
            <dt>{t('fact.who')}</dt>
            <dd>{alarm.acknowledged_by ? actorName(alarm.acknowledged_by) : t('fact.nobody')}</dd>
          </div>
          <div>
            <dt>{t('column.rule')}</dt>
            <dd class="code">{alarm.rule}</dd>
          </div>
          {alarm.odds != null && (
            <div>
              <dt>{t('odds')}</dt>
              <dd title={t('odds.help')}>{t('odds.real', { n: Math.round(100 * alarm.odds) })}</dd>
            </div>
          )}
          {alarm.assignee && (
            <div>
              <dt>{t('fact.assignee')}</dt>
              <dd>{actorName(alarm.assignee)}</dd>
            </div>
          )}
        </dl>
        {alarm.aside && <AsideFacts aside={alarm.aside} />}
        <div class="actions">
          {waiting && mayOperate.value && (
            <Action class="primary" run={() => api.acknowledgeAlarm(alarm.id, seen(alarm))} done={t('acknowledge.done')}>
              {t('acknowledge')}
            </Action>
          )}
          {mayAssign && (
            <button type="button" aria-keyshortcuts="p" onClick={() => setAssigning(true)}>
              {t('assign.open')}
              <kbd aria-hidden="true">p</kbd>
            </button>
          )}
          {!alarm.aside && alarm.state !== 'NORM' && mayOperate.value && (
            <button type="button" onClick={() => setShelving(true)}>
              {t('shelve.open')}
            </button>
          )}
          {alarm.state !== 'OOSRV' && alarm.state !== 'NORM' && mayOperate.value && (
            <button type="button" onClick={() => setTaking(true)}>
              {t('out.open')}
            </button>
          )}
          {alarm.state !== 'NORM' && alarm.level !== 'red' && !alarm.marks?.includes('silenced') && mayOperate.value && (
            <button type="button" onClick={() => setSilencing(true)}>
              {t('silence.open')}
            </button>
          )}
          {alarm.aside && <BringBack alarm={alarm} />}
          <Reset alarm={alarm} />
          {alarm.incident && (
            <a class="button" href={href('incidents', alarm.incident)}>
              {t('alarm.incident')}
            </a>
          )}
        </div>
      </header>
      {assigning && <AssignDialog alarm={alarm} onClose={() => setAssigning(false)} />}
      {silencing && <SilenceDialog alarm={alarm} onClose={() => setSilencing(false)} />}
      {shelving && <ShelveDialog alarm={alarm} onClose={() => setShelving(false)} />}
      {taking && <ShelveDialog alarm={alarm} onClose={() => setTaking(false)} out />}
      <Why alarm={alarm} />
      <Evidence alarms={[alarm]} snapshots={pictures} area={alarm.area} />
      {alarm.rationale && Object.keys(alarm.rationale).length > 0 && (
        <section>
          <h3>{t('rationale')}</h3>
          <Reasons rationale={alarm.rationale} />
        </section>
      )}
      <section class="timeline">
        <h3>{t('history')}</h3>
        <ol>
          {[...(alarm.transitions ?? [])].reverse().map((change) => (
            <li key={change.id}>
              <Moment time={change.time ?? change.onset ?? 0} />
              <span class="entry">
                <b>{tCode('alarm.edge', change.edge)}</b>
                <LevelMark level={change.level} size={13} />
                <span class="code">
                  {change.before} → {change.after}
                </span>
                <span class="quiet">{actorName(change.actor)}</span>
                {change.reason && <span class="said">{tCode('reason', change.reason)}</span>}
              </span>
            </li>
          ))}
        </ol>
      </section>
    </article>
  );
}
