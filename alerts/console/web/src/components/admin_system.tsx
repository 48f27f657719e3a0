/** The system: what the doctor and the check of the site's files found, and backups. */
import { useEffect, useState } from 'preact/hooks';
import { api } from '../api';
import { duration, moment, now, quantity } from '../clock';
import type { Work } from '../contract';
import { t, tCode } from '../i18n';
import { Action } from './action';
import { Failed, useLoad, Waiting } from './load';

const OLD = 2 * 86_400; // seconds after which the last backup is too old to rely on

export function SystemTab() {
  return (
    <>
      <Checks />
      <Backups />
    </>
  );
}

/** Look again every two seconds for as long as something is under way. */
function useAgain(work: Work | null): [number, () => void] {
  const [turn, setTurn] = useState(0);
  const step = () => setTurn((n) => n + 1);
  useEffect(() => {
    if (!work?.running) return;
    const timer = setTimeout(step, 2000);
    return () => clearTimeout(timer);
  }, [work]);
  return [turn, step];
}

function Checks() {
  const [known, setKnown] = useState<Work | null>(null);
  const [turn, step] = useAgain(known);
  const { data, error, again } = useLoad(() => api.checks(), 'checks', turn);
  useEffect(() => setKnown(data), [data]);
  const wrong = data?.findings.filter((one) => !one.well).length ?? 0;
  return (
    <section class="panel" data-test="checks">
      <header class="row">
        <h2>{t('system.checks')}</h2>
        <Action disabled={data?.running ?? false} run={() => api.beginChecks()} after={step}>
          {t('system.check')}
        </Action>
      </header>
      {!data && (error ? <Failed error={error} again={again} /> : <Waiting />)}
      {data && <State work={data} running={t('system.checking')} never={t('system.never')} />}
      {data && data.ended !== null && (
        <>
          <p role="status">{wrong ? `✗ ${t('system.wrong', { n: wrong })}` : `✓ ${t('system.well')}`}</p>
          <ul class="plain-list">
            {data.findings.map((one) => (
              <li key={one.what} class={one.well ? '' : 'model-bad'}>
                <span aria-hidden="true">{one.well ? '✓' : '✗'}</span> <span class="only-read">{t(one.well ? 'system.ok' : 'system.bad')} </span>
                <b>{looked(one.what)}</b> <span class="breaks">{one.told}</span>
              </li>
            ))}
          </ul>
          {data.problems.length > 0 && (
            <>
              <h3>{t('system.problems', { n: data.problems.length })}</h3>
              <ul class="plain-list">
                {data.problems.map((one, at) => (
                  <li key={at}>
                    <code>{`${one.file}${one.line ? `:${one.line}` : ''}`}</code> {one.field && <b>{one.field}</b>} {one.told}
                  </li>
                ))}
              </ul>
            </>
          )}
        </>
      )}
    </section>
  );
}

/** What was looked at; of the brokers each by its name. */
function looked(what: string): string {
  const broker = /^MQTT broker (.+)$/.exec(what);
  return broker ? t('look.broker', { name: broker[1]! }) : tCode('look', what);
}

function Backups() {
  const [known, setKnown] = useState<Work | null>(null);
  const [turn, step] = useAgain(known);
  const { data, error, again } = useLoad(() => api.backups(), 'backups', turn);
  useEffect(() => setKnown(data), [data]);
  const last = data?.items[0];
  const age = last ? now.value - last.time : null;
  return (
    <section class="panel" data-test="backups">
      <header class="row">
        <h2>{t('backups')}</h2>
        <Action disabled={!data?.folder || data.running} run={() => api.beginBackup()} after={step}>
          {t('backups.take')}
        </Action>
      </header>
      {!data && (error ? <Failed error={error} again={again} /> : <Waiting />)}
      {data && !data.folder && <p class="quiet">{t('backups.no_folder')}</p>}
      {data?.folder && (
        <>
          <State work={data} running={t('backups.running', { size: size(data.bytes) })} never="" />
          <p class={age === null || age > OLD ? 'model-bad' : ''} data-test="last-backup">
            {last && age !== null ? t('backups.last', { when: moment(last.time), age: duration(age) }) : t('backups.none')}
          </p>
          {!data.encrypted && <p class="quiet">{t('backups.plain')}</p>}
          {data.items.length > 0 && (
            <div class="scroll-x" tabIndex={0} role="group" aria-label={t('backups')}>
              <table>
                <thead>
                  <tr>
                    <th scope="col">{t('backups.file')}</th>
                    <th scope="col">{t('audit.time')}</th>
                    <th scope="col" class="number">{t('backups.size')}</th>
                    <th scope="col">{t('backups.sealed')}</th>
                  </tr>
                </thead>
                <tbody>
                  {data.items.map((one) => (
                    <tr key={one.file}>
                      <th scope="row"><code>{one.file}</code></th>
                      <td>{moment(one.time)}</td>
                      <td class="number">{size(one.bytes)}</td>
                      <td>{t(one.encrypted ? 'backups.yes' : 'backups.no')}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )}
          <p class="quiet">{t('backups.where', { folder: data.folder })}</p>
        </>
      )}
    </section>
  );
}

function State({ work, running, never }: { work: Work; running: string; never: string }) {
  if (work.running) {
    return (
      <p class="quiet waiting" role="status">
        <span class="spinner" aria-hidden="true" /> {running}
      </p>
    );
  }
  if (work.error) return <p class="model-bad" role="alert">{work.error}</p>;
  if (work.ended !== null) return <p class="quiet">{t('system.ended', { when: moment(work.ended) })}</p>;
  return never ? <p class="quiet">{never}</p> : null;
}

function size(bytes: number): string {
  return bytes >= 1e9 ? `${quantity(bytes / 1e9)} GB` : `${quantity(bytes / 1e6)} MB`;
}
