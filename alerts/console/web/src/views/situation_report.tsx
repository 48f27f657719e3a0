/** What a day, a week or a month came to in a place, against the one before; as PDF, too. */
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { api, situationSheet } from '../api';
import { dayOf, moment, now } from '../clock';
import { Failed, useLoad, Waiting } from '../components/load';
import { Bars, Heard, LEGS, placeName, share, Times, took } from '../components/report_parts';
import { LEVELS, type ReportLeg, type ReportPeriod, type SituationFigures, type SituationReport } from '../contract';
import { t, tCode, tName } from '../i18n';
import { go, href, route } from '../router';
import { areaName, directory, me } from '../store';

const PERIODS: readonly ReportPeriod[] = ['day', 'week', 'month'];
const DAY = 86_400;

export function SituationReportView({ place }: { place: string }) {
  const { query } = route.value;
  const period = PERIODS.find((one) => one === query.get('period')) ?? 'week';
  const day = query.get('day') ?? '';
  const { data, error, again } = useLoad(() => api.situation(place, period, day), `${place} ${period} ${day}`);
  return (
    <main class="page situation-report" id="main" tabIndex={-1}>
      <header class="row">
        <h1>
          {t('report')} <span class="quiet">{data ? `${placeName(data.place)} · ${spanWords(data)}` : ''}</span>
        </h1>
        <a class="button" href={situationSheet(place, period, day)} target="_blank" rel="noopener">
          {t('report.pdf')}
        </a>
      </header>
      <Choice place={data?.place ?? place} period={period} report={data} />
      {error && <Failed error={error} again={again} />}
      {!data && !error && <Waiting />}
      {data && <Shown report={data} />}
    </main>
  );
}

function to(place: string, period: ReportPeriod, day: string): string {
  const parts = new URLSearchParams({ period, ...(day ? { day } : {}) });
  return `${href('report', place)}?${parts}`;
}

function Choice({ place, period, report }: { place: string; period: ReportPeriod; report: SituationReport | null }) {
  const places = directory.value?.site.places ?? [];
  const mine = me.value?.places ?? [];
  const shown = places.filter((one) => !mine.length || mine.some((own) => within(one.id, own)));
  useEffect(() => {
    if (report && !place) go(to(report.place, period, report.first), true);
  }, [report, place]);
  const today = dayOf(now.peek());
  const after = report ? dayOf(report.begin + (period === 'day' ? 1.5 : period === 'week' ? 7.5 : 31.5) * DAY) : '';
  const before = report ? dayOf(report.begin - DAY / 2) : '';
  return (
    <div class="filters">
      <label>
        <span>{t('situation.place')}</span>
        <select value={place} onChange={(event) => go(to(event.currentTarget.value, period, report?.first ?? ''))}>
          {shown.map((one) => (
            <option key={one.id} value={one.id}>
              {`${'\u2003'.repeat(depth(one.id))}${tName(one.name) || one.id}`}
            </option>
          ))}
        </select>
      </label>
      <nav class="tabs" aria-label={t('report.period')}>
        {PERIODS.map((one) => (
          <a key={one} href={to(place, one, '')} aria-current={one === period ? 'page' : undefined}>
            {tCode('report.period', one)}
          </a>
        ))}
      </nav>
      {report && (
        <p class="report-steps">
          <a href={to(place, period, before)} rel="prev">← {t('report.earlier')}</a>
          <b class="digits">{spanWords(report)}</b>
          {after <= today && <a href={to(place, period, after)} rel="next">{t('report.later')} →</a>}
        </p>
      )}
    </div>
  );
}

function spanWords(report: SituationReport): string {
  const first = dayOf(report.begin);
  const last = dayOf(report.end - 1);
  return first === last ? first : `${first} – ${last}`;
}

function depth(place: string): number {
  let at = directory.value?.places.get(place)?.parent;
  let deep = 0;
  while (at && deep < 8) {
    deep += 1;
    at = directory.value?.places.get(at)?.parent;
  }
  return deep;
}

function within(place: string, top: string): boolean {
  let at: string | null | undefined = place;
  for (let deep = 0; at && deep < 8; deep += 1) {
    if (at === top) return true;
    at = directory.value?.places.get(at)?.parent;
  }
  return false;
}

