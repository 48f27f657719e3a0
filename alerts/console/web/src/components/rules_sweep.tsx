/** A sweep: what each threshold and delay of a rule would have done, as a chart and as a table. */
import { duration, quantity } from '../clock';
import type { SweepResult, Tried } from '../contract';
import { t } from '../i18n';

const WIDE = 640;
const HIGH = 260;
const EDGE = 44;

/** By what it is drawn and named: a limit of the registry is multiplied, a number of the rule is written. */
const named = (one: Tried) => (one.limit ? `${one.limit} ×${quantity(one.factor)}` : quantity(one.threshold));

export function Sweep({ result }: { result: SweepResult }) {
  const tries = result.sweep;
  const rows = [...new Set(tries.map((one) => one.delay))].sort((a, b) => a - b);
  const columns = [...new Map(tries.map((one) => [one.factor, one])).values()].sort((a, b) => a.factor - b.factor);
  const most = Math.max(...tries.map((one) => one.false), 1);
  const wide = (WIDE - EDGE) / columns.length;
  const high = (HIGH - EDGE) / rows.length;
  const pick = tries.find((one) => one.suggested);
  return (
    <>
      <p class="quiet">{t('sweep.help', { n: result.judged })}</p>
      <p data-test="suggested">{pick ? t('sweep.suggested', { when: pick.when, delay: duration(pick.delay) }) : t('sweep.none')}</p>
      <figure class="plot-figure">
        <svg viewBox={`0 0 ${WIDE} ${HIGH}`} class="model-plot" role="img" aria-label={t('sweep.chart', { n: tries.length })} data-test="sweep-chart">
          {tries.map((one) => {
            const x = EDGE + columns.findIndex((column) => column.factor === one.factor) * wide;
            const y = (rows.length - 1 - rows.indexOf(one.delay)) * high;
            return (
              <g key={`${one.factor} ${one.delay}`} class={one.missed ? 'sweep-cell missed' : 'sweep-cell'}>
                <rect class="sweep-ground" x={x + 1} y={y + 1} width={wide - 2} height={high - 2} />
                <rect class="sweep-false" x={x + 1} y={y + 1 + (high - 2) * (1 - one.false / most)} width={wide - 2} height={((high - 2) * one.false) / most} />
                <text x={x + wide / 2} y={y + high / 2 + 4} text-anchor="middle">
                  {one.as_it_is ? '●' : one.suggested ? '→' : ''} {one.false}
                  {one.missed ? `/−${one.missed}` : ''}
                </text>
              </g>
            );
          })}
          {columns.map((one, place) => (
            <text key={one.factor} x={EDGE + (place + 0.5) * wide} y={HIGH - EDGE + 18} text-anchor="middle">{named(one)}</text>
          ))}
          {rows.map((one, place) => (
            <text key={one} x={EDGE - 6} y={(rows.length - 1 - place) * high + high / 2 + 4} text-anchor="end">{quantity(one)} s</text>
          ))}
          <text x={EDGE + (WIDE - EDGE) / 2} y={HIGH - 6} text-anchor="middle">{t('sweep.threshold')}</text>
        </svg>
        <figcaption>{t('sweep.legend')}</figcaption>
      </figure>
      <div class="scroll-x" tabIndex={0} role="group" aria-label={t('sweep.begin')}>
        <table class="model-table" data-test="sweep">
          <thead>
            <tr>
              <th scope="col" class="number">{t('sweep.threshold')}</th>
              <th scope="col" class="number">{t('sweep.delay')}</th>
              <th scope="col" class="number">{t('replay.alarms')}</th>
              <th scope="col" class="number">{t('sweep.false')}</th>
              <th scope="col" class="number">{t('sweep.missed')}</th>
              <th scope="col" class="number">{t('replay.lead')}</th>
            </tr>
          </thead>
          <tbody>
            {tries.map((one) => (
              <tr key={`${one.factor} ${one.delay}`} class={one.as_it_is ? 'in-force' : ''}>
                <th scope="row" class="number">
                  {named(one)}
                  {one.as_it_is && <span class="quiet model-why">{t('sweep.as_it_is')}</span>}
                  {one.suggested && <span class="model-good model-why">{t('sweep.better')}</span>}
                </th>
                <td class="number">{duration(one.delay)}</td>
                <td class="number">{one.alarms}</td>
                <td class="number">{one.false}</td>
                <td class="number">{one.missed}</td>
                <td class="number">{one.lead === null ? '—' : duration(one.lead)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}
