/** Why an alarm fired and what would clear it: the clause, each term's value against its threshold, the score. */
import { duration, quantity } from '../clock';
import type { Alarm, Seen, Term } from '../contract';
import { eventName, featureName, termForeseen, termThreshold } from '../features';
import { t, tCode, tName } from '../i18n';
import { directory } from '../store';
import { actorName, Moment } from './marks';

export function Why({ alarm, titled = false }: { alarm: Alarm; titled?: boolean }) {
  const why = alarm.explanation;
  if (!why) return <p class="quiet">{t('why.none')}</p>;
  return (
    <div class="why">
      <section aria-label={t('why.title')}>
        <h3>
          {t('why.title')} <span class="code" title={t('why.rule')}>{`${alarm.rule} · ${alarm.rule_version}`}</span>
        </h3>
        {titled && <p class="rule">{tName(alarm.rule_title)}</p>}
        <Terms terms={why.terms ?? []} caption={t('why.terms')} />
        <Events events={why.events ?? []} />
        {why.gone && <p>{t('why.gone', { source: why.gone })}</p>}
        {(why.unconfirmed ?? []).length > 0 && <p>{t('why.unconfirmed', { points: (why.unconfirmed ?? []).join(', ') })}</p>}
        {why.score != null && <Score score={why.score} reason={tName({ zh: why.score_reason_zh ?? '', en: why.score_reason ?? '' })} />}
        {why.foreseen && <p class="quiet">{tName({ zh: why.foreseen_zh ?? '', en: why.foreseen })}</p>}
        {alarm.odds != null && (
          <p class="quiet" data-test="odds-reason">
            {t('odds')}{' '}{t('odds.real', { n: Math.round(100 * alarm.odds) })} {tName(alarm.odds_reason)}
          </p>
        )}
        {(why.hold ?? 0) > 0 && <p class="quiet">{t('why.hold', { time: duration(why.hold ?? 0) })}</p>}
        <Clause text={tName({ zh: why.clause_zh || why.clause, en: why.clause })} />
      </section>
      <section aria-label={t('clear.title')}>
        <h3>{t('clear.title')}</h3>
        <Terms terms={why.clear_terms ?? []} caption={t('clear.terms')} wanted />
        {(why.clear_after ?? 0) > 0 && <p class="quiet">{t('clear.after', { time: duration(why.clear_after ?? 0) })}</p>}
        {why.clear ? <Clause text={tName({ zh: why.clear_zh || why.clear, en: why.clear })} /> : <p class="quiet">{t('clear.none')}</p>}
      </section>
    </div>
  );
}

/** The condition as the rule writes it, for who wants to read it. */
function Clause({ text }: { text: string }) {
  return (
    <details class="clause">
      <summary>{t('why.clause')}</summary>
      <code>{text}</code>
    </details>
  );
}

/** Comparisons as they stood; of those that are `wanted` only what is asked: a tick of then would read as one of now. */
function Terms({ terms, caption, wanted = false }: { terms: readonly Term[]; caption: string; wanted?: boolean }) {
  if (!terms.length) return null;
  return (
    <table class="terms">
      <caption class="only-read">{caption}</caption>
      <thead>
        <tr>
          <th scope="col">{t('terms.what')}</th>
          {!wanted && <th scope="col" class="number">{t('terms.value')}</th>}
          <th scope="col" class="number">{t('terms.threshold')}</th>
          {!wanted && <th scope="col"><span class="only-read">{t('terms.holds')}</span></th>}
        </tr>
      </thead>
      <tbody>
        {distinct(terms).map((term) => (
          <tr key={`${term.name}${term.op ?? ''}${term.threshold ?? ''}`}>
            <th scope="row" title={term.name}>{featureName(term.name)}</th>
            {!wanted && <td class="number value">{termForeseen(term)}</td>}
            <td class="number">{termThreshold(term) || '—'}</td>
            {!wanted && <td class={term.holds == null ? 'holds unknown' : term.holds ? 'holds yes' : 'holds no'}>
              <span aria-hidden="true">{term.holds == null ? '?' : term.holds ? '✓' : '✗'}</span>
              <span class="only-read">{t(term.holds == null ? 'value.unknown' : term.holds ? 'value.yes' : 'value.no')}</span>
            </td>}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** What was seen or reported, each with its source and in its words. */
function Events({ events }: { events: readonly Seen[] }) {
  if (!events.length) return null;
  return (
    <ul class="events" aria-label={t('why.events')} data-test="events">
      {events.map((one) => (
        <li key={`${one.kind}${one.time}${one.report ?? ''}`}>
          <Moment time={one.time} /> <b>{eventName(one.kind)}</b>{' '}
          {one.camera && <span>{tName(directory.value?.cameras.get(one.camera)?.name) || one.camera}</span>}
          {one.level && <span class="chip">{tCode('level', one.level)}</span>}
          {one.by && <span class="quiet">{actorName(one.by)}</span>}
          {one.detail && <q>{one.detail}</q>}
          {one.report && <a href={`#/reports?id=${encodeURIComponent(one.report)}`}>{t(one.photo ? 'why.report.photo' : 'why.report')}</a>}
        </li>
      ))}
    </ul>
  );
}

/** A clause may name one comparison in several of its alternatives: it is shown once. */
function distinct(terms: readonly Term[]): Term[] {
  const found = new Map<string, Term>();
  for (const term of terms) {
    const key = `${term.name}${term.op ?? ''}${term.threshold ?? ''}`;
    if (!found.has(key)) found.set(key, term);
  }
  return [...found.values()];
}

function Score({ score, reason }: { score: number; reason: string }) {
  return (
    <div class="score">
      <span class="score-name">{t('score')}</span>
      <span class="bar" role="meter" aria-label={t('score')} aria-valuemin={0} aria-valuemax={1} aria-valuenow={score}>
        <span style={{ width: `${Math.round(Math.min(1, Math.max(0, score)) * 100)}%` }} />
      </span>
      <b class="digits">{quantity(score)}</b>
      {reason && <span class="quiet">{reason}</span>}
    </div>
  );
}
