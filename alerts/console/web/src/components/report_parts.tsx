/** What a situation report and the situation page have in common: names of places, times, labels. */
import { duration, markLabel } from '../clock';
import type { ReportLeg, SituationReport, Spread } from '../contract';
import { t, tCode, tName } from '../i18n';
import { directory } from '../store';
import { AlarmBars, share, ShareLines } from './report_plots';

export const LEGS: readonly ReportLeg[] = ['acknowledge', 'accept', 'on_scene', 'resolve', 'close'];

export function placeName(id: string): string {
  return tName(directory.value?.places.get(id)?.name) || id;
}

/** How long something took; a dash where nothing did. */
export function took(seconds: number | null): string {
  return seconds === null ? '—' : duration(seconds);
}

export function labelsOf(report: SituationReport): string[] {
  return report.marks.slice(0, -1).map((mark) => markLabel(mark, report.period === 'day'));
}

export function Times({ report }: { report: SituationReport }) {
  return (
    <div class="scroll-x" tabIndex={0} role="group" aria-label={t('report.times')}>
      <table data-test="report-times">
        <thead>
          <tr>
            <th scope="col">{t('report.leg')}</th>
            <th scope="col" class="number">{t('report.count')}</th>
            <th scope="col" class="number">{t('report.median')}</th>
            <th scope="col" class="number">{t('report.most')}</th>
            <th scope="col" class="number">{t('report.before_median')}</th>
          </tr>
        </thead>
        <tbody>
          {LEGS.map((leg) => {
            const mine: Spread = report.now.times[leg];
            return (
              <tr key={leg}>
                <th scope="row">{tCode('report.leg', leg)}</th>
                <td class="number">{mine.count}</td>
                <td class="number">{took(mine.median)}</td>
                <td class="number">{took(mine.most)}</td>
                <td class="number">{report.compared ? took(report.past.times[leg].median) : '—'}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

export function Bars({ report }: { report: SituationReport }) {
  return <AlarmBars series={report.now.series} labels={labelsOf(report)} />;
}

/** Sensors and cameras over time; those that were never heard of are named, for their silence is no green. */
export function Heard({ report }: { report: SituationReport }) {
  const { points, cameras } = report.now.availability;
  const never = [
    { name: t('report.sensors'), one: points },
    { name: t('report.all_cameras'), one: cameras },
  ].filter(({ one }) => one.never > 0);
  return (
    <>
      <ShareLines
        labels={labelsOf(report)}
        lines={[
          { name: t('report.sensors'), series: points.series, share: points.share },
          { name: t('report.all_cameras'), series: cameras.series, share: cameras.share },
        ]}
      />
      {never.length > 0 && (
        <p class="quiet" data-test="never">
          {never.map(({ name, one }) => t('report.never', { name, n: one.never, of: one.total })).join(t('list.comma'))}
        </p>
      )}
    </>
  );
}

export { share };
