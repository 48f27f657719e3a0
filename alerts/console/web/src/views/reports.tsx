/** What people reported, the newest first, with filters; a photo is opened by who may, and each look is noted. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { api, ApiError, type ReportQuery } from '../api';
import { AreaOptions } from '../components/form';
import { Waiting } from '../components/load';
import { actorName, Moment, Simulation } from '../components/marks';
import type { Report } from '../contract';
import { t, tCode } from '../i18n';
import { route, useAsked } from '../router';
import { areaName } from '../store';

const DAY = 86_400;
const PERIODS = { day: DAY, week: 7 * DAY, fortnight: 14 * DAY, all: 0 } as const;
type Period = keyof typeof PERIODS;
const LOOK_AGAIN = 10_000; // ms between looks for what has come since
const CATEGORY = /^[a-z][a-z0-9_-]{0,47}$/;

export function ReportsView() {
  const [wanted, setPeriod] = useAsked('period', 'fortnight');
  const period = Object.hasOwn(PERIODS, wanted) ? (wanted as Period) : 'fortnight';
  const [category, setCategory] = useAsked('category');
  const [area, setArea] = useAsked('area');
  const [subject, setSubject] = useAsked('subject');
  const asked = { category: CATEGORY.test(category) ? category : '', area, subject };
  const { items, error, more, loading } = useReports(period, asked);
  return (
    <main class="page" id="main" tabIndex={-1}>
      <h1>{t('reports')}</h1>
      <div class="filters" role="search">
        <label>
          <span>{t('reports.period')}</span>
          <select value={period} onChange={(event) => setPeriod(event.currentTarget.value)}>
            {Object.keys(PERIODS).map((one) => (
              <option key={one} value={one}>
                {tCode('reports.period', one)}
              </option>
            ))}
          </select>
        </label>
        <label>
          <span>{t('reports.area')}</span>
          <select value={area} onChange={(event) => setArea(event.currentTarget.value)}>
            <option value="">{t('filter.any')}</option>
            <AreaOptions />
          </select>
        </label>
        <label class="grow">
          <span>{t('reports.category')}</span>
          <input type="search" value={category} placeholder={t('reports.category.hint')} onInput={(event) => setCategory(event.currentTarget.value.trim().toLowerCase())} />
        </label>
        {subject && (
          <button type="button" onClick={() => setSubject('')}>
            {t('reports.subject.all', { subject: short(subject) })}
          </button>
        )}
      </div>
      {error && <p class="failed" role="alert">{error.message}</p>}
      {!items.length && !loading && !error && <p class="quiet empty">{t('reports.empty')}</p>}
      <ol class="report-list" data-test="reports">
        {items.map((report) => (
          <Row key={report.id} report={report} onSubject={setSubject} />
        ))}
      </ol>
      {loading && <Waiting />}
      {more && !loading && (
        <button type="button" onClick={more}>
          {t('more')}
        </button>
      )}
    </main>
  );
}

function useReports(period: Period, asked: ReportQuery): { items: Report[]; error: ApiError | null; more: (() => void) | null; loading: boolean } {
  const [items, setItems] = useState<Report[]>([]);
  const [next, setNext] = useState<number | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const [loading, setLoading] = useState(false);
  const key = JSON.stringify([period, asked]);
  const read = async (before: number | null, gone: () => boolean) => {
    setLoading(true);
    try {
      const from = PERIODS[period] ? Math.floor(Date.now() / 1000) - PERIODS[period] : null;
      const page = await api.reports({ ...asked, from, before });
      if (gone()) return;
      setItems((old) => (before === null ? page.items : [...old, ...page.items]));
      setNext(typeof page.next === 'number' ? page.next : null);
      setError(null);
    } catch (reason) {
      if (!gone()) setError(reason instanceof ApiError ? reason : new ApiError(0, 'page', String(reason)));
    } finally {
      if (!gone()) setLoading(false);
    }
  };
  /** Put what has come since before the rest, quietly: the link's state is told in the header. */
  const look = async (gone: () => boolean) => {
    const from = PERIODS[period] ? Math.floor(Date.now() / 1000) - PERIODS[period] : null;
    const page = await api.reports({ ...asked, from, before: null }).catch(() => null);
    if (page === null || gone()) return;
    setItems((old) => {
      const known = new Set(old.map((one) => one.id));
      const fresh = page.items.filter((one) => !known.has(one.id));
      return fresh.length ? [...fresh, ...old] : old;
    });
  };
  useEffect(() => {
    let over = false; // an answer to an earlier question must not be shown under a later one
    void read(null, () => over);
    const again = setInterval(() => !document.hidden && void look(() => over), LOOK_AGAIN);
    return () => {
      over = true;
      clearInterval(again);
    };
  }, [key]);
  return { items, error, more: next === null ? null : () => void read(next, () => false), loading };
}

function Row({ report, onSubject }: { report: Report; onSubject: (subject: string) => void }) {
  const [shown, setShown] = useState(false);
  const [broken, setBroken] = useState(false);
  const { subject, photo } = report;
  const here = route.value.query.get('id') === report.id; // linked to from an alarm
  const place = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (here) place.current?.scrollIntoView({ block: 'center' });
  }, [here]);
  return (
    <li class="report-row" data-report={report.id} aria-current={here ? 'true' : undefined} ref={place}>
      <p class="report-head">
        <b>{tCode('report', report.category)}</b>
        <span>{areaName(report.area)}</span>
        <Moment time={report.time} />
        {report.simulated && <Simulation small />}
        <span class="grow" />
        <span class="quiet">{actorName(report.actor)}</span>
      </p>
      {report.text && <p class="report-text">{report.text}</p>}
      <p class="report-more">
        {subject && (
          <button type="button" class="plain" title={t('reports.subject.help')} onClick={() => onSubject(subject)}>
            {t('reports.subject', { subject: short(subject) })}
          </button>
        )}
        {photo && (
          <button type="button" aria-expanded={shown} onClick={() => setShown(!shown)}>
            {shown ? t('reports.photo.close') : t('reports.photo')}
          </button>
        )}
      </p>
      {photo && shown && (broken ? (
        <p class="quiet" role="status">{t('picture.broken')}</p>
      ) : (
        <img class="report-photo" src={photo} alt={t('reports.photo.alt', { category: tCode('report', report.category) })} onError={() => setBroken(true)} />
      ))}
    </li>
  );
}

/** The beginning of a keyed hash: enough to tell two apart. */
const short = (subject: string) => subject.slice(0, 8);
