/** Rules, for analysts: which are in force and how each fared, tried on the past and in the shadow, put in force and back. */
import { Approvals } from '../components/rules_approvals';
import { RuleList } from '../components/rules_list';
import { lazy, Suspense } from '../components/lazy';
import { Waiting } from '../components/load';
import { Replays } from '../components/rules_replay';
import { ShadowRules } from '../components/rules_shadow';
import { t, tCode } from '../i18n';
import { href, route } from '../router';
import { mayPromote } from '../store';

const RuleEditor = lazy(() => import('./rule_editor').then((module) => module.RuleEditor));
const DraftsList = lazy(() => import('./rule_editor').then((module) => module.DraftsList));

const TABS = ['list', 'edit', 'replay', 'shadow', 'versions'] as const;
type Tab = (typeof TABS)[number];

export function RulesView({ tab }: { tab: string }) {
  const rule = route.value.parts[2] ?? '';
  const at: Tab = TABS.find((one) => one === tab) ?? 'list';
  return (
    <main class="page models" id="main" tabIndex={-1}>
      <h1>{t('rules')}</h1>
      <nav class="tabs" aria-label={t('rules')}>
        {TABS.filter((one) => one !== 'edit' || mayPromote.value).map((one) => (
          <a key={one} href={href('rules', one)} aria-current={one === at ? 'page' : undefined}>
            {tCode('rules.tab', one)}
          </a>
        ))}
      </nav>
      {at === 'list' && <RuleList />}
      {at === 'edit' && <Suspense fallback={<Waiting />}>{rule ? <RuleEditor key={rule} id={rule} /> : <DraftsList />}</Suspense>}
      {at === 'replay' && <Replays />}
      {at === 'shadow' && <ShadowRules />}
      {at === 'versions' && <Approvals />}
    </main>
  );
}
