/** One's own account: the second step of the log-in, set up with a picture for the telephone and confirmed with a code. */
import { useState } from 'preact/hooks';
import { api } from '../api';
import { Action } from '../components/action';
import { t } from '../i18n';
import { resume, signOut } from '../session';
import { me } from '../store';

export function AccountView() {
  const person = me.value;
  return (
    <main class="page" id="main" tabIndex={-1}>
      <h1>{t('account')}</h1>
      <p>
        <b>{person?.display}</b> <span class="quiet">{person?.name} · {(person?.roles ?? []).map((role) => t(`role.${role}`)).join(t('list.comma'))}</span>
      </p>
      <section class="panel" data-test="second-step">
        <h2>{t('second')}</h2>
        <p class="quiet">{t('second.help')}</p>
        {person?.second ? person.second_kept ? <p>✓ {t('second.kept')}</p> : <Remove /> : <SetUp after={() => note(true)} />}
      </section>
    </main>
  );
}

function note(second: boolean): void {
  if (me.value) me.value = { ...me.value, second };
}

/** What an administrator meets at sign-in where the site asks for a second step and they have none. */
export function SecondFirst() {
  return (
    <main class="door" id="main" tabIndex={-1}>
      <section class="card" data-test="second-step" aria-label={t('second')}>
        <h1>{t('second')}</h1>
        {me.value?.second ? (
          <Give after={() => void resume()} />
        ) : (
          <>
            <p role="status">{t('second.first')}</p>
            <p class="quiet">{t('second.help')}</p>
            <SetUp after={() => void resume()} />
          </>
        )}
      </section>
      <p>
        <button type="button" class="plain" onClick={() => void signOut()}>
          {t('sign_out')}
        </button>
      </p>
    </main>
  );
}

/** Give the code of the second step in a session that the provider began. */
function Give({ after }: { after: () => void }) {
  const [code, setCode] = useState('');
  return (
    <form onSubmit={(event) => event.preventDefault()}>
      <Code value={code} change={setCode} />
      <Action class="primary" disabled={code.trim().length < 6} run={() => api.giveSecond(code.trim())} after={after}>
        {t('second.give')}
      </Action>
    </form>
  );
}

function SetUp({ after }: { after: () => void }) {
  const [password, setPassword] = useState('');
  const [made, setMade] = useState<{ secret: string; picture: string } | null>(null);
  const [code, setCode] = useState('');
  if (!made) {
    return (
      <form onSubmit={(event) => event.preventDefault()}>
        <Password value={password} change={setPassword} />
        <Action class="primary" disabled={!password && !me.value?.external} run={async () => setMade(await api.askSecond(password))}>
          {t('second.set_up')}
        </Action>
      </form>
    );
  }
  return (
    <form onSubmit={(event) => event.preventDefault()}>
      <p>{t('second.scan')}</p>
      <img class="second-picture" src={made.picture} alt={t('second.picture')} width="230" height="230" />
      <p>
        {t('second.by_hand')} <code class="secret" data-test="second-secret">{made.secret}</code>
      </p>
      <Code value={code} change={setCode} />
      <Action class="primary" disabled={code.trim().length < 6} run={() => api.confirmSecond(code.trim())} done={t('second.on')} after={after}>
        {t('second.confirm')}
      </Action>
    </form>
  );
}

function Remove() {
  const [password, setPassword] = useState('');
  return (
    <form onSubmit={(event) => event.preventDefault()}>
      <p>✓ {t('second.is_on')}</p>
      <Password value={password} change={setPassword} />
      <Action disabled={!password && !me.value?.external} run={() => api.removeSecond(password)} done={t('second.off')} after={() => note(false)}>
        {t('second.remove')}
      </Action>
    </form>
  );
}

function Code({ value, change }: { value: string; change: (text: string) => void }) {
  return (
    <label class="stacked">
      <span>{t('login.code')}</span>
      <input value={value} inputMode="numeric" autocomplete="one-time-code" maxLength={8} onInput={(event) => change(event.currentTarget.value)} />
    </label>
  );
}

/** One's own password once more; who signs in by the provider has none, and is known by having just done so. */
function Password({ value, change }: { value: string; change: (text: string) => void }) {
  if (me.value?.external) return null;
  return (
    <label class="stacked">
      <span>{t('second.password')}</span>
      <input type="password" value={value} autocomplete="current-password" onInput={(event) => change(event.currentTarget.value)} />
    </label>
  );
}
