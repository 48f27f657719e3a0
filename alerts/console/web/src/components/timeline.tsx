/** What happened with an incident, newest first, and the place to add a word. */
import { useState } from 'preact/hooks';
import { api } from '../api';
import { duration } from '../clock';
import type { IncidentDetail } from '../contract';
import { t, tCode, tName } from '../i18n';
import { href } from '../router';
import { cameraName, mayComment, unitName } from '../store';
import { Action } from './action';
import { LevelMark } from './level';
import { actorName, Moment } from './marks';

interface Entry {
  key: string;
  time: number;
  order: number;
  what: string;
  who: string;
  text: string;
  level?: IncidentDetail['level'];
  other?: string; // the incident that it was merged into, split into, or split from
}

export function Timeline({ incident }: { incident: IncidentDetail }) {
  const [text, setText] = useState('');
  const entries = gather(incident);
  return (
    <section class="timeline" aria-label={t('history')}>
      <h3>{t('history')}</h3>
      {mayComment.value && incident.state !== 'closed' && (
        <form class="comment" onSubmit={(event) => event.preventDefault()}>
          <label class="only-read" for="comment">{t('comment')}</label>
          <input id="comment" value={text} maxLength={2000} placeholder={t('comment.hint')} onInput={(event) => setText(event.currentTarget.value)} />
          <Action disabled={!text.trim()} run={() => api.comment(incident.id, text.trim())} after={() => setText('')}>
            {t('comment.add')}
          </Action>
        </form>
      )}
      <ol>
        {entries.map((entry) => (
          <li key={entry.key}>
            <Moment time={entry.time} />
            <span class="entry">
              <b>{entry.what}</b>
              {entry.level && <LevelMark level={entry.level} size={13} />}
              {entry.who && <span class="quiet">{entry.who}</span>}
              {entry.text && <span class="said">{entry.text}</span>}
              {entry.other && <a href={href('incidents', entry.other)}>{t('regroup.other')}</a>}
            </span>
          </li>
        ))}
      </ol>
      <p class="quiet">{t('history.since', { time: duration(incident.time - incident.opened) })}</p>
    </section>
  );
}

function gather(incident: IncidentDetail): Entry[] {
  const entries: Entry[] = incident.history.map((change) => ({
    key: change.id,
    time: change.time,
    order: change.sequence,
    what: tCode('incident.edge', change.edge),
    who: actorName(change.actor),
    text: said(incident, change),
    ...(['opened', 'level'].includes(change.edge) ? { level: change.level } : {}),
    ...other(change.args?.['into'] ?? change.args?.['from']),
  }));
  for (const dispatch of incident.dispatch_details)
    for (const change of dispatch.history ?? [])
      entries.push({
        key: change.id,
        time: change.time,
        order: 1000 + change.sequence,
        what: `${unitName(change.unit)} · ${tCode('dispatch.edge', change.edge)}`,
        who: change.actor === `unit:${change.unit}` ? '' : actorName(change.actor), // it is named already
        text: tCode('reason', change.reason ?? ''),
      });
  return entries.sort((a, b) => b.time - a.time || b.order - a.order);
}

function said(incident: IncidentDetail, change: IncidentDetail['history'][number]): string {
  if (change.edge === 'snapshot') return cameraName(String(change.args?.['camera'] ?? ''));
  if (change.edge === 'planned') return tName(incident.plan?.name);
  const rest = closing(change.disposition, change.reason);
  if (change.edge !== 'ticked' && change.edge !== 'unticked') return rest;
  const step = incident.plan?.steps.find((one) => one.id === change.args?.['step']);
  return [step ? tName(step.text) : String(change.args?.['step'] ?? ''), rest].filter(Boolean).join(' · ');
}

function other(id: unknown): { other?: string } {
  return typeof id === 'string' ? { other: id } : {};
}

function closing(disposition: string | undefined, reason: string | undefined): string {
  return [disposition && tCode('disposition', disposition), reason && tCode('reason', reason)].filter(Boolean).join(' · ');
}
