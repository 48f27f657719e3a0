/** Rules, for analysts: which are in force and how each fared, tried on the past and in the shadow, put in force and back. */
import { Approvals } from '../components/rules_approvals';
import { RuleList } from '../components/rules_list';
import { Replays } from '../components/rules_replay';
import { ShadowRules } from '../components/rules_shadow';
import { t, tCode } from '../i18n';
import { href } from '../router';

const TABS = ['list', 'replay', 'shadow', 'versions'] as const;
type Tab = (typeof TABS)[number];

export function RulesView({ tab }: { tab: string }) {
  const at: Tab = TABS.find((one) => one === tab) ?? 'list';
  return (
    <main class="page models" id="main" tabIndex={-1}>
      <h1>{t('rules')}</h1>
      <nav class="tabs" aria-label={t('rules')}>
        {TABS.map((one) => (
          <a key={one} href={href('rules', one)} aria-current={one === at ? 'page' : undefined}>
            {tCode('rules.tab', one)}
          </a>
        ))}
      </nav>
      {at === 'list' && <RuleList />}
      {at === 'replay' && <Replays />}
      {at === 'shadow' && <ShadowRules />}
      {at === 'versions' && <Approvals />}
    </main>
  );
}
