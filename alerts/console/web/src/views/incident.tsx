/** One incident: where, why, what would clear it, the evidence, what was done; plan and dispatch beside it. */
import { useState } from 'preact/hooks';
import { api } from '../api';
import { RANK, type Alarm, type Incident, type IncidentDetail } from '../contract';
import { t, tCode, tName } from '../i18n';
import { Action } from '../components/action';
import { AssignDialog } from '../components/assign_dialog';
import { Attachments } from '../components/attachments';
import { Left, Marks } from '../components/aside';
import { CloseDialog } from '../components/close_dialog';
import { DispatchPanel } from '../components/dispatch_panel';
import { Evidence } from '../components/evidence';
import { LevelMark } from '../components/level';
import { Failed, useLoad, Waiting } from '../components/load';
import { actorName, Age, AlarmStateChip, IncidentStateChip, Moment, Simulation } from '../components/marks';
import { Plan } from '../components/plan';
import { mergeable, MergeDialog, SplitDialog, splittable } from '../components/regroup_dialog';
import { ShelveDialog } from '../components/shelve_dialog';
import { Timeline } from '../components/timeline';
import { Why } from '../components/why';
import { seen } from '../live/changes';
import { href } from '../router';
import { alarms as liveAlarms, directory, incidents, mayOperate, placePath, scopeName, stamp, waits } from '../store';

export function IncidentView({ id }: { id: string }) {
  const { data, error, again } = useLoad(() => api.incident(id), id, stamp(id));
  if (!data) return error ? <Failed error={error} again={again} /> : <Waiting />;
  return (
    <>
      {error && <Failed error={error} again={again} />}
      <Shown key={id} incident={merged(data)} />
    </>
  );
}

/** The detail as read, with what the stream has told since laid over it. */
function merged(detail: IncidentDetail): IncidentDetail {
  const live = incidents.value.get(detail.id);
  const details = detail.alarm_details.map((alarm): Alarm => {
    const now = liveAlarms.value.get(alarm.id);
    return now && (now.sequence ?? 0) > (alarm.sequence ?? 0)
      ? { ...alarm, ...now, explanation: now.explanation ?? alarm.explanation ?? null, rule_title: now.rule_title ?? alarm.rule_title ?? null }
      : alarm;
  });
  const newer: Partial<Incident> = live && live.sequence > detail.sequence ? live : {};
  return { ...detail, ...newer, alarm_details: details };
}

type Doing = 'assign' | 'close' | 'shelve' | 'merge' | 'split';

function Shown({ incident }: { incident: IncidentDetail }) {
  const [focus, setFocus] = useState('');
  const [doing, setDoing] = useState<Doing | ''>('');
  const end = () => setDoing('');
  const alarms = [...incident.alarm_details].sort(
    (a, b) => Number(b.id === incident.cause) - Number(a.id === incident.cause) || (RANK[b.level] ?? 0) - (RANK[a.level] ?? 0) || a.onset - b.onset,
  );
  const cause = alarms[0];
  const alarm = alarms.find((one) => one.id === focus) ?? cause;
  const begin = (what: typeof doing) => {
    if (alarm) setFocus(alarm.id); // another cause meanwhile must not come under the dialog
    setDoing(what);
  };
  return (
    <div class="incident-columns">
      <article class="incident" aria-labelledby="incident-title" data-test="incident">
        <Head incident={incident} cause={cause} shown={alarm} onDo={begin} />
        {alarm && <Why alarm={alarm} titled={alarm.id !== incident.cause} />}
        <Evidence alarms={alarms} snapshots={incident.snapshots} area={incident.area} />
        <Alarms alarms={alarms} cause={incident.cause} shown={alarm?.id ?? ''} onShow={setFocus} />
        <Attachments files={incident.attachments ?? []} alarm={alarm && alarm.state !== 'NORM' ? alarm.id : ''} />
        <Timeline incident={incident} />
      </article>
      <aside class="side" aria-label={t('side')}>
        <DispatchPanel incident={incident} />
        <Plan incident={incident} alarm={cause} />
      </aside>
      {doing === 'assign' && alarm && <AssignDialog alarm={alarm} onClose={end} />}
      {doing === 'close' && <CloseDialog incident={incident} onClose={end} />}
      {doing === 'shelve' && alarm && <ShelveDialog alarm={alarm} onClose={end} />}
      {doing === 'merge' && <MergeDialog incident={incident} onClose={end} />}
      {doing === 'split' && <SplitDialog incident={incident} onClose={end} />}
    </div>
  );
}

interface HeadProps {
  incident: IncidentDetail;
  cause: Alarm | undefined;
  shown: Alarm | undefined;
  onDo: (what: Doing) => void;
}

