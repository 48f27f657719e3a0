/** Plots of a situation report, drawn as SVG: alarms over time by level, and the share of time with data in order. */
import { LEVELS, type Level } from '../contract';
import { t } from '../i18n';
import { percent } from './plots';

const WIDTH = 640;
const HEIGHT = 190;
const LEFT = 52;
const TOP = 18;
const BOTTOM = 26;
const DEEP = HEIGHT - TOP - BOTTOM;
const UP: readonly Level[] = ['blue', 'yellow', 'orange', 'red'];

/** Bars of counts, stacked by level; the sum stands above each. Under it the same as a table for those who listen. */
export function AlarmBars({ series, labels }: { series: Record<Level, number[]>; labels: string[] }) {
  const sums = labels.map((_, at) => UP.reduce((sum, level) => sum + (series[level][at] ?? 0), 0));
  const most = 2 * Math.ceil(Math.max(2, ...sums) / 2); // even: half of it is a number of alarms, too
  const step = (WIDTH - LEFT - 8) / labels.length;
  const said = labels.map((label, at) => `${label}: ${sums[at]}`).join(', ');
  return (
    <figure class="plot-figure report-plot">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={`${t('report.series')}. ${said}`} class="model-plot" data-test="alarm-bars">
        <Frame scale={[0, most / 2, most].map(String)} />
        {labels.map((label, at) => {
          let foot = HEIGHT - BOTTOM;
          const x = LEFT + at * step;
          return (
            <g key={label}>
              {UP.map((level) => {
                const tall = ((series[level][at] ?? 0) / most) * DEEP;
                foot -= tall;
                return tall > 0 && <rect key={level} class={`level-bar level-${level}`} x={x + step * 0.14} width={step * 0.72} y={foot} height={tall} />;
              })}
              {!!sums[at] && labels.length <= 24 && (
                <text x={x + step / 2} y={foot - 4} text-anchor="middle">
                  {sums[at]}
                </text>
              )}
              <Label at={at} labels={labels} x={x + step / 2} />
            </g>
          );
        })}
      </svg>
      <figcaption class="report-key">
        {LEVELS.map((level) => (
          <span key={level}>
            <svg width="12" height="12" aria-hidden="true" class="model-plot">
              <rect class={`level-bar level-${level}`} width="12" height="12" />
            </svg>{' '}
            {t(`level.${level}`)} <b class="digits">{series[level].reduce((sum, one) => sum + one, 0)}</b>
          </span>
        ))}
      </figcaption>
    </figure>
  );
}

/** Lines of shares, from the lowest of them up; broken where nothing is known. */
export function ShareLines({ lines, labels }: { lines: { name: string; series: (number | null)[]; share: number | null }[]; labels: string[] }) {
  const known = lines.flatMap((line) => line.series).filter((one): one is number => one !== null);
  const lowest = Math.min(1, ...known);
  const least = [0.99, 0.95, 0.9, 0.8, 0.5].find((low) => lowest >= low) ?? 0;
  const step = (WIDTH - LEFT - 8) / labels.length;
  const place = (share: number) => TOP + DEEP * (1 - (share - least) / (1 - least));
  return (
    <figure class="plot-figure report-plot">
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" class="model-plot" data-test="share-lines"
        aria-label={`${t('report.available')}. ${lines.map((line) => `${line.name}: ${share(line.share)}`).join(', ')}`}
      >
        <Frame scale={[least, (least + 1) / 2, 1].map((one) => percent(one, one === 1 || one * 100 === Math.round(one * 100) ? 0 : 1))} />
        {lines.map((line, at) => (
          <g key={line.name}>
            {runs(line.series).map((run) => {
              const spots = run.map((one) => [(LEFT + (one.at + 0.5) * step).toFixed(1), place(one.share).toFixed(1)] as const);
              return spots.length > 1 ? (
                <path key={run[0]?.at} class={at ? 'curve dashed' : 'curve'} d={`M${spots.map((spot) => spot.join(' ')).join('L')}`} />
              ) : (
                <circle key={run[0]?.at} class={at ? 'spot second' : 'spot'} cx={spots[0]?.[0]} cy={spots[0]?.[1]} r={3} />
              );
            })}
          </g>
        ))}
        {labels.map((label, at) => (
          <Label key={label} at={at} labels={labels} x={LEFT + (at + 0.5) * step} />
        ))}
      </svg>
      <figcaption class="report-key">
        {lines.map((line, at) => (
          <span key={line.name}>
            <svg width="30" height="10" aria-hidden="true" class="model-plot">
              <path class={at ? 'curve dashed' : 'curve'} d="M0 5L30 5" />
            </svg>{' '}
            {line.name} <b class="digits">{share(line.share)}</b>
          </span>
        ))}
      </figcaption>
    </figure>
  );
}

/** A share in words; a dash where nothing is known. */
export function share(value: number | null): string {
  return value === null ? '—' : percent(value, 1);
}

function Frame({ scale }: { scale: string[] }) {
  return (
    <>
      {scale.map((label, at) => {
        const y = HEIGHT - BOTTOM - (DEEP * at) / (scale.length - 1);
        return (
          <g key={at}>
            <line class="grid" x1={LEFT} x2={WIDTH - 8} y1={y} y2={y} />
            <text x={LEFT - 6} y={y + 4} text-anchor="end">
              {label}
            </text>
          </g>
        );
      })}
    </>
  );
}

function Label({ at, labels, x }: { at: number; labels: string[]; x: number }) {
  const every = labels.length <= 12 ? 1 : labels.length <= 24 ? 3 : 5;
  if (at % every) return null;
  return (
    <text x={x} y={HEIGHT - 8} text-anchor="middle">
      {labels[at]}
    </text>
  );
}

function runs(series: (number | null)[]): { at: number; share: number }[][] {
  const found: { at: number; share: number }[][] = [];
  let broken = true;
  series.forEach((one, at) => {
    if (one === null) {
      broken = true;
      return;
    }
    if (broken) found.push([]);
    broken = false;
    found.at(-1)?.push({ at, share: one });
  });
  return found;
}
