/** The rules in force: what they ask, who owns them, and how they fared by what incidents were closed as. */
import { api } from '../api';
import { duration, moment, now } from '../clock';
import type { RulePrecision, RuleShown, Share } from '../contract';
import { t, tCode, tName } from '../i18n';
import { ask, href, useAsked } from '../router';
import { mayPromote, scopeName } from '../store';
import { LevelMark } from './level';
import { Failed, useLoad, Waiting } from './load';
import { percent } from './plots';

const BATCH = 50;
const DAYS: readonly number[] = [7, 30, 90, 365];

export function RuleList() {
  const [find] = useAsked('find');
  const [from, setFrom] = useAsked('from', '0');
  const offset = Math.max(Math.trunc(Number(from)) || 0, 0);
  const [span, setDays] = useAsked('days', '30');
  const days = DAYS.find((one) => String(one) === span) ?? 30;
  const { data, error, again } = useLoad(() => api.rules(find, offset, BATCH), `rules ${find} ${offset}`);
  const fared = useLoad(() => api.precision(Math.floor(now.peek()) - days * 86400), `precision ${days}`);
  const how = new Map((fared.data ?? []).map((one) => [one.rule, one]));
  return (
    <>
      <div class="filters" role="search">
        <label class="grow">
          <span>{t('rules.find')}</span>
          <input
            type="search"
            value={find}
            onInput={(event) => ask({ find: event.currentTarget.value, from: '' })}
          />
        </label>
        <label>
          <span>{t('rules.since')}</span>
          <select value={days} onChange={(event) => setDays(event.currentTarget.value)}>
            {DAYS.map((one) => (
              <option key={one} value={one}>
                {duration(one * 86400)}
              </option>
            ))}
          </select>
        </label>
        <p class="quiet" role="status">{data && t('rules.count', { n: data.total })}</p>
      </div>
      {!data && (error ? <Failed error={error} again={again} /> : <Waiting />)}
      {fared.error && <Failed error={fared.error} again={fared.again} />}
      {data && (
        <div class="scroll-x" tabIndex={0} role="group" aria-label={t('rules')}>
          <table class="model-table" data-test="rules">
            <thead>
              <tr>
                <th scope="col">{t('column.rule')}</th>
                <th scope="col">{t('rules.when')}</th>
                <th scope="col">{t('rules.owner')}</th>
                <th scope="col" class="number">{t('rules.precision')}</th>
                <th scope="col" class="number">{t('rules.recall')}</th>
                <th scope="col">{t('rules.nuisance')}</th>
                <th scope="col" class="number" title={t('rules.lead.help')}>{t('rules.lead')}</th>
                <th scope="col" class="number" title={t('rules.cost.help')}>{t('rules.cost')}</th>
                <th scope="col"><span class="only-read">{t('column.actions')}</span></th>
              </tr>
            </thead>
            <tbody>
              {data.items.map((rule) => (
                <Row key={rule.id} rule={rule} how={how.get(rule.id)} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {data && data.total > BATCH && (
        <p class="buttons">
          <button type="button" disabled={offset === 0} onClick={() => setFrom(String(Math.max(0, offset - BATCH)))}>{t('rules.before')}</button>
          <button type="button" disabled={offset + BATCH >= data.total} onClick={() => setFrom(String(offset + BATCH))}>{t('rules.next')}</button>
        </p>
      )}
    </>
  );
}

function Row({ rule, how }: { rule: RuleShown; how: RulePrecision | undefined }) {
  const review = typeof rule.rationale.review === 'string' ? rule.rationale.review : '';
  const late = review !== '' && Date.parse(review) / 1000 < now.value;
  return (
    <tr data-rule={rule.id}>
      <th scope="row">
        {tName(rule.title) || rule.id}
        <span class="quiet model-why code">{rule.id}</span>
        {rule.kind !== 'risk' && <span class="chip">{tCode('kind', rule.kind)}</span>}
        {rule.template && <span class="chip" title={t('rules.template')}>{rule.template}</span>}
      </th>
      <td>
        {rule.levels.map((one) => (
          <div key={one.level} class="rule-level">
            <LevelMark level={one.level} size={13} /> <code>{one.when}</code>
            {one.hold > 0 && <span class="quiet"> {t('rules.for', { time: duration(one.hold) })}</span>}
          </div>
        ))}
      </td>
      <td>
        {words(rule.rationale.owner)}
        {review && <span class={late ? 'model-why model-bad' : 'quiet model-why'}>{t(late ? 'rules.review.late' : 'rules.review', { day: review })}</span>}
      </td>
      <td class="number"><ShareOf share={how?.precision} /></td>
      <td class="number"><ShareOf share={how?.recall} /></td>
      <td>{how && <Nuisance how={how} />}</td>
      <td class="number">{how?.lead ? <Lead lead={how.lead} /> : <span class="quiet">—</span>}</td>
      <td class="number">{rule.cost ? <Cost cost={rule.cost} /> : <span class="quiet" title={t('rules.cost.help')}>—</span>}</td>
      <td>
        {mayPromote.value && (
          <span class="buttons">
            <a class="button" href={href('rules', 'edit', rule.id)}>{t('rules.edit')}<span class="only-read"> {rule.id}</span></a>
            <a class="button" href={`${href('rules', 'replay')}?rule=${encodeURIComponent(rule.id)}`}>{t('rules.try')}<span class="only-read"> {rule.id}</span></a>
          </span>
        )}
      </td>
    </tr>
  );
}

function words(value: unknown): string {
  if (typeof value === 'string') return value;
  return value && typeof value === 'object' ? tName(value as { zh?: string; en?: string }) : '';
}

function ShareOf({ share }: { share: Share | undefined }) {
  if (!share || share.value === null) return <span class="quiet">—</span>;
  return (
    <>
      {percent(share.value)}
      <span class="quiet model-why">{t('rules.interval', { low: percent(share.low ?? 0), high: percent(share.high ?? 1), n: share.of })}</span>
    </>
  );
}

/** How long before a limit it warned, and in how many of the incidents that reached one. */
function Lead({ lead }: { lead: NonNullable<RulePrecision['lead']> }) {
  return (
    <>
      {lead.median === null ? '—' : duration(lead.median)}
      <span class="quiet model-why">{t('rules.lead.of', { n: lead.before, of: lead.of })}</span>
    </>
  );
}

function Cost({ cost }: { cost: NonNullable<RuleShown['cost']> }) {
  return (
    <span title={t('rules.cost.measured', { when: moment(cost.time) })}>
      {t('rules.cost.cpu', { ns: Math.round(cost.seconds * 1e9) })}
      <span class="quiet model-why">{t('rules.cost.memory', { kb: (cost.bytes / 1000).toFixed(1) })}</span>
    </span>
  );
}

/** Nuisances by hour of the day as bars, and where they were. */
function Nuisance({ how }: { how: RulePrecision }) {
  const count = how.counts.nuisance ?? 0;
  if (!count) return <span class="quiet">0</span>;
  const most = Math.max(...how.by_hour, 1);
  const worst = how.places.filter((one) => one.nuisance > 0).slice(0, 2);
  const busy = how.by_hour.indexOf(Math.max(...how.by_hour));
  return (
    <>
      {count}
      <svg viewBox="0 0 96 20" width="96" height="20" class="hours" role="img" aria-label={t('rules.by_hour', { hour: busy, n: how.by_hour[busy] ?? 0 })}>
        {how.by_hour.map((one, hour) => (
          <rect key={hour} x={4 * hour} width="3" y={20 - (18 * one) / most} height={Math.max((18 * one) / most, one ? 1 : 0)} />
        ))}
      </svg>
      <span class="quiet model-why">{worst.map((one) => `${scopeName(one)} ${one.nuisance}`).join(t('list.comma'))}</span>
    </>
  );
}
