/** What is kept of somebody: given to them as a file, and taken away for good once it is typed of whom. */
import { useState } from 'preact/hooks';
import { api } from '../api';
import { t } from '../i18n';
import { Action } from './action';
import { Dialog } from './dialog';
import { tell } from './notices';

interface Props {
  name: string | null; // of the account; null asks for what somebody was called in reports
  erased?: boolean;
  onClose: () => void;
  after?: () => void;
}

export function PersonDialog({ name, erased = false, onClose, after }: Props) {
  const [subject, setSubject] = useState('');
  const [typed, setTyped] = useState('');
  const whom = name ?? subject.trim();
  const give = async () => {
    const found = name === null ? await api.aboutSubject(whom) : await api.aboutUser(name);
    save(found, name === null ? 'reports.json' : `${name}.json`);
  };
  const take = async () => {
    const { lines, left } = name === null ? await api.eraseSubject(whom) : await api.eraseUser(name);
    tell(t('person.erased', { lines }) + (left ? t('person.left', { left }) : ''));
    after?.();
    onClose();
  };
  return (
    <Dialog title={name === null ? t('person.reports') : t('person.of', { name })} onClose={onClose}>
      <form onSubmit={(event) => event.preventDefault()} data-test="person">
        {name === null && (
          <label class="stacked">
            <span>{t('person.subject')}</span>
            <input value={subject} maxLength={200} autocomplete="off" onInput={(event) => setSubject(event.currentTarget.value)} />
          </label>
        )}
        <p>
          <Action run={give} disabled={!whom} done={t('person.given')}>
            {t('person.give')}
          </Action>
        </p>
        <p class="hint">{t(name === null ? 'person.reports.what' : erased ? 'person.again' : 'person.what')}</p>
        <label class="stacked">
          <span>{whom ? t('person.type', { whom }) : t('person.type.first')}</span>
          <input value={typed} autocomplete="off" autocapitalize="none" disabled={!whom} onInput={(event) => setTyped(event.currentTarget.value)} />
        </label>
        <footer>
          <button type="button" onClick={onClose}>
            {t('cancel')}
          </button>
          <Action class="primary" disabled={!whom || typed.trim() !== whom} run={take}>
            {t('person.erase')}
          </Action>
        </footer>
      </form>
    </Dialog>
  );
}

/** Have the browser keep plain data as a file. */
function save(found: unknown, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([JSON.stringify(found, null, 2)], { type: 'application/json' }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
