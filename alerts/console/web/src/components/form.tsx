/** What dialogs that ask for words and times have in common. */
import { duration } from '../clock';
import type { Role } from '../contract';
import { t, tName } from '../i18n';
import { directory } from '../store';
import { Action } from './action';

interface WordsProps {
  label: string;
  value: string;
  change: (text: string) => void;
  rows?: number;
  longest?: number; // characters that the server takes
  required?: boolean;
}

export function Words({ label, value, change, rows = 3, longest = 2000, required = false }: WordsProps) {
  return (
    <label class="stacked">
      <span>{label}</span>
      <textarea rows={rows} maxLength={longest} required={required} value={value} onInput={(event) => change(event.currentTarget.value)} />
    </label>
  );
}

/** The site's areas, by name, as what a select offers. */
export function AreaOptions() {
  const areas = [...(directory.value?.areas.values() ?? [])].sort((a, b) => tName(a.name).localeCompare(tName(b.name)));
  return (
    <>
      {areas.map((one) => (
        <option key={one.id} value={one.id}>
          {tName(one.name)}
        </option>
      ))}
    </>
  );
}

/** Choose one of the site's areas, or all. */
export function AreaFilter({ area, change }: { area: string; change: (area: string) => void }) {
  return (
    <label>
      <span>{t('explore.area')}</span>
      <select value={area} onChange={(event) => change(event.currentTarget.value)}>
        <option value="">{t('inputs.all')}</option>
        <AreaOptions />
      </select>
    </label>
  );
}

/** Tick roles. */
export function RoleBoxes({ all, roles, change }: { all: readonly Role[]; roles: Role[]; change: (roles: Role[]) => void }) {
  return (
    <fieldset class="roles">
      <legend>{t('users.roles')}</legend>
      {all.map((role) => (
        <label key={role} class="inline">
          <input
            type="checkbox"
            checked={roles.includes(role)}
            onChange={(event) => change(event.currentTarget.checked ? [...roles, role] : roles.filter((one) => one !== role))}
          />
          {t(`role.${role}`)}
        </label>
      ))}
    </fieldset>
  );
}

/** Choose one of the site's units. */
export function UnitChoice({ unit, change }: { unit: string; change: (unit: string) => void }) {
  return (
    <label class="stacked">
      <span>{t('users.unit')}</span>
      <select value={unit} onChange={(event) => change(event.currentTarget.value)}>
        <option value="">{t('dispatch.choose')}</option>
        {[...(directory.value?.units.values() ?? [])].map((one) => (
          <option key={one.id} value={one.id}>
            {tName(one.name)}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Choose for how long. */
export function Times({ times, seconds, choose }: { times: readonly number[]; seconds: number; choose: (seconds: number) => void }) {
  return (
    <fieldset class="inline">
      <legend>{t('shelve.time')}</legend>
      {times.map((one) => (
        <label key={one} class="choice">
          <input type="radio" name="seconds" checked={seconds === one} onChange={() => choose(one)} />
          <span>{duration(one)}</span>
        </label>
      ))}
    </fieldset>
  );
}

interface FooterProps {
  onClose: () => void;
  disabled?: boolean;
  run: () => Promise<unknown>;
  word: string; // what the button does
  done?: string; // what to tell once it worked
  after?: (() => void) | undefined; // before the dialog closes
}

/** The way out of a dialog, and the button that does what it is for. */
export function Footer({ onClose, disabled = false, run, word, done, after }: FooterProps) {
  const close = () => {
    after?.();
    onClose();
  };
  return (
    <footer>
      <button type="button" onClick={onClose}>
        {t('cancel')}
      </button>
      <Action class="primary" disabled={disabled} run={run} after={close} {...(done ? { done } : {})}>
        {word}
      </Action>
    </footer>
  );
}
