/** Try changed rules on the recorded past: what would have rung, what not, how much earlier, how many at once. */
import { useEffect, useState } from 'preact/hooks';
import { api } from '../api';
import { duration, moment, now, quantity } from '../clock';
import type { Replay, ReplayFound, ReplayResult } from '../contract';
import { t, tCode } from '../i18n';
import { go, href, route, useAsked } from '../router';
import { areaName, mayPromote, status } from '../store';
import { Action } from './action';
import { LevelMark } from './level';
import { Failed, useLoad, Waiting } from './load';
import { actorName } from './marks';
import { BackToDraft } from './rule_back';
import { ByRule, Counts } from './rules_counts';
import { Dispatches, Leads, Seats } from './rules_difference';
import { Sweep } from './rules_sweep';

const SPANS: readonly number[] = [3600, 21600, 86400, 7 * 86400, 0]; // 0: all that is recorded
const SHOWN = 200;
const READ = 60_000; // readings a second of a first replay, where frames hold few: see docs/performance.md
const LONGEST = 1800; // seconds after which the server ends one

export function Replays() {
  const [chosen, choose] = useAsked('replay');
  const [started, setStarted] = useState(0);
  const list = useLoad(() => api.replays(), 'replays', started);
  const at = chosen || list.data?.[0]?.id || '';
  const moved = () => setStarted((count) => count + 1);
  return (
    <>
      <p class="quiet">{t('replay.help')}</p>
      {mayPromote.value && (
        <Begin
          past={list.data ?? []}
          after={(one) => {
            choose(one.id);
            moved();
          }}
        />
      )}
      {list.error && <Failed error={list.error} again={list.again} />}
      {list.data && list.data.length > 1 && (
        <label class="stacked">
          <span>{t('replay.which')}</span>
          <select value={at} onChange={(event) => choose(event.currentTarget.value)}>
            {list.data.map((one) => (
              <option key={one.id} value={one.id}>
                {moment(one.started)} · {actorName(one.author)} · {one.rule && `${one.rule} · `}{one.sweep && `${t('sweep.begin')} · `}{tCode('replay.state', one.state)}
              </option>
            ))}
          </select>
        </label>
      )}
      {list.data && !list.data.length && <p class="quiet empty">{t('replay.none')}</p>}
      {at && <Found id={at} ended={moved} />}
    </>
  );
}

function Begin({ past, after }: { past: readonly Replay[]; after: (one: Replay) => void }) {
  const rule = route.value.query.get('rule') ?? '';
  const [text, setText] = useState('');
  const [span, setSpan] = useState(86400);
  const [base, setBase] = useState('');
  useEffect(() => {
    if (!rule) return;
    api.openRule(rule).then(
      (found) => {
        setText(found.draft?.text ?? found.text);
        setBase(found.draft?.base ?? found.base);
      },
      () => undefined,
    );
  }, [rule]);
  const run = (sweep: boolean) => async () =>
    after(await api.beginReplay({ text, version: '', from: span ? Math.floor(now.peek() - span) : null, to: null, rule, sweep }));
  const take = async () => {
    await api.saveDraft(rule, text, base);
    go(href('rules', 'edit', rule));
  };
  return (
    <form class="sheet-part" onSubmit={(event) => event.preventDefault()}>
      <label class="stacked">
        <span>{t('replay.text')}</span>
        <textarea class="code" rows={text ? 18 : 4} maxLength={500000} spellcheck={false} value={text} onInput={(event) => setText(event.currentTarget.value)} />
      </label>
      <footer class="buttons">
        <label>
          <span>{t('replay.span')}</span>{' '}
          <select value={span} onChange={(event) => setSpan(Number(event.currentTarget.value))}>
            {SPANS.map((one) => (
              <option key={one} value={one}>{one ? duration(one) : t('replay.all')}</option>
            ))}
          </select>
        </label>
        <Action class="primary" disabled={!text.trim()} run={run(false)} done={t('replay.begun')}>{t('replay.begin')}</Action>
        <Action disabled={!text.trim()} run={run(true)} done={t('replay.begun')}>{t('sweep.begin')}</Action>
        {rule && <Action disabled={!text.trim()} run={take}>{t('editor.take')}</Action>}
      </footer>
      <p class="quiet" data-test="takes">{takes(past, span)}</p>
    </form>
  );
}

