/** The page of a unit on its phone: it opens without a link, keeps what is done, and sends it once. */
import { effect } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import { ApiError } from '../api';
import { clockTime } from '../clock';
import { Failed, Waiting } from '../components/load';
import { Guard } from '../components/lazy';
import { announce, Notices } from '../components/notices';
import { turnSoundOff } from '../components/sound_off';
import { language, setLanguage, t, tName } from '../i18n';
import { keepKnown, recall, recalled } from '../known';
import { beep, enableSound, sound } from '../live/sound';
import { lacking, phase, whenNews } from '../live/stream';
import { flush, open, waiting } from '../outbox';
import { go, href, route } from '../router';
import { remember, resume, signOut } from '../session';
import { areaName, me, reader } from '../store';
import { nextTheme, theme } from '../theme';
import { DispatchView, FieldView } from '../views/field';
import { LoginView } from '../views/login';
import { NewReport } from '../views/new_report';

const AGAIN = 10_000; // milliseconds between looks for the server while what is shown is from memory

keepKnown();
effect(() => {
  document.title = `${t('product')} · ${t('nav.field')}`;
});
effect(() => {
  if (phase.value === 'open') void flush(); // the stream is there again: so is the way for what waits
});
whenNews(({ sent }) => {
  const task = sent.find((dispatch) => dispatch.unit === me.peek()?.unit);
  if (!task) return;
  beep(task.level === 'red' ? 'red' : 'orange');
  announce(t('announce.task', { area: areaName(task.area) }));
});

export function FieldApp() {
  const [failure, setFailure] = useState<ApiError | null>(null);
  const begin = async () => {
    setFailure(null);
    try {
      await resume();
      recalled.value = 0;
      await flush();
    } catch (reason) {
      if (recalled.peek()) return;
      const error = reason instanceof ApiError ? reason : new ApiError(0, 'page', String(reason));
      if (!(await recall())) setFailure(error);
    }
  };
  useEffect(() => {
    void open().then(begin);
    const look = () => recalled.peek() && void begin();
    const timer = setInterval(look, AGAIN);
    addEventListener('online', look);
    return () => {
      clearInterval(timer);
      removeEventListener('online', look);
    };
  }, []);
  return (
    <Guard>
      {failure ? (
        <main class="door" id="main">
          <Failed error={failure} again={() => void begin()} />
        </main>
      ) : (
        <Inside />
      )}
      <Notices />
    </Guard>
  );
}

function Inside() {
  const [first = '', second = ''] = route.value.parts;
  const person = me.value;
  useEffect(() => {
    if (person === null && first !== 'login') {
      remember();
      go('#/login', true);
    } else if (person?.second_needed) location.replace('../#/account'); // set up on the other page, before anything else
    else if (person && first === 'login') go(href('field'), true);
  }, [person, first]);
  if (person === undefined || person?.second_needed) return <Waiting />;
  if (person === null) return <LoginView />;
  return (
    <>
      <Top />
      <div class="pressing">
        <Link />
      </div>
      <Guard key={`${first} ${reader.value}`}>{first === 'dispatches' && second ? <DispatchView id={second} /> : first === 'report' ? <NewReport /> : <FieldView />}</Guard>
    </>
  );
}

function Top() {
  const word = recalled.value > 0 || phase.value !== 'open' ? 'lost' : lacking.value ? 'stale' : 'live';
  return (
    <header class="top">
      <b>{tName(me.value?.site.name) || t('product')}</b>
      <span class="grow" />
      <span class={`link ${word}`} data-test="link">
        <span class="pulse" aria-hidden="true" />
        {t(`link.${word}`)}
      </span>
      <button type="button" class="plain" lang={language.value === 'en' ? 'zh-CN' : 'en'} onClick={() => setLanguage(language.value === 'en' ? 'zh-CN' : 'en')}>
        {t('language.other')}
      </button>
      <details class="person">
        <summary>{me.value?.display || me.value?.name}</summary>
        <div class="menu">
          <button type="button" class="plain" onClick={nextTheme}>
            {t(`theme.${theme.value}`)}
          </button>
          <button type="button" class="plain" onClick={() => (sound.value === 'on' ? turnSoundOff() : void enableSound())}>
            {t(sound.value === 'on' ? 'sound.disable' : 'sound.enable')}
          </button>
          <button type="button" class="plain" onClick={() => void signOut()}>
            {t('sign_out')}
          </button>
        </div>
      </details>
    </header>
  );
}

/** Say that there is no link or that orders do not get here, how old what is shown is, and what waits. */
function Link() {
  const lost = recalled.value > 0 || lacking.value === 'lost';
  const why = lost ? '' : lacking.value;
  const count = waiting.value.length;
  if (!lost && !why && !count) return null;
  return (
    <div class={lost || why ? 'stale-banner' : 'mode-banner'} role="status" data-test="offline">
      {lost && <b>{t('queue.offline')} </b>}
      {why && <b>{t(`stale.${why}`)} </b>}
      {recalled.value > 0 && <span>{t('queue.asof', { time: clockTime(recalled.value) })} </span>}
      {count > 0 ? <span data-test="waiting">{t('queue.waiting', { n: count })}</span> : lost && <span>{t('queue.help')}</span>}
    </div>
  );
}
