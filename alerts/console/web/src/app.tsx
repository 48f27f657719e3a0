/** Which page stands at which route, and what frames it. */
import { effect } from '@preact/signals';
import { useEffect, useLayoutEffect, useState } from 'preact/hooks';
import { ApiError } from './api';
import { clockTime } from './clock';
import { ExerciseBanner, useDuty } from './components/duty';
import { ModeBanner } from './components/modes';
import { FloodBanner, Header, StaleBanner } from './components/header';
import { Guard, lazy, Suspense } from './components/lazy';
import { Summons } from './components/summons';
import { Failed, Waiting } from './components/load';
import { announce, Notices, tell } from './components/notices';
import { t, tName } from './i18n';
import { icon } from './icon';
import { alarming } from './live/attention';
import { beep } from './live/sound';
import { phase, whenNews } from './live/stream';
import { flush, open } from './outbox';
import { go, route } from './router';
import { landing, remember, resume } from './session';
import { alarms, confined, directory, fieldOnly, isRisk, isUnacknowledged, mayAdminister, mayComment, maySeeModels, maySeeRules, me, reader, subject, unacknowledged } from './store';
import { FirstView, LoginView } from './views/login';

const Watch = lazy(() => import('./views/watch').then((module) => module.Watch));
const AlarmsView = lazy(() => import('./views/alarms').then((module) => module.AlarmsView));
const AlarmView = lazy(() => import('./views/alarms').then((module) => module.AlarmView));
const FieldView = lazy(() => import('./views/field').then((module) => module.FieldView));
const DispatchView = lazy(() => import('./views/field').then((module) => module.DispatchView));
const ReportsView = lazy(() => import('./views/reports').then((module) => module.ReportsView));
const ModelsView = lazy(() => import('./views/models').then((module) => module.ModelsView));
const RulesView = lazy(() => import('./views/rules').then((module) => module.RulesView));
const HandoverView = lazy(() => import('./views/handover').then((module) => module.HandoverView));
const ExercisesView = lazy(() => import('./views/exercises').then((module) => module.ExercisesView));
const ExerciseView = lazy(() => import('./views/exercises').then((module) => module.ExerciseView));
const ModesView = lazy(() => import('./views/modes').then((module) => module.ModesView));
const NotificationsView = lazy(() => import('./views/notifications').then((module) => module.NotificationsView));
const InputsView = lazy(() => import('./views/inputs').then((module) => module.InputsView));
const MapView = lazy(() => import('./views/map').then((module) => module.MapView));
const ExploreView = lazy(() => import('./views/explore').then((module) => module.ExploreView));
const SituationView = lazy(() => import('./views/situation').then((module) => module.SituationView));
const WallView = lazy(() => import('./views/wall').then((module) => module.WallView));
const SituationReportView = lazy(() => import('./views/situation_report').then((module) => module.SituationReportView));
const AdminView = lazy(() => import('./views/admin').then((module) => module.AdminView));
const AccountView = lazy(() => import('./views/account').then((module) => module.AccountView));
const SecondFirst = lazy(() => import('./views/account').then((module) => module.SecondFirst));

effect(() => {
  const count = me.value ? unacknowledged.value : 0;
  document.title = `${count ? `(${count}) ` : ''}${t('product')} · ${me.value ? t('title.watch') : t('login.title')}`;
});

effect(() => {
  const address = me.value ? icon(unacknowledged.value, alarming.value) : icon(0, null);
  document.querySelector('link[rel=icon]')?.setAttribute('href', address);
});

void open();
effect(() => {
  if (phase.value === 'open') void flush(); // what could not be sent has a way again
});

