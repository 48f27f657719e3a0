/** The triage models: figures, who promoted them, and how the odds that were told came true. */
import { useState } from 'preact/hooks';
import { moment, quantity } from '../clock';
import type { Models, TriageModel } from '../contract';
import { t } from '../i18n';
import { useAsked } from '../router';
import { mayPromote } from '../store';
import { Compare } from './models_compare';
import { CalibrationCurve, percent } from './plots';
import { PromotedBy, PromotionDialog, type Step } from './promotion';

const OF = 'triage'; // what the API calls it

export function TriageModels({ models, again }: { models: Models; again: () => void }) {
  const [step, setStep] = useState<Step | null>(null);
  const [shown, show] = useAsked('version');
  const [other, setOther] = useState('');
  const list = models.triage;
  const current = list.find((one) => one.in_force);
  const one = list.find((each) => each.version === shown) ?? current ?? list[0];
  const second = list.find((each) => each.version === other && each.version !== one?.version);
  if (!one) return <p class="quiet empty">{t('triage.empty')}</p>;
  const begin = (kind: Step['kind'], version: string) =>
    setStep({ kind, of: OF, name: t('triage.name'), version, present: current?.version ?? '' });
  return (
    <>
      <p class="quiet">{t('triage.help')}</p>
      <div class="scroll-x" tabIndex={0} role="group" aria-label={t('models.tab.triage')}>
        <table class="model-table" data-test="triage-models">
          <thead>
            <tr>
              <th scope="col">{t('models.version')}</th>
              <th scope="col" class="number">{t('triage.verdicts')}</th>
              <th scope="col" class="number">{t('triage.brier')}</th>
              <th scope="col" class="number">{t('triage.order')}</th>
              <th scope="col">{t('models.learnt')}</th>
              <th scope="col">{t('models.drift')}</th>
              <th scope="col">{t('models.promoted')}</th>
              <th scope="col"><span class="only-read">{t('column.actions')}</span></th>
            </tr>
          </thead>
          <tbody>
            {list.map((each) => (
              <tr key={each.version} class={each.in_force ? 'in-force' : ''} data-version={each.version}>
                <th scope="row">
                  <button type="button" class="plain code" aria-pressed={each.version === one.version} onClick={() => show(each.version)}>
                    {each.version}
                  </button>
                  {each.in_force && <span class="chip model-on">{t('models.in_force')}</span>}
                </th>
                <td class="number">{t('triage.of', { real: quantity(each.figures.real), n: quantity(each.figures.verdicts) })}</td>
                <td class="number">
                  {each.figures.brier.toFixed(3)}
                  <span class="quiet model-why">{t('triage.constant', { n: each.figures.brier_constant.toFixed(3) })}</span>
                </td>
                <td class="number">{percent(each.figures.order)}</td>
                <td>
                  {moment(each.begin)} – {moment(each.end)}
                  <span class="quiet model-why">{t('models.code.short', { code: each.code })}</span>
                </td>
                <td>{sinceWord(each)}</td>
                <td>
                  <PromotedBy by={each.promoted} />
                </td>
                <td>
                  {mayPromote.value && (
                    <button type="button" onClick={() => begin(each.in_force ? 'rollback' : 'promote', each.version)}>
                      {t(each.in_force ? 'models.rollback' : 'models.promote')} <span class="only-read">{each.version}</span>
                    </button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <section class="model-curve" aria-labelledby="curve-title">
        <h2 id="curve-title">{t('triage.curve', { version: one.version })}</h2>
        <CalibrationCurve bins={one.figures.bins} />
        <Bins one={one} />
      </section>
      {list.length > 1 && (
        <label class="stacked model-other">
          <span>{t('triage.compare')}</span>
          <select value={second?.version ?? ''} onChange={(event) => setOther(event.currentTarget.value)}>
            <option value="">{t('triage.compare.none')}</option>
            {list.filter((each) => each !== one).map((each) => (
              <option key={each.version} value={each.version}>
                {each.version}
              </option>
            ))}
          </select>
        </label>
      )}
      {second && <Compare columns={[one, second].map(column)} />}
      {step && <PromotionDialog step={step} onClose={() => setStep(null)} after={again} />}
    </>
  );
}

function Bins({ one }: { one: TriageModel }) {
  return (
    <table class="model-bins">
      <caption>{t('triage.bins', { n: quantity(one.figures.tested) })}</caption>
      <thead>
        <tr>
          <th scope="col" class="number">{t('triage.bins.alarms')}</th>
          <th scope="col" class="number">{t('triage.bins.told')}</th>
          <th scope="col" class="number">{t('triage.bins.real')}</th>
        </tr>
      </thead>
      <tbody>
        {one.figures.bins.map((bin, at) => (
          <tr key={at}>
            <td class="number">{quantity(bin.count)}</td>
            <td class="number">{percent(bin.told)}</td>
            <td class="number">{percent(bin.real)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const FEWEST = 30; // verdicts from which "no drift" means something

function sinceWord({ since }: TriageModel): string {
  if (!since) return '—';
  if (since.verdicts < FEWEST) return t('triage.since.few', { n: since.verdicts });
  const values = { n: quantity(since.verdicts), told: percent(since.told), real: percent(since.real) };
  return t(since.drifted ? 'triage.since.drift' : 'triage.since.well', values);
}

function column(one: TriageModel) {
  const { figures } = one;
  return {
    version: one.version,
    facts: {
      [t('models.in_force')]: t(one.in_force ? 'yes' : 'no'),
      [t('triage.verdicts')]: t('triage.of', { real: quantity(figures.real), n: quantity(figures.verdicts) }),
      [t('triage.tested')]: quantity(figures.tested),
      [t('triage.brier')]: figures.brier.toFixed(3),
      [t('triage.brier.constant')]: figures.brier_constant.toFixed(3),
      [t('triage.order')]: percent(figures.order),
      ...Object.fromEntries(
        figures.bins.map((bin, at) => [t('triage.bin', { n: at + 1 }), `${percent(bin.told)} → ${percent(bin.real)}`]),
      ),
      [t('models.from')]: moment(one.begin),
      [t('models.to')]: moment(one.end),
      [t('models.drift')]: sinceWord(one),
      [t('models.trained')]: moment(one.trained),
      [t('models.code')]: one.code,
    },
  };
}
