/** The site's cameras and how they fare, the worst first; those of an area, or those that are not live. */
import { api } from '../api';
import { duration, moment } from '../clock';
import type { CameraFare, Health } from '../contract';
import { t, tCode } from '../i18n';
import { href, useAsked } from '../router';
import { areaName, cameraName } from '../store';
import { AreaFilter } from './form';
import { Failed, useLoad, Waiting } from './load';
import { PartSymbol } from './map_symbols';
import { share } from './report_plots';

const STATES: readonly Health[] = ['live', 'stale', 'never'];

export function CamerasList() {
  const [area, setArea] = useAsked('area');
  const [state, setState] = useAsked('state');
  const { data, error, again } = useLoad(() => api.cameras(), 'cameras');
  const shown = data?.cameras.filter((one) => (!area || one.area === area) && (!state || one.state === state)) ?? [];
  return (
    <>
      <p class="quiet">{data ? t('cameras.help', { since: moment(data.since) }) : ''}</p>
      <div class="filters">
        <AreaFilter area={area} change={setArea} />
        <label>
          <span>{t('filter.state')}</span>
          <select value={state} onChange={(event) => setState(event.currentTarget.value)}>
            <option value="">{t('filter.any')}</option>
            {STATES.map((one) => (
              <option key={one} value={one}>{t(`map.health.${one}`)}</option>
            ))}
          </select>
        </label>
        <button type="button" onClick={again}>{t('explore.again')}</button>
        <p class="quiet" role="status">{t('filter.count', { n: shown.length })}</p>
      </div>
      {!data && (error ? <Failed error={error} again={again} /> : <Waiting />)}
      {shown.length > 0 && <Table cameras={shown} />}
    </>
  );
}

function Table({ cameras }: { cameras: readonly CameraFare[] }) {
  return (
    <div class="scroll-x" tabIndex={0} role="group" aria-label={t('inputs.tab.cameras')}>
      <table class="model-table" data-test="cameras">
        <thead>
          <tr>
            <th scope="col">{t('cameras.camera')}</th>
            <th scope="col">{t('filter.state')}</th>
            <th scope="col" class="number">{t('cameras.in_order')}</th>
            <th scope="col" class="number">{t('cameras.troubles')}</th>
            <th scope="col" class="number">{t('cameras.repair')}</th>
            <th scope="col">{t('cameras.supplier')}</th>
          </tr>
        </thead>
        <tbody>
          {cameras.map((one) => (
            <tr key={one.camera}>
              <th scope="row">
                <a href={href('map', one.area)}>{cameraName(one.camera)}</a>
                <span class="quiet model-why">{areaName(one.area)}</span>
              </th>
              <td>
                <span class="camera-state">
                  <PartSymbol kind="camera" state={one.state} /> {tCode('map.health', one.state)}
                </span>{' '}
                {one.troubled && <span class="chip">{t('cameras.troubled')}</span>}
              </td>
              <td class="number">{share(one.in_order)}</td>
              <td class="number">{one.troubles}</td>
              <td class="number">{one.time_to_repair === null ? '—' : duration(one.time_to_repair)}</td>
              <td>{one.supplier || '—'}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