function Head({ incident, cause, shown, onDo }: HeadProps) {
  const area = directory.value?.areas.get(incident.area);
  const type = area && directory.value?.types.get(area.type);
  const waiting = waits(incident);
  const active = !!shown && shown.state !== 'NORM';
  return (
    <header class={`incident-head level-${incident.level}${waiting ? ' waits' : ''}`}>
      <div class="head-line">
        <LevelMark level={incident.level} size={30} long />
        <IncidentStateChip state={incident.state} />
        {incident.kind !== 'risk' && <span class="chip">{tCode('kind', incident.kind)}</span>}
        {incident.sort && <span class="chip">{tCode('sort', incident.sort)}</span>}
        {incident.simulated && <Simulation exercise={!!incident.exercise} />}
      </div>
      <h1 id="incident-title">{tName(cause?.rule_title) || tName(incident.title)}</h1>
      <p class="where">
        <b>{tName(area?.name) || incident.area}</b>
        <span class="quiet">
          {[...placePath(area).map(tName), tName(type?.name)].filter(Boolean).join(' › ')}
        </span>
        {area?.location && (
          <a href={`geo:${area.location[0]},${area.location[1]}`} class="digits">
            {area.location.map((degrees) => degrees.toFixed(4)).join(', ')}
          </a>
        )}
        {area && <a href={href('map', area.id)}>{t('map.look')}</a>}
        <button type="button" class="plain" onClick={() => print()}>
          {t('print')}
        </button>
      </p>
      <dl class="facts">
        <div>
          <dt>{t('fact.opened')}</dt>
          <dd>
            <Moment time={incident.opened} /> <span class="quiet"><Age time={incident.opened} ago /></span>
          </dd>
        </div>
        <div>
          <dt>{t('fact.who')}</dt>
          <dd>{incident.acknowledged_by ? actorName(incident.acknowledged_by) : t('fact.nobody')}</dd>
        </div>
        {shown?.assignee && (
          <div>
            <dt>{t('fact.assignee')}</dt>
            <dd>{actorName(shown.assignee)}</dd>
          </div>
        )}
        <div>
          <dt>{t('fact.alarms')}</dt>
          <dd>{incident.alarms.length}</dd>
        </div>
        {incident.odds != null && incident.state !== 'closed' && (
          <div>
            <dt>{t('odds')}</dt>
            <dd title={t('odds.help')}>{t('odds.real', { n: Math.round(100 * incident.odds) })}</dd>
          </div>
        )}
        {incident.subject && (
          <div>
            <dt>{t('fact.subject')}</dt>
            <dd class="code">{incident.subject.slice(0, 12)}</dd>
          </div>
        )}
        {incident.disposition && (
          <div>
            <dt>{t('fact.disposition')}</dt>
            <dd>{tCode('disposition', incident.disposition)}</dd>
          </div>
        )}
      </dl>
      {mayOperate.value && incident.state !== 'closed' && (
        <div class="actions">
          {waiting && (
            <Action class="primary" keys="a" run={() => api.acknowledgeIncident(incident.id, seen(incident))} done={t('acknowledge.done')}>
              {t('acknowledge')}
            </Action>
          )}
          <button type="button" onClick={focusDispatch}>
            {t('dispatch.go')} <kbd aria-hidden="true">d</kbd>
          </button>
          {active && (
            <button type="button" data-act="assign" onClick={() => onDo('assign')}>
              {t('assign.open')} <kbd aria-hidden="true">p</kbd>
            </button>
          )}
          {active && !shown.aside && (
            <button type="button" data-act="shelve" onClick={() => onDo('shelve')}>
              {t('shelve.open')} <kbd aria-hidden="true">s</kbd>
            </button>
          )}
          <button type="button" data-act="close" onClick={() => onDo('close')}>
            {t('close.open')} <kbd aria-hidden="true">x</kbd>
          </button>
          {mergeable(incident).length > 0 && (
            <button type="button" onClick={() => onDo('merge')}>
              {t('merge.open')}
            </button>
          )}
          {splittable(incident).length > 1 && (
            <button type="button" onClick={() => onDo('split')}>
              {t('split.open')}
            </button>
          )}
        </div>
      )}
    </header>
  );
}

/** Put the focus on the choice of whom to send. */
export function focusDispatch(): void {
  const folded = document.getElementById('dispatch-more');
  if (folded instanceof HTMLDetailsElement) folded.open = true;
  const form = document.getElementById('dispatch-form');
  const field = form?.querySelector<HTMLElement>('input:checked, input, select');
  form?.scrollIntoView({ block: 'nearest' });
  field?.focus();
}

interface AlarmsProps {
  alarms: readonly Alarm[];
  cause: string;
  shown: string;
  onShow: (id: string) => void;
}

function Alarms({ alarms, cause, shown, onShow }: AlarmsProps) {
  return (
    <section class="incident-alarms" aria-label={t('alarms.of')}>
      <h3>{t('alarms.of')}</h3>
      <div class="scroll-x" tabIndex={0} role="group" aria-label={t('alarms.of')}>
        <table>
          <thead>
            <tr>
              <th scope="col">{t('column.level')}</th>
              <th scope="col">{t('column.rule')}</th>
              <th scope="col">{t('column.scope')}</th>
              <th scope="col">{t('column.state')}</th>
              <th scope="col">{t('column.onset')}</th>
              <th scope="col"><span class="only-read">{t('column.actions')}</span></th>
            </tr>
          </thead>
          <tbody>
            {alarms.map((alarm) => (
              <tr key={alarm.id} class={alarm.id === shown ? 'shown' : ''}>
                <td>
                  <LevelMark level={alarm.level} size={15} />
                </td>
                <td>
                  <a href={href('alarms', alarm.id)}>{tName(alarm.rule_title) || alarm.rule}</a>{' '}
                  {alarm.id === cause && <span class="chip small">{t('alarm.cause')}</span>}
                </td>
                <td>{scopeName(alarm)}</td>
                <td>
                  <AlarmStateChip state={alarm.state} /> <Marks alarm={alarm} /> {alarm.aside && <Left aside={alarm.aside} />}
                </td>
                <td class="digits">
                  <Moment time={alarm.onset} />
                </td>
                <td>
                  {alarms.length > 1 && (
                    <button type="button" class="plain" aria-pressed={alarm.id === shown} onClick={() => onShow(alarm.id)}>
                      {t('why.show')}
                    </button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
