/** The header: site and clock, how fresh and how complete the picture is, what is open, and the person's own switches. */
import { computed } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { clockDate, clockTime, now, quantity } from '../clock';
import { LEVELS, type Level } from '../contract';
import { language, setLanguage, t, tName } from '../i18n';
import { alarming } from '../live/attention';
import { beats, dataAge, lacking, phase } from '../live/stream';
import { enableSound, muted, mutedUntil, sound } from '../live/sound';
import { href, route } from '../router';
import { signOut } from '../session';
import { confined, fieldOnly, isRisk, loaded, mayAdminister, mayComment, mayPromote, maySeeRules, me, openIncidents, status } from '../store';
import { nextTheme, theme } from '../theme';
import { OnDuty, splitOf } from './duty';
import { LevelShape } from './level';
import { Simulation } from './marks';
import { askMute, MuteDialog } from './mute_dialog';
import { turnSoundOff } from './sound_off';

const stale = computed(() => phase.value !== 'open' || lacking.value !== '');

/** Open risk incidents by level. */
const counts = computed(() => {
  const open: Record<Level, number> = { red: 0, orange: 0, yellow: 0, blue: 0 };
  for (const incident of openIncidents.value) if (isRisk(incident)) open[incident.level] += 1;
  return open;
});

export function Header() {
  return (
    <header class="top">
      <a class="skip" href="#main" onClick={skip}>
        {t('skip')}
      </a>
      <a class="brand" href={fieldOnly.value ? href('field') : '#/'} aria-label={`${t('product')} ${tName(me.value?.site.name)}`}>
        <svg width="26" height="26" viewBox="0 0 32 32" aria-hidden="true">
          <path d="M3 17h5l2-4 3 8 4-15 4 20 2-9h6" />
        </svg>
        <span>
          <b>{t('product')}</b>
          <span class="site">{tName(me.value?.site.name)}</span>
        </span>
      </a>
      {!fieldOnly.value && <Navigation />}
      {!fieldOnly.value && <Counts />}
      {status.value?.simulated && <Simulation small />}
      <span class="grow" />
      {!fieldOnly.value && <OnDuty />}
      {!fieldOnly.value && <Figures />}
      <Link />
      <Clock />
      <Switches />
    </header>
  );
}

function skip(event: Event) {
  event.preventDefault(); // the hash belongs to the router
  document.getElementById('main')?.focus();
}

function Navigation() {
  const at = route.value.parts[0] ?? '';
  const item = (key: string, label: string, current: boolean) => (
    <a href={key ? href(key) : '#/'} aria-current={current ? 'page' : undefined}>
      {label}
    </a>
  );
  return (
    <nav aria-label={t('nav')}>
      {item('', t('nav.watch'), at === '' || at === 'incidents')}
      {item('alarms', t('nav.alarms'), at === 'alarms')}
      {item('map', t('map'), at === 'map')}
      {item('reports', t('nav.reports'), at === 'reports')}
      {item('field', t('nav.field'), at === 'field')}
      {mayPromote.value && item('models', t('nav.models'), at === 'models')}
    </nav>
  );
}

function Counts() {
  const open = counts.value;
  return (
    <ul class="counts" aria-label={t('counts')} data-test="counts">
      {LEVELS.map((level) => (
        <li key={level} class={open[level] ? `level-${level}` : 'none'} title={t(`level.${level}.long`)}>
          <LevelShape level={level} size={18} />
          <span class="only-read">{t(`level.${level}.long`)} </span>
          <b>{loaded.value ? open[level] : '–'}</b>
        </li>
      ))}
    </ul>
  );
}

function Figures() {
  const figures = status.value;
  if (!figures) return null;
  const { points_live: live, points_total: total } = figures;
  return (
    <dl class="figures">
      <div title={t('figures.rate.help')} class="rate">
        <dt>{t('figures.rate')}</dt>
        <dd>{quantity(Math.round(figures.readings_per_second))}</dd>
      </div>
      <div title={t('figures.live.help')} class={`honest ${tone(live, total)}`} data-test="points">
        <dt>{t('figures.live')}</dt>
        <dd>
          {live}
          <span class="of">/{total}</span>
        </dd>
      </div>
      {figures.load && (
        <div title={t('figures.load.help', { band: t(`load.${figures.load.band}`), day: figures.load.day, split: splitOf(figures.load) })} class={`load ${figures.load.band}`} data-test="load">
          <dt>{t('figures.load')}</dt>
          <dd>
            {figures.load.ten_minutes}
            <span class="of">{t('figures.load.span')}</span>
          </dd>
        </div>
      )}
      {figures.cameras_total > 0 && (
        <div title={t('figures.cameras.help')} class={`honest cameras ${tone(figures.cameras_live, figures.cameras_total)}`} data-test="cameras">
          <dt>{t('figures.cameras')}</dt>
          <dd>
            {figures.cameras_live}
            <span class="of">/{figures.cameras_total}</span>
          </dd>
        </div>
      )}
    </dl>
  );
}

/** How much of the green is deserved: what is silent is not calm. */
function tone(live: number, total: number): string {
  const share = total ? live / total : 0;
  return share < 0.8 ? 'bad' : share < 0.98 ? 'fair' : 'good';
}

