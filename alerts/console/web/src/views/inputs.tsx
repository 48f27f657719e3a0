/** What came in and was poor or refused: points by the quality of their data, cameras, refused messages and what a mend lets in. */
import { useState } from 'preact/hooks';
import { api, type RefusedQuery } from '../api';
import { duration, moment } from '../clock';
import { Action } from '../components/action';
import { CamerasList } from '../components/cameras_list';
import { AreaFilter } from '../components/form';
import { Failed, useLoad, Waiting } from '../components/load';
import { tell } from '../components/notices';
import { Search } from '../components/search';
import type { Refused, RefusedReplay } from '../contract';
import { t, tCode, tName } from '../i18n';
import { ask, href, route, useAsked } from '../router';
import { areaName, directory, mayPromote, pointName } from '../store';

const TABS = ['quality', 'cameras', 'quarantine'] as const;
const BATCH = 50;

export function InputsView({ tab }: { tab: string }) {
  const at = TABS.find((one) => one === tab) ?? 'quality';
  return (
    <main class="page models" id="main" tabIndex={-1}>
      <h1>{t('inputs')}</h1>
      <nav class="tabs" aria-label={t('inputs')}>
        {TABS.map((one) => (
          <a key={one} href={href('inputs', one)} aria-current={one === at ? 'page' : undefined}>
            {tCode('inputs.tab', one)}
          </a>
        ))}
      </nav>
      {at === 'quality' ? <Quality /> : at === 'cameras' ? <CamerasList /> : <Quarantine />}
    </main>
  );
}

function counts(row: Record<string, number>): string {
  return Object.entries(row).sort((a, b) => b[1] - a[1]).map(([flag, n]) => `${tCode('flag', flag)} ${n}`).join(t('list.comma'));
}

/** A clock that is wrong, in words. */
function clock(ahead: number): string {
  return t(ahead > 0 ? 'inputs.ahead' : 'inputs.behind', { time: duration(Math.abs(ahead)) });
}