/** Say how long a replay will take: as the earlier one did whose span is nearest, else by the readings that come now. */
function takes(past: readonly Replay[], span: number): string {
  const covered = (one: Replay) => (one.from === null ? 0 : (one.to ?? one.started) - one.from);
  const like = past
    .filter((one) => one.state === 'done' && !one.sweep && one.ended !== null && covered(one) > 0 === span > 0)
    .map((one) => ({ took: one.ended! - one.started, share: span ? span / covered(one) : 1 }))
    .sort((a, b) => Math.abs(Math.log(a.share)) - Math.abs(Math.log(b.share)))[0];
  const rate = status.value?.readings_per_second ?? 0;
  const time = like ? like.took * like.share : (span * rate) / READ;
  if (!time) return t('replay.takes.unknown');
  const said = { time: duration(Math.max(time, 1)) };
  const words = like ? t('replay.takes', said) : t('replay.takes.rough', { ...said, n: quantity(Math.round(rate)) });
  return time > LONGEST ? `${words} ${t('replay.takes.long')}` : words;
}

function Found({ id, ended }: { id: string; ended: () => void }) {
  const [ticks, setTicks] = useState(0);
  const { data, error, again } = useLoad(() => api.replay(id), id, ticks);
  const running = data?.state === 'running';
  useEffect(() => {
    if (!running) return;
    const timer = setInterval(() => setTicks((count) => count + 1), 1000);
    return () => clearInterval(timer);
  }, [running]);
  useEffect(() => {
    if (data && !running) ended(); // the list says how long it took
  }, [running]);
  if (!data) return error ? <Failed error={error} again={again} /> : <Waiting />;
  const end = () => {
    ended();
    again();
  };
  return (
    <section data-test="replay">
      <div class="row">
        <h2>{tCode('replay.state', data.state)}</h2>
        {running && mayPromote.value && <Action run={() => api.endReplay(id)} after={end}>{t('replay.cancel')}</Action>}
      </div>
      {running && (
        <label class="stacked">
          <span>{t('replay.progress', { done: quantity(data.done), total: quantity(data.total) })}</span>
          <progress max={data.total || 1} value={data.done} />
        </label>
      )}
      {data.state === 'failed' && !data.problems.length && <p class="failed" role="alert">{data.reason}</p>}
      <Problems found={data} />
      {data.rule && <BackToDraft rule={data.rule} />}
      {data.result && ('sweep' in data.result ? <Sweep result={data.result} /> : <Result result={data.result} />)}
    </section>
  );
}

function Problems({ found }: { found: ReplayFound }) {
  if (!found.problems.length) return null;
  return (
    <ul class="model-warnings" role="alert">
      {found.problems.map((one) => (
        <li key={`${one.line} ${one.field} ${one.message}`}>
          {t('replay.line', { n: one.line })} <span class="code">{one.field}</span> {one.said}
        </li>
      ))}
    </ul>
  );
}