function Link() {
  const word = phase.value === 'open' ? (stale.value ? 'stale' : 'live') : phase.value === 'lost' ? 'lost' : 'connecting';
  return (
    <span class={`link ${word}`} data-test="link">
      <span key={beats.value} class="pulse" aria-hidden="true" />
      {t(`link.${word}`)}
    </span>
  );
}

function Clock() {
  return (
    <span class={stale.value ? 'clock stale' : 'clock'} title={t('clock.help')}>
      <span class="digits">{clockTime(now.value)}</span>
      <span class="date">{clockDate(now.value)}</span>
    </span>
  );
}

function Switches() {
  const silent = now.value > 0 && muted();
  return (
    <div class="switches">
      {sound.value === 'off' ? (
        <button type="button" class={alarming.value ? 'silent needed' : 'silent'} onClick={() => void enableSound()} title={t('sound.enable')}>
          <Bell off />
          <span class="words">{t('sound.enable')}</span>
        </button>
      ) : (
        <>
          <button type="button" class="mute" aria-pressed={silent} onClick={askMute} title={t('sound.mute.help')}>
            {silent ? t('sound.muted', { s: Math.ceil((mutedUntil.value - Date.now()) / 1000) }) : t('sound.mute')}
          </button>
          <button type="button" class="plain" onClick={turnSoundOff} aria-label={t('sound.disable')} title={t('sound.disable')}>
            <Bell />
          </button>
        </>
      )}
      <button
        type="button"
        class="plain"
        lang={language.value === 'en' ? 'zh-CN' : 'en'}
        onClick={() => setLanguage(language.value === 'en' ? 'zh-CN' : 'en')}
      >
        {t('language.other')}
      </button>
      <Person />
      <MuteDialog />
    </div>
  );
}

/** What one needs once a shift: the theme and the way out. */
function Person() {
  const box = useRef<HTMLDetailsElement>(null);
  const leave = (event: FocusEvent) => {
    if (box.current && !box.current.contains(event.relatedTarget as Node | null)) box.current.open = false;
  };
  return (
    <details class="person" ref={box} onFocusOut={leave}>
      <summary>{me.value?.display || me.value?.name}</summary>
      <div class="menu">
        <p class="quiet">{(me.value?.roles ?? []).map((role) => t(`role.${role}`)).join(t('list.comma'))}</p>
        {!fieldOnly.value && (
          <nav class="further" aria-label={t('nav.further')}>
            <a href={href('situation')}>{t('situation')}</a>
            <a href={href('report')}>{t('report')}</a>
            <a href={href('wall')}>{t('wall')}</a>
            <a href={href('explore')}>{t('explore')}</a>
            {!confined.value && <a href={href('handover')}>{t('handover')}</a>}
            <a href={href('exercises')}>{t('exercises')}</a>
            {maySeeRules.value && <a href={href('rules')}>{t('rules')}</a>}
            {maySeeRules.value && <a href={href('inputs')}>{t('inputs')}</a>}
            <a href={href('modes')}>{t('modes')}</a>
            {mayComment.value && !confined.value && <a href={href('notifications')}>{t('notifications')}</a>}
            <a href={href('account')}>{t('account')}</a>
            {mayAdminister.value && <a href={href('users')}>{t('admin')}</a>}
          </nav>
        )}
        <button type="button" class="plain" onClick={nextTheme}>
          <Shade /> {t(`theme.${theme.value}`)}
        </button>
        <button type="button" class="plain" onClick={() => void signOut()}>
          {t('sign_out')}
        </button>
      </div>
    </details>
  );
}

function Shade() {
  return (
    <svg width="18" height="18" viewBox="0 0 24 24" aria-hidden="true" class="line">
      <circle cx="12" cy="12" r="8.5" />
      <path d="M12 3.5a8.5 8.5 0 0 1 0 17Z" fill="currentColor" />
    </svg>
  );
}

function Bell({ off = false }: { off?: boolean }) {
  return (
    <svg width="18" height="18" viewBox="0 0 24 24" aria-hidden="true" class="line">
      <path d="M6 16.5V11a6 6 0 0 1 12 0v5.5l1.5 2h-15Z" />
      <path d="M10 21h4" />
      {off && <path d="M4 3.5 20 20.5" />}
    </svg>
  );
}

/** Say that more rings than a person can answer. What is red stays in sight; the queue folds the rest. */
export function FloodBanner() {
  const load = status.value?.load;
  if (!load?.flood || fieldOnly.value) return null;
  const red = openIncidents.value.filter((incident) => isRisk(incident) && incident.level === 'red').length;
  return (
    <div class="flood-banner" role="status" data-test="flood">
      <b>{t('flood')}</b> <span class="digits">{t('flood.rate', { n: load.ten_minutes })}</span> <span>{confined.value ? t('flood.here', { n: red }) : t('flood.advice')}</span>
    </div>
  );
}

/** Say loudly that what is on the page is old or lacks something: a frozen page must never look healthy. */
export function StaleBanner() {
  const why = lacking.value;
  if (!why) return null;
  return (
    <div class="stale-banner" role="alert" data-test="stale">
      <b>{t(`stale.${why}`)}</b>{' '}
      {(why === 'lost' || why === 'engine') && <span class="digits">{t('stale.age', { s: Math.floor(dataAge.value) })} </span>}
      <span>{t('stale.advice')}</span>
    </div>
  );
}
