/** Modes of the site: which last, to begin one, to end one, and those that are over. */
import { useState } from 'preact/hooks';
import { api } from '../api';
import { duration, moment } from '../clock';
import { Action } from '../components/action';
import { Words } from '../components/form';
import { Failed, useLoad, Waiting } from '../components/load';
import { actorName } from '../components/marks';
import { askModes, modeName, modePlace } from '../components/modes';
import type { KnownMode, LastingMode } from '../contract';
import { t, tCode, tName } from '../i18n';
import { useAsked } from '../router';
import { directory, mayPutIntoMode } from '../store';

const TIMES: readonly number[] = [1800, 3600, 7200, 14400, 28800, 86400]; // seconds

export function ModesView() {
  const [asked, setPast] = useAsked('past');
  const past = asked !== '';
  const { data, error, again } = useLoad(() => api.modes(past), `modes ${past}`);
  const changed = () => {
    again();
    askModes().catch(() => undefined); // the banner asks again
  };
  const lasting = data?.items.filter((one) => one.state === 'on') ?? [];
  const over = data?.items.filter((one) => one.state !== 'on') ?? [];
  return (
    <main class="page" id="main" tabIndex={-1}>
      <h1>{t('modes')}</h1>
      <p class="quiet">{t('modes.help')}</p>
      {!data && (error ? <Failed error={error} again={again} /> : <Waiting />)}
      {data && !lasting.length && <p class="empty">{t('modes.none')}</p>}
      {lasting.length > 0 && (
        <ul class="plain-list" data-test="lasting">
          {lasting.map((one) => (
            <li key={`${one.order} ${one.area}`} class="row">
              <Lasting one={one} />
              {mayPutIntoMode.value && <End one={one} after={changed} />}
            </li>
          ))}
        </ul>
      )}
      {data && mayPutIntoMode.value && data.modes.length > 0 && <Begin modes={data.modes} after={changed} />}
      <section>
        <label class="choice">
          <input type="checkbox" checked={past} onChange={(event) => setPast(event.currentTarget.checked ? '1' : '')} />
          <span>{t('modes.past')}</span>
        </label>
        {past && data && !over.length && <p class="quiet">{t('modes.past.none')}</p>}
        <ul class="plain-list">
          {over.map((one) => (
            <li key={`${one.order} ${one.area}`}>
              <Lasting one={one} />
            </li>
          ))}
        </ul>
      </section>
    </main>
  );
}

function Lasting({ one }: { one: LastingMode }) {
  return (
    <span>
      <b>{modeName(one.mode)}</b> {modePlace(one.area)}{' '}
      {one.state !== 'on' && <span class="chip">{tCode('modes.state', one.state)}</span>}{' '}
      <span class="quiet">
        {moment(one.since)} – {moment(one.until)} · {actorName(one.by)}
      </span>{' '}
      <span class="said">{one.reason}</span>
      {one.ended_by && (
        <span class="quiet">
          {' '}
          {t('modes.ended.by', { who: actorName(one.ended_by) })} {one.ended_why}
        </span>
      )}
    </span>
  );
}

function End({ one, after }: { one: LastingMode; after: () => void }) {
  const run = () => api.endMode(one.mode, one.area ? [one.area] : [], t('modes.ended.early'));
  return (
    <Action run={run} done={t('modes.ended')} after={after}>
      {t('modes.end')}
      <span class="only-read"> {modeName(one.mode)} {modePlace(one.area)}</span>
    </Action>
  );
}

function Begin({ modes, after }: { modes: KnownMode[]; after: () => void }) {
  const [mode, setMode] = useState(modes[0]?.id ?? '');
  const [area, setArea] = useState('');
  const [seconds, setSeconds] = useState(7200);
  const [reason, setReason] = useState('');
  const longest = modes.find((one) => one.id === mode)?.longest ?? Infinity;
  const times = TIMES.filter((one) => one <= longest);
  const chosen = times.includes(seconds) ? seconds : (times.at(-1) ?? longest);
  const areas = [...(directory.value?.areas.values() ?? [])];
  const begun = () => {
    setReason('');
    after();
  };
  return (
    <form class="sheet-part" onSubmit={(event) => event.preventDefault()} aria-labelledby="begin-mode">
      <h2 id="begin-mode">{t('modes.begin.title')}</h2>
      <div class="filters">
        <label>
          <span>{t('modes.mode')}</span>
          <select value={mode} onChange={(event) => setMode(event.currentTarget.value)}>
            {modes.map((one) => (
              <option key={one.id} value={one.id}>
                {tName(one.name) || one.id}
              </option>
            ))}
          </select>
        </label>
        <label class="grow">
          <span>{t('modes.where')}</span>
          <select value={area} onChange={(event) => setArea(event.currentTarget.value)}>
            <option value="">{t('modes.everywhere')}</option>
            {areas.map((one) => (
              <option key={one.id} value={one.id}>
                {tName(one.name) || one.id}
              </option>
            ))}
          </select>
        </label>
        <label>
          <span>{t('modes.time')}</span>
          <select value={chosen} onChange={(event) => setSeconds(Number(event.currentTarget.value))}>
            {(times.length ? times : [longest]).map((one) => (
              <option key={one} value={one}>
                {duration(one)}
              </option>
            ))}
          </select>
        </label>
      </div>
      <Words label={t('modes.reason')} value={reason} change={setReason} rows={2} longest={4000} required />
      <footer>
        <Action
          class="primary"
          disabled={!reason.trim()}
          run={() => api.beginMode(mode, area ? [area] : [], chosen, reason.trim())}
          done={t('modes.begun')}
          after={begun}
        >
          {t('modes.begin')}
        </Action>
      </footer>
    </form>
  );
}