function Result({ result }: { result: ReplayResult }) {
  const { before, after } = result;
  const rows: [string, string, string][] = [
    [t('replay.alarms'), String(before.alarms), String(after.alarms)],
    [t('replay.dispatches'), String(before.dispatches), String(after.dispatches)],
    [t('replay.rings'), String(before.load.rings), String(after.load.rings)],
    [t('replay.peak'), String(before.load.peak), String(after.load.peak)],
    [t('replay.flood'), String(before.load.flood_minutes), String(after.load.flood_minutes)],
    [t('replay.lead'), lead(before.lead), lead(after.lead)],
  ];
  return (
    <>
      {result.recorded && <p class={result.recorded.agrees ? 'quiet' : 'failed'}>{t(result.recorded.agrees ? 'replay.agrees' : 'replay.differs')}</p>}
      <Counts counts={result.counts} same={result.same} />
      <table class="model-table" data-test="sides">
        <thead>
          <tr>
            <th scope="col"><span class="only-read">{t('replay.figure')}</span></th>
            <th scope="col" class="number">{t('replay.before')}</th>
            <th scope="col" class="number">{t('replay.after')}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(([name, old, fresh]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td class="number">{old}</td>
              <td class="number">{fresh}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <Hours result={result} />
      <Seats result={result} />
      <ByRule rules={result.by_rule} />
      <ul class="plain-list" data-test="changes">
        {result.alarms.slice(0, SHOWN).map((one) => (
          <li key={`${one.rule} ${one.scope} ${one.before?.raised} ${one.after?.raised}`}>
            <b>{one.what.map((what) => tCode('compare', what)).join(t('list.comma'))}</b>{' '}
            {one.before && <LevelMark level={one.before.level} size={13} />}
            {one.before && one.after && ' → '}
            {one.after && <LevelMark level={one.after.level} size={13} />} <span class="code">{one.rule}</span> {one.scope}{' '}
            <span class="quiet">
              {areaName(one.area)} · {moment((one.after ?? one.before)?.raised ?? 0)}
              {one.shift !== null && one.shift !== 0 && ` · ${t(one.shift < 0 ? 'replay.sooner' : 'replay.later', { time: duration(Math.abs(one.shift)) })}`}
            </span>
          </li>
        ))}
      </ul>
      {result.alarms.length > SHOWN && <p class="quiet">{t('modes.more', { n: result.alarms.length - SHOWN })}</p>}
      <Dispatches result={result} />
      <Leads result={result} />
    </>
  );
}

function lead(seconds: number | null): string {
  return seconds === null ? '—' : duration(seconds);
}

/** Rings an hour before and after, as pairs of bars. */
function Hours({ result }: { result: ReplayResult }) {
  const hours = [...new Set([...Object.keys(result.before.hours), ...Object.keys(result.after.hours)])].map(Number).sort((a, b) => a - b);
  if (!hours.length) return null;
  const first = hours[0] ?? 0;
  const count = Math.min(Math.floor(((hours.at(-1) ?? first) - first) / 3600) + 1, 24 * 14);
  const at = (side: Record<string, number>, place: number) => {
    const hour = first + place * 3600;
    return side[hour.toFixed(1)] ?? side[String(hour)] ?? 0;
  };
  const places = [...Array(count).keys()];
  const most = Math.max(...places.map((place) => Math.max(at(result.before.hours, place), at(result.after.hours, place))), 1);
  const width = 640 / count;
  const sums = [result.before, result.after].map((side) => Object.values(side.hours).reduce((sum, one) => sum + one, 0));
  return (
    <figure class="plot-figure">
      <svg viewBox="0 0 640 120" role="img" class="model-plot" aria-label={t('replay.hours', { most, before: sums[0] ?? 0, after: sums[1] ?? 0 })}>
        {places.map((place) => (
          <g key={place}>
            <rect class="ring-before" x={place * width} width={Math.max(width / 2 - 0.5, 0.5)} y={110 - (100 * at(result.before.hours, place)) / most} height={(100 * at(result.before.hours, place)) / most} />
            <rect class="ring-after" x={place * width + width / 2} width={Math.max(width / 2 - 0.5, 0.5)} y={110 - (100 * at(result.after.hours, place)) / most} height={(100 * at(result.after.hours, place)) / most} />
          </g>
        ))}
        <line class="grid" x1="0" x2="640" y1="110" y2="110" />
      </svg>
      <figcaption>{t('replay.hours', { most, before: sums[0] ?? 0, after: sums[1] ?? 0 })} {moment(first)} – {moment(first + count * 3600)}</figcaption>
    </figure>
  );
}
