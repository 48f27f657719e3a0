/** Incidents of several areas that rose together: a person merges them, or says that they are different matters. */
import { useState } from 'preact/hooks';
import { api } from '../api';
import { now } from '../clock';
import { t, tName } from '../i18n';
import { href } from '../router';
import { areaName, directory, mayOperate, openIncidents } from '../store';
import { Action } from './action';
import { useLoad } from './load';
import { Simulation } from './marks';

const MINUTE = 60;

export function Together() {
  const [answered, setAnswered] = useState(0);
  const seen = openIncidents.value.map((one) => `${one.id}${one.level}`).join(); // what opens or rises may be part of one
  const { data } = useLoad(() => api.candidates(), '', answered * 1_000_003 + Math.floor(now.value / MINUTE) + sum(seen));
  if (!data?.items.length) return null;
  return (
    <section class="together" aria-label={t('together')} data-test="together">
      {data.items.map((one) => (
        <div key={one.id} role="status">
          <b>{t('together.title', { place: tName(directory.value?.places.get(one.place)?.name) || one.place })}</b>{' '}
          {one.simulated && <Simulation small />}{' '}
          {one.incidents.map((id, at) => (
            <span key={id}>
              {at > 0 && ' · '}
              <a href={href('incidents', id)}>{incidentArea(id)}</a>
            </span>
          ))}
          {mayOperate.value && (
            <span class="actions">
              <Action run={() => api.answerCandidate(one.id, 'merge')} done={t('merge.done')} after={() => setAnswered(answered + 1)}>
                {t('together.merge')}
              </Action>
              <Action run={() => api.answerCandidate(one.id, 'drop')} done={t('together.dropped')} after={() => setAnswered(answered + 1)}>
                {t('together.drop')}
              </Action>
            </span>
          )}
        </div>
      ))}
    </section>
  );
}

/** A number that changes with a text. */
function sum(text: string): number {
  let found = 0;
  for (const letter of text) found = (found * 31 + letter.charCodeAt(0)) % 1_000_003;
  return found;
}

function incidentArea(id: string): string {
  const area = openIncidents.value.find((one) => one.id === id)?.area ?? '';
  return area ? areaName(area) : id;
}
