/** Who did what to what, the newest first, searched on the server; and whether anything was changed since. */
import { useState } from 'preact/hooks';
import { api } from '../api';
import { moment } from '../clock';
import type { AuditEntry } from '../contract';
import { t } from '../i18n';
import { ask, route } from '../router';
import { Action } from './action';
import { Failed, useLoad, Waiting } from './load';
import { actorName } from './marks';
import { Search } from './search';

const KINDS = [
  'command', 'silence', 'mode', 'exercise', 'sound', 'rules', 'site', 'models', 'replays', 'quarantine', 'notification', 'report', 'alarm', 'camera', 'points',
  'session', 'user', 'token', 'system', 'backup', 'journal', 'archive',
] as const; // as the server's actions begin

export function AuditTab() {
  const { query } = route.value;
  const asked = { actor: query.get('actor') ?? '', action: query.get('action') ?? '', target: query.get('target') ?? '' };
  const key = JSON.stringify(asked);
  const { data, error, again } = useLoad(() => api.audit(asked), key);
  const [more, setMore] = useState<{ key: string; items: AuditEntry[]; next: number | null }>({ key, items: [], next: null });
  const further = more.key === key ? more : { key, items: [], next: data?.next ?? null };
  const next = further.items.length ? further.next : (data?.next ?? null);
  const read = async () => {
    const page = await api.audit({ ...asked, before: next });
    setMore({ key, items: [...further.items, ...page.items], next: page.next });
  };
  return (
    <>
      <div class="filters">
        <Filter label={t('audit.actor')} value={asked.actor} change={(actor) => ask({ actor })} example="user:chen" />
        <label>
          <span>{t('audit.action')}</span>
          <select value={asked.action} onChange={(event) => ask({ action: event.currentTarget.value })}>
            <option value="">{t('audit.all')}</option>
            {KINDS.map((one) => (
              <option key={one} value={one}>
                {t(`audit.kind.${one}`)}
              </option>
            ))}
          </select>
        </label>
        <Filter label={t('audit.target')} value={asked.target} change={(target) => ask({ target })} example="" />
      </div>
      {!data && (error ? <Failed error={error} again={again} /> : <Waiting />)}
      {data?.checked && (
        <p class={data.broken === null ? 'quiet' : 'model-bad'} role="status" data-test="chain">
          {data.broken === null ? `✓ ${t('audit.whole')}` : `✗ ${t('audit.broken', { n: data.broken })}`}
        </p>
      )}
      {data && !data.items.length && <p class="quiet empty">{t('audit.none')}</p>}
      {data && data.items.length > 0 && (
        <div class="scroll-x" tabIndex={0} role="group" aria-label={t('admin.tab.audit')}>
          <table data-test="audit">
            <thead>
              <tr>
                <th scope="col" class="number">{t('audit.number')}</th>
                <th scope="col">{t('audit.time')}</th>
                <th scope="col">{t('audit.actor')}</th>
                <th scope="col">{t('audit.action')}</th>
                <th scope="col">{t('audit.target')}</th>
                <th scope="col">{t('audit.detail')}</th>
              </tr>
            </thead>
            <tbody>
              {[...data.items, ...further.items].map((one) => (
                <tr key={one.sequence}>
                  <td class="number">{one.sequence}</td>
                  <td class="nowrap">{moment(one.time)}</td>
                  <td title={one.actor}>{actorName(one.actor)}</td>
                  <td><code>{one.action}</code></td>
                  <td class="breaks">{one.target}</td>
                  <td class="breaks quiet">{detail(one)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {next !== null && data && (
        <p>
          <Action run={read}>{t('audit.more')}</Action>
        </p>
      )}
    </>
  );
}

function Filter({ label, value, change, example }: { label: string; value: string; change: (value: string) => void; example: string }) {
  return (
    <label>
      <span>{label}</span>
      <Search value={value} change={change} example={example} />
    </label>
  );
}

function detail(entry: AuditEntry): string {
  return Object.entries(entry.detail)
    .map(([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ');
}
