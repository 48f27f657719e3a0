/** The steps of a plan, ticked one by one, on the incident or from a unit's phone; and what stands beside them. */
import { useState } from 'preact/hooks';
import { api, sheet } from '../api';
import { clockTime, moment } from '../clock';
import type { CheckedStep, Checklist, FurtherPlan } from '../contract';
import { t, tName } from '../i18n';
import { Action } from './action';
import { Dialog } from './dialog';
import { Footer } from './form';
import { actorName } from './marks';
import { tell } from './notices';
import { tickAhead, tickStep, untickStep } from '../outbox';
import { areaName } from '../store';

interface Props {
  plan: Checklist;
  on: 'incidents' | 'dispatches';
  id: string;
  open: boolean; // whether this person may tick
  after?: () => void;
}

export function PlanSteps({ plan, on, id, open, after }: Props) {
  const done = plan.steps.filter((step) => isTicked(id, step)).length;
  return (
    <>
      <h2>
        {tName(plan.name)} <span class="quiet digits">{`${done}/${plan.steps.length}`}</span>
      </h2>
      <ol class="steps" data-test="plan-steps">
        {plan.steps.map((step, index) => (
          <Step key={step.id} step={step} number={index + 1} on={on} id={id} open={open} after={after} />
        ))}
      </ol>
    </>
  );
}

/** Whether a step is ticked, as this unit left it where its word still waits for a link. */
export function isTicked(dispatch: string, step: CheckedStep): boolean {
  const ahead = tickAhead(dispatch, step.id);
  return ahead ? ahead.step === 'tick' : Boolean(step.ticked);
}

/** A plan that is there to be read: of an area beside the one whose plan the incident keeps to. */
export function OfferedPlan({ plan, wanted = false }: { plan: FurtherPlan; wanted?: boolean }) {
  return (
    <details open={wanted}>
      <summary>{t('plan.of_area', { plan: tName(plan.name), areas: plan.areas.map(areaName).join(t('list.comma')) })}</summary>
      <ol class="steps">
        {plan.steps.map((step, index) => (
          <Step key={step.id} step={step} number={index + 1} on="incidents" id="" open={false} />
        ))}
      </ol>
      <PlanFurther plan={plan} />
    </details>
  );
}

function Step({ step, number, on, id, open, after }: { step: CheckedStep; number: number; on: Props['on']; id: string; open: boolean; after?: (() => void) | undefined }) {
  const [undoing, setUndoing] = useState(false);
  const about = [tName(step.role), step.due ? '' : t('plan.from', { level: t(`level.${step.level}`) })].filter(Boolean).join(' · ');
  const ahead = tickAhead(id, step.id);
  const ticked = isTicked(id, step);
  const tick = ahead ? null : step.ticked;
  return (
    <li class={ticked ? 'ticked' : step.due ? '' : 'later'}>
      <span class="box" aria-hidden="true">{ticked ? '✓' : number}</span>
      <span>
        {tName(step.text)}
        {about && <span class="quiet"> {about}</span>}
        {tick && (
          <span class="quiet">
            {t('plan.ticked', { who: actorName(tick.by), when: moment(tick.time) })} {tick.note}
          </span>
        )}
        {ahead && <span class="quiet"> {`${t(`plan.${ahead.step as 'tick' | 'untick'}`)} ${clockTime(ahead.made)} · ${t('queue.unsent')}`}</span>}
      </span>
      {open && !ticked && (
        <Action class="plain tick" run={() => (on === 'dispatches' ? tickStep(id, step) : api.tick(on, id, step.id, ''))} {...(after ? { after } : {})}>
          {t('plan.tick')}
          <span class="only-read"> {tName(step.text)}</span>
        </Action>
      )}
      {open && ticked && (
        <button type="button" class="plain tick" onClick={() => setUndoing(true)}>
          {t('plan.untick')}
          <span class="only-read"> {tName(step.text)}</span>
        </button>
      )}
      {undoing && <Undo step={step} on={on} id={id} onClose={() => setUndoing(false)} after={after} />}
    </li>
  );
}

function Undo({ step, on, id, onClose, after }: { step: CheckedStep; on: Props['on']; id: string; onClose: () => void; after?: (() => void) | undefined }) {
  const [reason, setReason] = useState('');
  return (
    <Dialog title={t('plan.untick')} onClose={onClose}>
      <form onSubmit={(event) => event.preventDefault()}>
        <p>{tName(step.text)}</p>
        <label class="stacked">
          <span>{t('plan.untick.why')}</span>
          <input value={reason} maxLength={900} onInput={(event) => setReason(event.currentTarget.value)} />
        </label>
        <Footer
          onClose={onClose}
          disabled={!reason.trim()}
          run={() => (on === 'dispatches' ? untickStep(id, step, reason.trim()) : api.untick(on, id, step.id, reason.trim()))}
          after={after}
          word={t('plan.untick')}
        />
      </form>
    </Dialog>
  );
}

/** Whom to call, what to tell the public, and the sheet to print. */
export function PlanFurther({ plan, incident }: { plan: Checklist; incident?: string }) {
  const copy = (text: string) => {
    void navigator.clipboard?.writeText(text).then(() => tell(t('plan.copied')));
  };
  return (
    <div class="plan-further">
      {plan.contacts.length > 0 && (
        <details>
          <summary>{t('plan.contacts', { n: plan.contacts.length })}</summary>
          <ul class="plain-list">
            {plan.contacts.map((one) => (
              <li key={one.phone + one.name.en}>
                <a href={`tel:${one.phone.replace(/[^0-9+*#]/g, '')}`} class="digits">{one.phone}</a> {tName(one.name)}{' '}
                <span class="quiet">{tName(plan.roles[one.role])}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
      {plan.drafts.length > 0 && (
        <details>
          <summary>{t('plan.drafts', { n: plan.drafts.length })}</summary>
          {plan.drafts.map((draft) => (
            <div key={draft.id} class="draft">
              <p class="quiet">{tName(draft.name)}</p>
              {(['zh', 'en'] as const).map((tongue) => (
                <p key={tongue} lang={tongue === 'zh' ? 'zh-CN' : 'en'}>
                  {draft.text[tongue]}{' '}
                  <button type="button" class="plain" onClick={() => copy(draft.text[tongue])}>
                    {t('plan.copy')}
                  </button>
                </p>
              ))}
            </div>
          ))}
        </details>
      )}
      {plan.overlays.length > 0 && (
        <p class="quiet">
          {t('plan.overlays')} {plan.overlays.map((one) => `${tName(one.name)} (${one.file})`).join(t('list.comma'))}
        </p>
      )}
      <p>
        <a href={sheet(incident ? `/incidents/${encodeURIComponent(incident)}/plan.pdf` : `/plans/${encodeURIComponent(plan.id)}/sheet.pdf`)} target="_blank" rel="noopener">
          {t('plan.print')}
        </a>{' '}
        <span class="quiet">{t('plan.version', { version: plan.version })}</span>
      </p>
    </div>
  );
}