function Shown({ report }: { report: SituationReport }) {
  const over = report.end <= now.peek();
  const known = report.known_from ?? Infinity;
  if (known >= report.end) return <p role="status">{t('report.unknown')}</p>; // no number means calm here
  return (
    <>
      {known > report.begin && <p role="status">{t('report.partly', { time: moment(known) })}</p>}
      {!over || Math.abs(report.end - now.peek()) < 120 ? <p class="quiet">{t('report.running', { time: moment(report.end) })}</p> : null}
      <Part title={t('report.worse')}>
        {report.worse.length > 0 ? (
          <ul class="plain-list report-worse" data-test="worse">
            {report.worse.map((one) => (
              <li key={`${one.what}${one.type}`}>
                <span aria-hidden="true">▲ </span>
                <b>{one.what === 'type' ? t('report.type_alarms', { type: typeName(one.type) }) : tCode('report.figure', one.what)}</b>{' '}
                <span class="digits">{`${figure(one.what, one.before)} → ${figure(one.what, one.now)}`}</span>
              </li>
            ))}
          </ul>
        ) : (
          <p class="quiet">{t(report.compared ? 'report.worse.none' : 'report.worse.unknown')}</p>
        )}
      </Part>
      <Figures report={report} />
      <Part title={t('report.series')}>
        <Bars report={report} />
      </Part>
      <Part title={t('report.available')}>
        <Heard report={report} />
      </Part>
      <Part title={t('report.times')}>
        <Times report={report} />
      </Part>
      {report.types.length > 0 && (
        <Part title={t('report.types')}>
          <Types report={report} />
        </Part>
      )}
      {report.places.length > 0 && (
        <Part title={t('report.places')}>
          <Places report={report} />
        </Part>
      )}
      <Lists report={report} />
      <p class="quiet">
        {t('report.scope')} {report.left_out > 0 && t('report.left_out', { n: report.left_out })} {report.cut && t('report.cut')}
      </p>
    </>
  );
}

function Part({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <section class="sheet-part">
      <h2>{title}</h2>
      {children}
    </section>
  );
}

