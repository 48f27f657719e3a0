/** Small plots drawn as SVG: how often scores come for what they say, and how odds came true. */
import { quantity } from '../clock';
import type { LevelRates } from '../contract';
import { t } from '../i18n';

export function percent(share: number, digits = 0): string {
  return `${(share * 100).toFixed(digits)} %`;
}

const WIDTH = 640;
const HEIGHT = 260;
const LEFT = 46;
const RIGHT = 14;
const TOP = 12;
const BOTTOM = 34;
const RATIOS = [0.1, 0.5, 1, 2, 10, 100];

const across = (share: number) => LEFT + share * (WIDTH - LEFT - RIGHT);
const up = (part: number) => HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM);
/** The height of a rate over the nominal one: a tenth at the bottom, a hundred times at the top. */
const upRatio = (ratio: number) => up((Math.log10(Math.min(Math.max(ratio, 0.1), 100)) + 1) / 3);

const path = (points: [number, number][]) => points.map(([x, y], at) => `${at ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`).join('');

/** All points' rates over the nominal one, highest first, by level; the band is within a half and twice. */
export function RatesPlot({ levels }: { levels: LevelRates[] }) {
  const told = levels.filter((one) => one.ratio.length);
  return (
    <figure class="plot-figure">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={told.map(summary).join(' ')} class="model-plot" data-test="rates-plot">
        <rect class="fair" x={LEFT} width={WIDTH - LEFT - RIGHT} y={upRatio(2)} height={upRatio(0.5) - upRatio(2)} />
        {RATIOS.map((ratio) => (
          <g key={ratio}>
            <line class={ratio === 1 ? 'nominal' : 'grid'} x1={LEFT} x2={WIDTH - RIGHT} y1={upRatio(ratio)} y2={upRatio(ratio)} />
            <text x={LEFT - 6} y={upRatio(ratio) + 4} text-anchor="end">
              {quantity(ratio)}×
            </text>
          </g>
        ))}
        {[0, 0.25, 0.5, 0.75, 1].map((share) => (
          <text key={share} x={across(share)} y={HEIGHT - 18} text-anchor={share === 0 ? 'start' : share === 1 ? 'end' : 'middle'}>
            {percent(share)}
          </text>
        ))}
        <text x={across(0.5)} y={HEIGHT - 3} text-anchor="middle">
          {t('calibration.plot.across')}
        </text>
        {told.map((one, at) => (
          <path key={one.level} class={at ? 'curve' : 'curve dashed'} d={path(one.share.map((share, place) => [across(share), upRatio(one.ratio[place] ?? 0)]))} />
        ))}
      </svg>
      <figcaption>
        {told.map((one, at) => (
          <span key={one.level}>
            <svg width="30" height="10" aria-hidden="true" class="model-plot">
              <path class={at ? 'curve' : 'curve dashed'} d="M0 5L30 5" />
            </svg>{' '}
            {summary(one)}
          </span>
        ))}
      </figcaption>
    </figure>
  );
}

function summary(one: LevelRates): string {
  const least = one.ratio.at(-1) ?? 0;
  const middle = one.ratio[Math.floor(one.ratio.length / 2)] ?? 0;
  return t('calibration.plot.summary', {
    level: one.level, fair: percent(one.fair ?? 0), points: quantity(one.points),
    most: quantity(one.ratio[0] ?? 0), middle: quantity(middle), least: quantity(least),
  });
}

/** Odds that were told against the share that was real, bin by bin; on the diagonal they were right. */
export function CalibrationCurve({ bins }: { bins: { count: number; told: number; real: number }[] }) {
  const most = Math.max(...bins.map((bin) => bin.count), 1);
  const label = bins.map((bin) => t('triage.curve.point', { told: percent(bin.told), real: percent(bin.real), n: bin.count })).join(' ');
  return (
    <figure class="plot-figure">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT + 60}`} role="img" aria-label={label} class="model-plot" data-test="calibration-curve">
        <g transform="translate(0 60)">
          {[0, 0.25, 0.5, 0.75, 1].map((share) => (
            <g key={share}>
              <line class="grid" x1={LEFT} x2={WIDTH - RIGHT} y1={tall(share)} y2={tall(share)} />
              <text x={LEFT - 6} y={tall(share) + 4} text-anchor="end">
                {percent(share)}
              </text>
              <text x={across(share)} y={HEIGHT - 18} text-anchor={share === 1 ? 'end' : 'middle'}>
                {percent(share)}
              </text>
            </g>
          ))}
          <line class="nominal" x1={across(0)} x2={across(1)} y1={tall(0)} y2={tall(1)} />
          <path class="curve" d={path(bins.map((bin) => [across(bin.told), tall(bin.real)]))} />
          {bins.map((bin, at) => (
            <circle key={at} class="dot" cx={across(bin.told)} cy={tall(bin.real)} r={4 + 5 * Math.sqrt(bin.count / most)} />
          ))}
          <text x={across(0.5)} y={HEIGHT - 3} text-anchor="middle">
            {t('triage.curve.across')}
          </text>
        </g>
      </svg>
      <figcaption>{t('triage.curve.help')}</figcaption>
    </figure>
  );
}

const tall = (share: number) => HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM + 60 - TOP);
