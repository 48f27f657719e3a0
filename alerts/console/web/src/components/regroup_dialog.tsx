/** Merge incidents that are one matter, or split off alarms that are another: alarms and orders keep their history. */
import { useState } from 'preact/hooks';
import { api } from '../api';
import type { Alarm, Dispatch, Incident, IncidentDetail } from '../contract';
import { t, tName } from '../i18n';
import { areaName, directory, incidents, scopeName, subject, unitName, WORKING } from '../store';
import { Dialog } from './dialog';
import { Footer, Words } from './form';
import { LevelMark } from './level';
import { Moment } from './marks';

/** Open incidents that may be one with this one, those of its area first, then those nearby. */
export function mergeable(incident: Incident): Incident[] {
  const near = (one: Incident) =>
    Number(one.area === incident.area) * 2 +
    Number(directory.value?.areas.get(one.area)?.subdistrict === directory.value?.areas.get(incident.area)?.subdistrict);
  return [...incidents.value.values()]
    .filter(
      (one) =>
        one.id !== incident.id && one.state !== 'closed' && one.kind === incident.kind && one.simulated === incident.simulated && near(one) > 0,
    )
    .sort((a, b) => near(b) - near(a) || b.opened - a.opened);
}

/** The alarms of an incident that can go into one of their own. */
export function splittable(incident: IncidentDetail): Alarm[] {
  return incident.alarm_details.filter((alarm) => alarm.state !== 'NORM' && alarm.incident === incident.id);
}

interface Props {
  incident: IncidentDetail;
  onClose: () => void;
}

export function MergeDialog({ incident, onClose }: Props) {
  const [chosen, toggle] = useChoice();
  const [reason, setReason] = useState('');
  return (
    <Dialog title={t('merge.title')} onClose={onClose}>
      <form onSubmit={(event) => event.preventDefault()}>
        <p class="quiet">{t('merge.help')}</p>
        <fieldset>
          <legend>{t('merge.which')}</legend>
          {mergeable(incident).map((one) => (
            <label key={one.id} class="choice">
              <input type="checkbox" checked={chosen.includes(one.id)} onChange={() => toggle(one.id)} />
              <span>
                <b>
                  <LevelMark level={one.level} size={13} /> {tName(subject(one))}
                </b>
                <span class="quiet">
                  {areaName(one.area)} · <Moment time={one.opened} />
                </span>
              </span>
            </label>
          ))}
        </fieldset>
        <Words label={t('regroup.reason')} value={reason} change={setReason} rows={2} />
        <Footer
          onClose={onClose}
          disabled={!chosen.length}
          run={() => api.merge(incident.id, chosen, reason.trim())}
          word={t('merge.do')}
          done={t('merge.done')}
        />
      </form>
    </Dialog>
  );
}

export function SplitDialog({ incident, onClose }: Props) {
  const [chosen, toggle] = useChoice();
  const [orders, toggleOrder] = useChoice();
  const [reason, setReason] = useState('');
  const alarms = splittable(incident);
  const working = incident.dispatch_details.filter((one: Dispatch) => WORKING.includes(one.leg));
  return (
    <Dialog title={t('split.title')} onClose={onClose}>
      <form onSubmit={(event) => event.preventDefault()}>
        <p class="quiet">{t('split.help')}</p>
        <fieldset>
          <legend>{t('split.which')}</legend>
          {alarms.map((alarm) => (
            <label key={alarm.id} class="choice">
              <input type="checkbox" checked={chosen.includes(alarm.id)} onChange={() => toggle(alarm.id)} />
              <span>
                <b>
                  <LevelMark level={alarm.level} size={13} /> {tName(alarm.rule_title) || alarm.rule}
                </b>
                <span class="quiet">{scopeName(alarm)}</span>
              </span>
            </label>
          ))}
        </fieldset>
        {working.length > 0 && (
          <fieldset>
            <legend>{t('split.orders')}</legend>
            {working.map((one) => (
              <label key={one.id} class="choice">
                <input type="checkbox" checked={orders.includes(one.id)} onChange={() => toggleOrder(one.id)} />
                <span>{unitName(one.unit)}</span>
              </label>
            ))}
          </fieldset>
        )}
        <Words label={t('regroup.reason')} value={reason} change={setReason} rows={2} />
        <Footer
          onClose={onClose}
          disabled={!chosen.length || chosen.length >= alarms.length}
          run={() => api.split(incident.id, chosen, orders, reason.trim())}
          word={t('split.do')}
          done={t('split.done')}
        />
      </form>
    </Dialog>
  );
}

function useChoice(): [string[], (id: string) => void] {
  const [chosen, choose] = useState<string[]>([]);
  return [chosen, (id) => choose((now) => (now.includes(id) ? now.filter((one) => one !== id) : [...now, id]))];
}