whenNews(({ opened, raised, sent, reminded, ending }) => {
  const last = opened.filter(isRisk).at(-1);
  if (last) {
    const area = tName(directory.peek()?.areas.get(last.area)?.name) || last.area;
    announce(t('announce.incident', { level: t(`level.${last.level}.long`), what: tName(subject(last)), area }));
  }
  const loud = raised.filter((alarm) => isRisk(alarm) && isUnacknowledged(alarms.peek().get(alarm.id) ?? alarm));
  if (loud.some((alarm) => alarm.level === 'red')) beep('red');
  else if (loud.some((alarm) => alarm.level === 'orange')) beep('orange');
  for (const alarm of ending) {
    tell(t('announce.ending', { what: tName(alarm.rule_title) || alarm.rule, time: clockTime(alarm.aside?.until ?? alarm.time) }));
  }
  const late = reminded.filter(isRisk).at(-1);
  if (late) {
    announce(t('announce.reminded', { level: t(`level.${late.level}.long`), what: tName(subject(late)) }));
    beep(late.level);
  }
  const task = sent.find((dispatch) => dispatch.unit === me.peek()?.unit);
  if (task) {
    beep(task.level === 'red' ? 'red' : 'orange');
    announce(t('announce.task', { area: tName(directory.peek()?.areas.get(task.area)?.name) || task.area }));
  }
});

export function App() {
  const [failure, setFailure] = useState<ApiError | null>(null);
  const begin = () => {
    setFailure(null);
    resume().catch((reason: unknown) => setFailure(reason instanceof ApiError ? reason : new ApiError(0, 'page', String(reason))));
  };
  useEffect(begin, []);
  return (
    <Guard>
      {failure ? (
        <main class="door" id="main">
          <Failed error={failure} again={begin} />
        </main>
      ) : (
        <Page />
      )}
      <Notices />
    </Guard>
  );
}

function Page() {
  const { parts } = route.value;
  const [first = '', second = ''] = parts;
  const person = me.value;
  const away = person === null && first !== 'first' && first !== 'login';
  const inside = !!person && first === 'login';
  useLayoutEffect(() => { // at once: an address entered before the next picture would be overwritten
    if (away) {
      remember();
      go('#/login', true);
    } else if (inside) go(landing(), true);
  }, [away, inside]);
  if (person === undefined) return <Waiting />;
  if (first === 'first') return <FirstView />;
  if (person === null) return <LoginView />;
  if (person.second_needed) {
    return (
      <Suspense fallback={<Waiting />}>
        <SecondFirst />
      </Suspense>
    );
  }
  return (
    <>
      <Header />
      <div class="pressing">
        <StaleBanner />
        <Summons />
      </div>
      <FloodBanner />
      <Duty key={reader.value} />
      <Suspense fallback={<Waiting />}>
        <Guard key={`${first === 'incidents' ? '' : first} ${reader.value}`}>{page(first, second)}</Guard>
      </Suspense>
    </>
  );
}

/** Apart, so that an answer about duty does not draw the whole page anew. */
function Duty() {
  useDuty();
  if (fieldOnly.value) return null;
  return (
    <>
      <ExerciseBanner />
      <ModeBanner />
    </>
  );
}

function page(first: string, second: string) {
  if (first === 'dispatches' && second) return <DispatchView id={second} />;
  if (first === 'field' || fieldOnly.value) return <FieldView />;
  if (first === 'alarms') return second ? <AlarmView id={second} /> : <AlarmsView />;
  if (first === 'reports') return <ReportsView />;
  if (first === 'models' && maySeeModels.value) return <ModelsView tab={second} />;
  if (first === 'rules' && maySeeRules.value) return <RulesView tab={second} />;
  if (first === 'inputs' && maySeeRules.value) return <InputsView tab={second} />;
  if (first === 'explore') return <ExploreView />;
  if (first === 'situation') return <SituationView id={second} />;
  if (first === 'report') return <SituationReportView place={second} />;
  if (first === 'account') return <AccountView />;
  if (first === 'wall') return <WallView />;
  if (first === 'map') return <MapView id={second} />;
  if (first === 'handover' && !confined.value) return <HandoverView />;
  if (first === 'exercises') return second ? <ExerciseView id={second} /> : <ExercisesView />;
  if (first === 'modes') return <ModesView />;
  if (first === 'notifications' && mayComment.value && !confined.value) return <NotificationsView />;
  if ((first === 'users' || first === 'admin') && mayAdminister.value) return <AdminView tab={first === 'admin' ? second : 'users'} />;
  if (first === '' || first === 'login' || first === 'incidents') return <Watch id={second} />;
  return (
    <main class="page" id="main" tabIndex={-1}>
      <h1>{t('missing')}</h1>
      <p>
        <a href="#/">{t('missing.back')}</a>
      </p>
    </main>
  );
}