function Figures({ report }: { report: SituationReport }) {
  const rows: [string, (of: SituationFigures) => string][] = [
    ['alarms', (of) => String(of.alarms)],
    ['incidents', (of) => String(of.incidents)],
    ['serious', (of) => String(of.peaks.red + of.peaks.orange)],
    ['closed', (of) => String(of.closed)],
    ['orders', (of) => String(of.orders)],
    ['overdue', (of) => `${of.overdue}`],
    ['nuisance', (of) => (of.nuisance.of ? `${share(of.nuisance.share)} / ${of.nuisance.of}` : '—')],
    ['lead', (of) => (of.lead.count ? `${took(of.lead.median)} / ${of.lead.count}` : '—')],
    ['points', (of) => share(of.availability.points.share)],
    ['cameras', (of) => share(of.availability.cameras.share)],
  ];
  return (
    <dl class="report-figures" data-test="figures">
      {rows.map(([name, of]) => (
        <div key={name}>
          <dt>{tCode('report.figure', name)}</dt>
          <dd>
            <b>{of(report.now)}</b>
            {report.compared && <span class="quiet"> {t('report.before', { value: of(report.past) })}</span>}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function figure(what: string, value: number): string {
  if (what === 'overdue' || what === 'nuisance' || what === 'points' || what === 'cameras') return share(value);
  return LEGS.includes(what as ReportLeg) ? took(value) : String(value);
}

function typeName(id: string): string {
  return tName(directory.value?.site.area_types.find((one) => one.id === id)?.name) || id;
}

function fieldName(id: string): string {
  return tName(directory.value?.site.fields.find((one) => one.id === id)?.name) || id;
}

function Types({ report }: { report: SituationReport }) {
  return (
    <div class="scroll-x" tabIndex={0} role="group" aria-label={t('report.types')}>
      <table>
        <thead>
          <tr>
            <th scope="col">{t('report.field')}</th>
            <th scope="col">{t('report.type')}</th>
            {LEVELS.map((level) => (
              <th key={level} scope="col" class="number">{t(`level.${level}`)}</th>
            ))}
            <th scope="col" class="number">{tCode('report.figure', 'alarms')}</th>
            <th scope="col" class="number">{t('report.past')}</th>
          </tr>
        </thead>
        <tbody>
          {report.types.map((one) => (
            <tr key={one.type}>
              <td>{fieldName(one.field)}</td>
              <th scope="row">{typeName(one.type)}</th>
              {LEVELS.map((level) => (
                <td key={level} class={`number${one[level] ? ` some level-${level}` : ''}`}>{one[level]}</td>
              ))}
              <td class="number">{one.alarms}</td>
              <td class="number">{report.compared ? one.before : '—'}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Places({ report }: { report: SituationReport }) {
  return (
    <div class="scroll-x" tabIndex={0} role="group" aria-label={t('report.places')}>
      <table data-test="report-places">
        <thead>
          <tr>
            <th scope="col">{t('situation.place')}</th>
            <th scope="col" class="number">{tCode('report.figure', 'alarms')}</th>
            <th scope="col" class="number">{t('report.past')}</th>
            <th scope="col" class="number">{tCode('report.leg', 'accept')}</th>
            <th scope="col" class="number">{tCode('report.leg', 'close')}</th>
            <th scope="col" class="number">{tCode('report.figure', 'orders')}</th>
            <th scope="col" class="number">{tCode('report.figure', 'overdue')}</th>
            <th scope="col" class="number">{tCode('report.figure', 'points')}</th>
            <th scope="col" class="number">{tCode('report.figure', 'cameras')}</th>
          </tr>
        </thead>
        <tbody>
          {report.places.map((one) => (
            <tr key={one.place}>
              <th scope="row"><a href={to(one.place, report.period, report.first)}>{placeName(one.place)}</a></th>
              <td class="number">{one.alarms}</td>
              <td class="number">{report.compared ? one.before : '—'}</td>
              <td class="number">{took(one.accept.median)}</td>
              <td class="number">{took(one.close.median)}</td>
              <td class="number">{one.orders}</td>
              <td class={`number${one.overdue ? ' bad' : ''}`}>{one.overdue}</td>
              <td class="number">{share(one.points)}</td>
              <td class="number">{share(one.cameras)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Lists({ report }: { report: SituationReport }) {
  return (
    <div class="report-lists">
      {report.rules.length > 0 && (
        <Part title={t('report.rules')}>
          <ul class="plain-list">
            {report.rules.map((one) => (
              <li key={one.rule}>
                {tName(one.title) || one.rule} <b class="digits">{one.alarms}</b>
              </li>
            ))}
          </ul>
        </Part>
      )}
      {!!report.actors?.length && (
        <Part title={t('report.actors')}>
          <ul class="plain-list" data-test="actors">
            {report.actors.map((one) => (
              <li key={`${one.rule} ${one.scope}`}>
                {tName(one.title) || one.rule} <span class="quiet">{one.scope}</span>{' '}
                <span class="digits">{t('report.actor', { rings: one.rings, share: Math.round(one.share * 100), chattered: one.chattered, stale: one.stale })}</span>
              </li>
            ))}
          </ul>
        </Part>
      )}
      {report.leads.length > 0 && (
        <Part title={t('report.leads')}>
          <ul class="plain-list" data-test="leads">
            {report.leads.map((one) => (
              <li key={one.incident}>
                <a href={href('incidents', one.incident)}>{tName(one.title) || one.incident}</a> <b class="digits">{took(one.seconds)}</b>
              </li>
            ))}
          </ul>
        </Part>
      )}
      {report.poor.length > 0 && (
        <Part title={t('report.poor')}>
          <ul class="plain-list">
            {report.poor.map((one) => (
              <li key={one.id}>
                {tName(one.name) || one.id} <span class="quiet">{areaName(one.area)}</span> <b class="digits">{share(one.share)}</b>
              </li>
            ))}
          </ul>
        </Part>
      )}
      {report.drills.length > 0 && (
        <Part title={t('exercises')}>
          <ul class="plain-list">
            {report.drills.map((one) => (
              <li key={one.id}>
                <a href={href('exercises', one.id)}>{tName(one.title) || one.id}</a> <b class="digits">{share(one.score)}</b>{' '}
                <span class="quiet">{moment(one.began)}</span>
              </li>
            ))}
          </ul>
        </Part>
      )}
    </div>
  );
}
