/** The areas' models: those in force, and all that were learnt; two of one area side by side. */
import { useState } from 'preact/hooks';
import { duration, moment, quantity } from '../clock';
import type { AreaModel, LearntModel, Models } from '../contract';
import { t, tCode } from '../i18n';
import { areaName, mayPromote, pointName } from '../store';
import { Compare, type Column } from './models_compare';
import { percent } from './plots';
import { PromotedBy, PromotionDialog, type Step } from './promotion';

export function AreaModels({ models, again }: { models: Models; again: () => void }) {
  const [step, setStep] = useState<Step | null>(null);
  const [chosen, setChosen] = useState<string[]>([]);
  const live = new Map(models.items.map((one) => [`${one.area} ${one.version}`, one]));
  const present = new Map(models.learnt.filter((one) => one.in_force).map((one) => [one.area, one.version]));
  const pair = models.learnt.filter((one) => chosen.includes(one.version));
  if (!models.learnt.length) return <p class="quiet empty">{t('models.empty')}</p>;
  const choose = (version: string) =>
    setChosen((old) => (old.includes(version) ? old.filter((one) => one !== version) : [...old, version].slice(-2)));
  return (
    <>
      <p class="quiet">{t('models.areas.help')}</p>
      <div class="scroll-x" tabIndex={0} role="group" aria-label={t('models.tab.areas')}>
        <table class="model-table" data-test="area-models">
          <thead>
            <tr>
              <th scope="col">{t('models.compare')}</th>
              <th scope="col">{t('models.version')}</th>
              <th scope="col">{t('models.area')}</th>
              <th scope="col">{t('models.kind')}</th>
              <th scope="col">{t('models.learnt')}</th>
              <th scope="col" class="number">{t('models.found')}</th>
              <th scope="col" class="number">{t('models.false')}</th>
              <th scope="col">{t('models.drift')}</th>
              <th scope="col">{t('models.promoted')}</th>
              <th scope="col"><span class="only-read">{t('column.actions')}</span></th>
            </tr>
          </thead>
          <tbody>
            {models.learnt.map((one) => (
              <Row
                key={`${one.area} ${one.version}`}
                one={one}
                live={live.get(`${one.area} ${one.version}`)}
                chosen={chosen.includes(one.version)}
                choose={() => choose(one.version)}
                present={present.get(one.area) ?? ''}
                begin={setStep}
              />
            ))}
          </tbody>
        </table>
      </div>
      {chosen.length === 1 && <p class="quiet">{t('models.compare.another')}</p>}
      {pair.length === 2 && <Compare columns={pair.map((one) => column(one, live.get(`${one.area} ${one.version}`)))} command="compare" />}
      {step && <PromotionDialog step={step} onClose={() => setStep(null)} after={again} />}
    </>
  );
}

interface RowProps {
  one: LearntModel;
  live: AreaModel | undefined;
  chosen: boolean;
  choose: () => void;
  present: string;
  begin: (step: Step) => void;
}

function Row({ one, live, chosen, choose, present, begin }: RowProps) {
  const trial = one.tried.find((each) => each.kind === one.kind && each.found >= 0);
  const step = (kind: Step['kind']) => begin({ kind, of: one.area, name: areaName(one.area), version: one.version, present });
  return (
    <tr class={one.in_force ? 'in-force' : ''} data-version={one.version}>
      <td>
        <input type="checkbox" checked={chosen} onChange={choose} aria-label={t('models.compare.one', { version: one.version })} />
      </td>
      <th scope="row">
        <span class="code">{one.version}</span>
        {one.in_force && <span class="chip model-on">{t('models.in_force')}</span>}
      </th>
      <td>
        {areaName(one.area)}
        <span class="quiet model-why">{one.points.map(pointName).join(t('list.comma'))}</span>
        {one.missing.length > 0 && <span class="model-why model-bad">{t('models.missing', { what: one.missing.join(', ') })}</span>}
      </td>
      <td>{tCode('models.kind', one.kind)}</td>
      <td>
        {moment(one.begin)} – {moment(one.end)}
        <span class="quiet model-why">{t('models.rows', { n: quantity(one.rows), code: one.code })}</span>
      </td>
      <td class="number">{trial ? percent(trial.found) : '—'}</td>
      <td class="number">{trial ? percent(trial.false, 2) : '—'}</td>
      <td>{driftWord(live)}</td>
      <td>
        <PromotedBy by={one.promoted} />
      </td>
      <td>
        {mayPromote.value &&
          (one.in_force ? (
            <button type="button" onClick={() => step('rollback')}>
              {t('models.rollback')} <span class="only-read">{one.version}</span>
            </button>
          ) : (
            <button type="button" disabled={one.missing.length > 0} onClick={() => step('promote')}>
              {t('models.promote')} <span class="only-read">{one.version}</span>
            </button>
          ))}
      </td>
    </tr>
  );
}

const ENOUGH = 30; // rows as good as independent from which "no drift" means something

function driftWord(live: AreaModel | undefined): string {
  if (!live) return '—';
  if (!live.drift || (!live.drift.drifted && live.drift.independent < ENOUGH)) return t('models.drift.counting');
  const values = { outside: percent(live.drift.outside), usual: percent(live.drift.usual) };
  return t(live.drift.drifted ? 'models.drift.yes' : 'models.drift.no', values);
}

function column(one: LearntModel, live: AreaModel | undefined): Column {
  const tried = Object.fromEntries(
    one.tried.map((each) => [
      t('models.compare.tried', { kind: tCode('models.kind', each.kind) }),
      each.found < 0 ? t('models.untried') : `${percent(each.found)} / ${percent(each.false, 2)}`,
    ]),
  );
  return {
    version: one.version,
    facts: {
      [t('models.area')]: areaName(one.area),
      [t('models.in_force')]: t(one.in_force ? 'yes' : 'no'),
      [t('models.kind')]: tCode('models.kind', one.kind),
      [t('models.points')]: one.points.map(pointName).join(t('list.comma')),
      [t('models.from')]: moment(one.begin),
      [t('models.to')]: moment(one.end),
      [t('models.row_count')]: quantity(one.rows),
      [t('models.interval')]: duration(one.interval),
      ...tried,
      [t('models.drift')]: driftWord(live),
      [t('models.source')]: one.source,
      [t('models.trained')]: moment(one.trained),
      [t('models.code')]: one.code,
    },
  };
}
