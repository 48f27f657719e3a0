/** Administration: accounts, tokens of the API, open sessions, the audit, and the system itself. */
import { AuditTab } from '../components/admin_audit';
import { SessionsTab } from '../components/admin_sessions';
import { SystemTab } from '../components/admin_system';
import { TokensTab } from '../components/admin_tokens';
import { t, tCode } from '../i18n';
import { href } from '../router';
import { me } from '../store';
import { UsersTab } from './users';

const TABS = ['users', 'tokens', 'sessions', 'audit', 'system'] as const;
type Tab = (typeof TABS)[number];

export function AdminView({ tab }: { tab: string }) {
  const at: Tab = TABS.find((one) => one === tab) ?? 'users';
  return (
    <main class="page models" id="main" tabIndex={-1}>
      <h1>{t('admin')}</h1>
      <nav class="tabs" aria-label={t('admin')}>
        {TABS.map((one) => (
          <a key={one} href={one === 'users' ? href('users') : href('admin', one)} aria-current={one === at ? 'page' : undefined}>
            {tCode('admin.tab', one)}
          </a>
        ))}
        <a href={href('notifications')}>{t('notifications')}</a>
      </nav>
      {!me.value?.second && (
        <p class="hint" role="note">
          {t('second.advice')} <a href={href('account')}>{t('second.set_up')}</a>
        </p>
      )}
      {at === 'users' && <UsersTab />}
      {at === 'tokens' && <TokensTab />}
      {at === 'sessions' && <SessionsTab />}
      {at === 'audit' && <AuditTab />}
      {at === 'system' && <SystemTab />}
    </main>
  );
}
