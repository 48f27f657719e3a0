/** The prepared response as a checklist. */
import { useMemo } from 'preact/hooks';
import { api } from '../api';
import { duration, moment } from '../clock';
import type { Alarm, FurtherPlan, IncidentDetail, Rationale } from '../contract';
import { t, tName } from '../i18n';
import { mayComment, mayOperate } from '../store';
import { Action } from './action';
import { OfferedPlan, PlanFurther, PlanSteps } from './checklist';
import { actorName } from './marks';

const MARK = '☑';

export function Plan({ incident, alarm }: { incident: IncidentDetail; alarm: Alarm | undefined }) {
  return (
    <>
      {incident.plan ? (
        <section class="panel plan" aria-label={t('plan')}>
          <PlanSteps plan={incident.plan} on="incidents" id={incident.id} open={mayOperate.value && incident.state !== 'closed'} />
          <PlanFurther plan={incident.plan} incident={incident.id} />
          {alarm?.rationale && <Reasons rationale={alarm.rationale} />}
        </section>
      ) : (
        <RulePlan incident={incident} alarm={alarm} />
      )}
      {incident.further_plans?.length ? <FurtherPlans plans={incident.further_plans} /> : null}
    </>
  );
}

/** The plans of the incident's other areas, that of the worst alarm first: to be read beside the one that is ticked. */
function FurtherPlans({ plans }: { plans: FurtherPlan[] }) {
  return (
    <section class="panel plan" aria-label={t('plan.further')} data-test="further-plans">
      <h2>{t('plan.further')}</h2>
      <p class="quiet">{t('plan.further.hint')}</p>
      {plans.map((plan) => (
        <OfferedPlan key={plan.id} plan={plan} />
      ))}
    </section>
  );
}

/** The checklist of a rule where the site has no plan. A tick is a comment on the incident: everybody sees it. */
function RulePlan({ incident, alarm }: { incident: IncidentDetail; alarm: Alarm | undefined }) {
  const steps = planSteps(alarm);
  const ticks = useMemo(() => {
    const found = new Map<number, { actor: string; time: number }>();
    for (const change of incident.history) {
      const number = change.edge === 'commented' ? tickedStep(String(change.args?.['text'] ?? change.reason ?? '')) : null;
      if (number !== null && !found.has(number)) found.set(number, { actor: actorName(change.actor), time: change.time });
    }
    return found;
  }, [incident.history]);
  const rationale = alarm?.rationale;
  if (!steps.length && !rationale) return null;
  return (
    <section class="panel plan" aria-label={t('plan')}>
      <h2>
        {t('plan')}
        {steps.length > 1 && <span class="quiet digits">{`${ticks.size}/${steps.length}`}</span>}
      </h2>
      {steps.length > 0 && (
        <ol class="steps">
          {steps.map((step, index) => {
            const tick = ticks.get(index + 1);
            return (
              <li key={index} class={tick ? 'ticked' : ''}>
                <span class="box" aria-hidden="true">{tick ? '✓' : index + 1}</span>
                <span>
                  {step}
                  {tick && <span class="quiet">{t('plan.ticked', { who: tick.actor, when: moment(tick.time) })}</span>}
                </span>
                {!tick && mayComment.value && incident.state !== 'closed' && (
                  <Action class="plain tick" run={() => api.comment(incident.id, `${MARK} ${index + 1}. ${step}`)}>
                    {t('plan.tick')}
                    <span class="only-read"> {step}</span>
                  </Action>
                )}
              </li>
            );
          })}
        </ol>
      )}
      {rationale && <Reasons rationale={rationale} />}
    </section>
  );
}

/** The rule's rationale: what it means, what follows, how long there is. */
export function Reasons({ rationale }: { rationale: Rationale }) {
  const rows: [string, string][] = [
    [t('rationale.cause'), tName(rationale.cause)],
    [t('rationale.consequence'), tName(rationale.consequence)],
    [t('rationale.time'), respondWithin(rationale.time_to_respond)],
    [t('rationale.owner'), tName(rationale.owner)],
  ];
  return (
    <dl class="reasons">
      {rows.filter(([, text]) => text).map(([label, text]) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>{text}</dd>
        </div>
      ))}
    </dl>
  );
}

function respondWithin(time: number | string | undefined): string {
  if (time === undefined) return '';
  if (typeof time === 'number') return duration(time);
  const words = /^(\d+(?:\.\d+)?)\s*(s|min|h|d)$/.exec(time.trim());
  return words ? duration(Number(words[1]) * { s: 1, min: 60, h: 3600, d: 86400 }[words[2] as 's' | 'min' | 'h' | 'd']) : time;
}

/** The steps of the plan if the rule has one, else of its rationale's response: one a line or sentence. */
export function planSteps(alarm: Alarm | undefined): string[] {
  const plan = alarm?.plan ?? alarm?.rationale?.plan;
  if (plan?.length) return plan.map((step) => tName(step)).filter(Boolean);
  const response = alarm?.rationale?.response;
  if (Array.isArray(response)) return response.map((step) => tName(step)).filter(Boolean);
  return tName(response).split(/\n|[；;。]\s*/).map((step) => step.trim()).filter(Boolean);
}

/** The number of the step that a comment ticks, or null. */
export function tickedStep(text: string): number | null {
  const match = /^☑ (\d+)\. /.exec(text);
  return match ? Number(match[1]) : null;
}