function Quality() {
  const [area, setArea] = useAsked('area');
  const { data, error, again } = useLoad(() => api.quality(area), `quality ${area}`);
  const explored = (point: string) => `${href('explore')}?points=${encodeURIComponent(point)}&span=86400`;
  return (
    <>
      <p class="quiet">{t('inputs.quality.help')}</p>
      <div class="filters">
        <AreaFilter area={area} change={setArea} />
        <button type="button" onClick={again}>{t('explore.again')}</button>
      </div>
      {!data && (error ? <Failed error={error} again={again} /> : <Waiting />)}
      {data && !data.items.length && <p class="quiet empty">{t('inputs.quality.none')}</p>}
      {data && data.items.length > 0 && (
        <div class="scroll-x" tabIndex={0} role="group" aria-label={t('inputs.tab.quality')}>
          <table class="model-table" data-test="quality">
            <thead>
              <tr>
                <th scope="col">{t('inputs.point')}</th>
                <th scope="col">{t('inputs.day')}</th>
                <th scope="col">{t('inputs.clock')}</th>
                <th scope="col">{t('inputs.last_good')}</th>
                <th scope="col"><span class="only-read">{t('column.actions')}</span></th>
              </tr>
            </thead>
            <tbody>
              {data.items.map((one) => (
                <tr key={one.point}>
                  <th scope="row">
                    {pointName(one.point)}
                    <span class="quiet model-why">{one.areas.map(areaName).join(t('list.comma'))}</span>
                  </th>
                  <td>{counts(one.day) || '—'}</td>
                  <td>{one.clock === null ? '—' : clock(one.clock)}</td>
                  <td>{one.last_good === null ? t('time.never') : moment(one.last_good)}</td>
                  <td><a class="button" href={explored(one.point)}>{t('explore')}<span class="only-read"> {pointName(one.point)}</span></a></td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {data && data.cameras.length > 0 && (
        <>
          <h2>{t('inputs.cameras')}</h2>
          <ul class="plain-list">
            {data.cameras.map((one) => (
              <li key={one.camera}>{tName(directory.value?.cameras.get(one.camera)?.name) || one.camera} {clock(one.clock)}</li>
            ))}
          </ul>
        </>
      )}
    </>
  );
}

function Quarantine() {
  const { query: asked } = route.value;
  const query: RefusedQuery = { reason: asked.get('reason') ?? '', source: asked.get('source') ?? '', topic: asked.get('topic') ?? '' };
  const key = JSON.stringify(query);
  const [more, setMore] = useState<{ key: string; items: Refused[]; cursor: string | null } | null>(null);
  const told = useLoad(() => api.refusedCounts(query), `counts ${key}`);
  const { data, error, again } = useLoad(() => api.refused(query, BATCH, null), `refused ${key}`);
  const shown = more?.key === key ? more : null;
  const cursor = shown ? shown.cursor : data?.cursor;
  const next = async () => {
    const found = await api.refused(query, BATCH, cursor ?? null);
    setMore({ key, items: [...(shown?.items ?? []), ...found.items], cursor: found.cursor });
  };
  const refresh = () => {
    setMore(null);
    told.again();
    again();
  };
  return (
    <>
      <p class="quiet">{t('inputs.quarantine.help')}</p>
      <div class="filters" role="search">
        <label>
          <span>{t('inputs.reason')}</span>
          <select value={query.reason} onChange={(event) => ask({ reason: event.currentTarget.value })}>
            <option value="">{t('inputs.all')}</option>
            {Object.entries(told.data?.by_reason ?? {}).map(([reason, one]) => (
              <option key={reason} value={reason}>{reason} ({one.messages})</option>
            ))}
            {query.reason && !told.data?.by_reason[query.reason] && <option value={query.reason}>{query.reason}</option>}
          </select>
        </label>
        {(['source', 'topic'] as const).map((name) => (
          <label key={name}>
            <span>{t(`inputs.${name}`)}</span>
            <Search value={query[name]} change={(value) => ask({ [name]: value })} />
          </label>
        ))}
        <p class="quiet" role="status">{told.data && t('inputs.counted', { n: told.data.messages, readings: told.data.readings, replayed: told.data.replayed })}</p>
      </div>
      {mayPromote.value && <Again query={query} after={refresh} />}
      {!data && (error ? <Failed error={error} again={again} /> : <Waiting />)}
      {data && !data.items.length && <p class="quiet empty">{t('inputs.quarantine.none')}</p>}
      <ul class="plain-list" data-test="refused">
        {[...(data?.items ?? []), ...(shown?.items ?? [])].map((one) => (
          <li key={one.id}>
            <details>
              <summary>
                <b>{tName(one.text)}</b> <span class="code">{one.topic || one.source}</span>{' '}
                <span class="quiet">{moment(one.time)} · {t('inputs.bytes', { n: one.size })}</span>
                {one.replayed !== null && <span class="chip">{t('inputs.taken', { time: moment(one.replayed) })}</span>}
              </summary>
              <p>{one.detail}</p>
              <pre class="code" tabIndex={0}>{one.raw}</pre>
              {!one.whole && <p class="quiet">{t('inputs.cut')}</p>}
            </details>
          </li>
        ))}
      </ul>
      {cursor && (
        <p class="buttons">
          <Action run={next}>{t('inputs.more')}</Action>
        </p>
      )}
    </>
  );
}

/** Decode what is listed again with the site in force: first only to see what would come of it. */
function Again({ query, after }: { query: RefusedQuery; after: () => void }) {
  const [found, setFound] = useState<RefusedReplay | null>(null);
  const run = (dry: boolean) => async () => {
    let start = 0;
    const sum: RefusedReplay = { dry_run: dry, messages: 0, outcomes: {}, readings: 0, events: 0, refused: {}, following: null };
    for (;;) {
      const one = await api.decodeAgain(query, dry, start);
      sum.messages += one.messages;
      sum.readings += one.readings;
      sum.events += one.events;
      for (const [name, n] of Object.entries(one.outcomes)) sum.outcomes[name] = (sum.outcomes[name] ?? 0) + n;
      if (one.following === null || one.following <= start) break;
      start = one.following;
    }
    setFound(sum);
    if (!dry) {
      tell(t('inputs.again.done', { n: sum.readings }));
      after();
    }
  };
  return (
    <div class="row" data-test="again">
      <span class="buttons">
        <Action run={run(true)}>{t('inputs.again.try')}</Action>
        <Action class="primary" disabled={!found?.dry_run || !found.outcomes.accepted} run={run(false)}>{t('inputs.again')}</Action>
      </span>
      <span role="status">
        {found && `${t('inputs.again.found', { n: found.messages, readings: found.readings })} ${Object.entries(found.outcomes).map(([name, n]) => `${tCode('inputs.outcome', name)} ${n}`).join(t('list.comma'))}`}
      </span>
    </div>
  );
}
