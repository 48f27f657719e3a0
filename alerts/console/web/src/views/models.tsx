/** Models and calibration, for analysts: what is in force and why, how well it keeps its promise, what was guessed. */
import { api } from '../api';
import { AreaModels } from '../components/models_areas';
import { GuessedKinds } from '../components/models_guessed';
import { PointCalibrations } from '../components/models_points';
import { TriageModels } from '../components/models_triage';
import { Failed, useLoad, Waiting } from '../components/load';
import { t, tCode, tName } from '../i18n';
import { href } from '../router';

const TABS = ['areas', 'triage', 'points', 'kinds'] as const;
type Tab = (typeof TABS)[number];

export function ModelsView({ tab }: { tab: string }) {
  const at: Tab = TABS.find((one) => one === tab) ?? 'areas';
  return (
    <main class="page models" id="main" tabIndex={-1}>
      <h1>{t('models')}</h1>
      <nav class="tabs" aria-label={t('models')}>
        {TABS.map((one) => (
          <a key={one} href={href('models', one)} aria-current={one === at ? 'page' : undefined}>
            {tCode('models.tab', one)}
          </a>
        ))}
      </nav>
      {at === 'points' && <PointCalibrations />}
      {at === 'kinds' && <GuessedKinds />}
      {(at === 'areas' || at === 'triage') && <Learnt tab={at} />}
    </main>
  );
}

function Learnt({ tab }: { tab: 'areas' | 'triage' }) {
  const { data, error, again } = useLoad(() => api.models(), 'models');
  if (!data) return error ? <Failed error={error} again={again} /> : <Waiting />;
  const warnings = [...data.items, ...data.triage].map((one) => tName(one.warning)).filter(Boolean);
  return (
    <>
      {error && <Failed error={error} again={again} />}
      {(warnings.length > 0 || data.problems.length > 0) && (
        <ul class="model-warnings" data-test="model-warnings">
          {[...warnings, ...data.problems].map((one) => (
            <li key={one}>{one}</li>
          ))}
        </ul>
      )}
      {tab === 'areas' ? <AreaModels models={data} again={again} /> : <TriageModels models={data} again={again} />}
    </>
  );
}
