/** Sign in; and the page behind the one-time link that makes the first administrator. */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { api, ApiError, PROVIDER } from '../api';
import { useLoad } from '../components/load';
import { language, setLanguage, t, tName } from '../i18n';
import { route } from '../router';
import { claimFirst, keepWanted, sessionExpired, signIn } from '../session';

/** Why a sign-in by the provider came to nothing, as the server names it in the address. */
const PROBLEMS = ['away', 'state', 'denied', 'token', 'group', 'account', 'disabled'] as const;

export function LoginView() {
  const problem = PROBLEMS.find((one) => one === route.value.query.get('problem'));
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const { error, busy, submit } = useSubmit(() => signIn(name.trim(), password, code.trim()));
  const asked = error instanceof ApiError && (error.code === 'code_needed' || error.code === 'wrong_code');
  return (
    <Card title={t('login.title')}>
      {sessionExpired() && <p class="hint" role="status">{t('login.expired')}</p>}
      {problem && <p class="error" role="alert">{t(`login.problem.${problem}`)}</p>}
      <ByProvider />
      <form onSubmit={submit}>
        <Field label={t('login.name')} value={name} onInput={setName} autocomplete="username" focus />
        <Field label={t('login.password')} value={password} onInput={setPassword} autocomplete="current-password" secret />
        {(asked || code) && <Field label={t('login.code')} value={code} onInput={setCode} autocomplete="one-time-code" focus />}
        {error && <p class="error" role="alert">{error.message}</p>}
        <button type="submit" class="primary wide" aria-busy={busy}>
          {t('login.do')}
        </button>
      </form>
    </Card>
  );
}

/** The way in by the provider, where the site has one; a password stays the other. */
function ByProvider() {
  const provider = useLoad(() => api.signInBy(), 'sign-in').data?.provider;
  if (!provider) return null;
  return (
    <>
      <a class="button wide" data-test="provider" href={PROVIDER.begin} onClick={keepWanted}>
        {t('login.by', { name: tName(provider) })}
      </a>
      <p class="quiet">{t('login.or')}</p>
    </>
  );
}

export function FirstView() {
  const token = route.value.query.get('token') ?? '';
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const [again, setAgain] = useState('');
  const [local, setLocal] = useState('');
  const { error, busy, submit } = useSubmit(async () => {
    setLocal('');
    if (password !== again) {
      setLocal(t('first.differ'));
      return;
    }
    await claimFirst(token, name.trim(), password);
  });
  return (
    <Card title={t('first.title')}>
      <p class="quiet">{t('first.help')}</p>
      {!token && <p class="error" role="alert">{t('first.no_token')}</p>}
      <form onSubmit={submit}>
        <Field label={t('login.name')} value={name} onInput={setName} autocomplete="username" focus />
        <Field label={t('first.password')} value={password} onInput={setPassword} autocomplete="new-password" secret />
        <Field label={t('first.again')} value={again} onInput={setAgain} autocomplete="new-password" secret />
        {(local || error) && <p class="error" role="alert">{local || error?.message}</p>}
        <button type="submit" class="primary wide" aria-busy={busy} disabled={!token}>
          {t('first.do')}
        </button>
      </form>
    </Card>
  );
}

function useSubmit(act: () => Promise<void>): { error: ApiError | Error | null; busy: boolean; submit: (event: Event) => void } {
  const [error, setError] = useState<Error | null>(null);
  const [busy, setBusy] = useState(false);
  const submit = (event: Event) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setError(null);
    act()
      .catch((reason: unknown) => setError(reason instanceof Error ? reason : new Error(String(reason))))
      .finally(() => setBusy(false));
  };
  return { error, busy, submit };
}

function Card({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <main class="door" id="main" tabIndex={-1}>
      <div class="door-brand">
        <svg width="44" height="44" viewBox="0 0 32 32" aria-hidden="true">
          <path d="M3 17h5l2-4 3 8 4-15 4 20 2-9h6" />
        </svg>
        <p>
          <b>{t('product')}</b>
          <span>{t('tagline')}</span>
        </p>
      </div>
      <section class="card" aria-label={title}>
        <h1>{title}</h1>
        {children}
      </section>
      <button
        type="button"
        class="plain"
        lang={language.value === 'en' ? 'zh-CN' : 'en'}
        onClick={() => setLanguage(language.value === 'en' ? 'zh-CN' : 'en')}
      >
        {t('language.other')}
      </button>
    </main>
  );
}

interface FieldProps {
  label: string;
  value: string;
  onInput: (value: string) => void;
  autocomplete: 'username' | 'current-password' | 'new-password' | 'one-time-code';
  secret?: boolean;
  focus?: boolean;
}

function Field({ label, value, onInput, autocomplete, secret = false, focus = false }: FieldProps) {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (focus) input.current?.focus();
  }, []);
  const common = {
    ref: input,
    value,
    autocomplete,
    autocapitalize: 'none' as const,
    spellcheck: false,
    required: true,
    onInput: (event: { currentTarget: HTMLInputElement }) => onInput(event.currentTarget.value),
  };
  return (
    <label class="stacked">
      <span>{label}</span>
      {secret ? <input type="password" {...common} /> : <input type="text" {...common} />}
    </label>
  );
}
