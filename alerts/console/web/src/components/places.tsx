/** The places, or single areas, that an account or a token is confined to; of none it is the whole site. */
import { WHOLE_SITE, type Role, type Text } from '../contract';
import { t, tName } from '../i18n';
import { areaName, directory } from '../store';
import { placeName } from './report_parts';

/** Leave out the places where one of the roles is of the whole site. */
export function confinedTo(roles: readonly Role[], places: string[]): string[] {
  return ofWholeSite(roles) ? [] : places;
}

function ofWholeSite(roles: readonly Role[]): boolean {
  return roles.some((role) => WHOLE_SITE.includes(role));
}

/** Say where somebody may look. */
export function placesOf({ places }: { places?: readonly string[] }): string {
  return places?.length ? places.map(somewhere).join(t('list.comma')) : t('users.place.all');
}

function somewhere(id: string): string {
  return directory.value?.areas.has(id) ? areaName(id) : placeName(id);
}

interface Props {
  roles: readonly Role[];
  places: string[];
  change: (places: string[]) => void;
}

export function PlacesChoice({ roles, places, change }: Props) {
  const site = directory.value?.site;
  const chosen = confinedTo(roles, places);
  const options = (some: readonly { id: string; name: Text }[]) => some.filter((one) => !chosen.includes(one.id)).map((one) => (
    <option key={one.id} value={one.id}>
      {tName(one.name)}
    </option>
  ));
  return (
    <>
      <label class="stacked">
        <span>{t('users.place')}</span>
        <select value="" disabled={ofWholeSite(roles)} onChange={(event) => event.currentTarget.value && change([...places, event.currentTarget.value])}>
          <option value="">{t(chosen.length ? 'users.place.more' : 'users.place.all')}</option>
          {options(site?.places ?? [])}
          <optgroup label={t('explore.area')}>{options(site?.areas ?? [])}</optgroup>
        </select>
      </label>
      {chosen.length > 0 && (
        <p class="explore-chosen" data-test="places">
          {chosen.map((id) => (
            <button key={id} type="button" onClick={() => change(places.filter((one) => one !== id))} title={t('users.place.drop')}>
              {somewhere(id)} <span aria-hidden="true">×</span>
              <span class="only-read">{t('users.place.drop')}</span>
            </button>
          ))}
        </p>
      )}
    </>
  );
}
