/** Who is on duty, in the header; and the banner of a drill that runs. */
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { api } from '../api';
import { clockTime } from '../clock';
import { LEVELS, type Drill, type Duty, type LoadNow } from '../contract';
import { t, tName } from '../i18n';
import { href } from '../router';
import { confined, fieldOnly, incidents, me } from '../store';
import { askModes } from './modes';

const duty = signal<Duty | null>(null);
const drills = signal<Drill[]>([]);
const EVERY = 30_000; // milliseconds: a turn changes a few times a day
const SOON = 2_000; // milliseconds after which what could not be asked is asked again, then twice as long: a drill must not pass for real

/** Ask who is on duty, which modes last and whether a drill runs; say whether all was told. What was not stays as it is known. */
export async function askDuty(): Promise<boolean> {
  if (fieldOnly.value) return true;
  const told = await Promise.allSettled([
    api.duty().then((found) => (duty.value = found)),
    askModes(),
    api.exercises(true).then((found) => (drills.value = found.items)),
  ]);
  return told.every((one) => one.status === 'fulfilled');
}

/** Ask again and again who is on duty and whether a drill runs: at once when an incident of a drill comes or goes, soon where a look failed. */
export function useDuty(): void {
  const part = [...incidents.value.values()].filter((one) => one.exercise).length;
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let over = false;
    let wait = SOON;
    const ask = async () => {
      const told = await askDuty();
      if (!over) timer = setTimeout(() => void ask(), told ? EVERY : wait);
      wait = told ? SOON : Math.min(EVERY, 2 * wait);
    };
    void ask();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [part]);
}

/** How many alarms of each level rang in the day, the worst first: EEMUA 191's priority split. */
export function splitOf(load: LoadNow): string {
  return LEVELS.map((level) => `${t(`level.${level}`)} ${load.levels?.[level] ?? 0}`).join(' · ');
}

export function OnDuty() {
  const found = duty.value;
  if (!found?.people.length) return null;
  const lines = found.people.map((one) => {
    const load = one.load ? ` · ${one.load.ten_minutes}${t('figures.load.span')} · ${t('load.split', { split: splitOf(one.load) })}` : '';
    return `${tName(one.name)}: ${one.account} – ${clockTime(one.end)}${load}`;
  });
  const due = found.turn && !found.turn.signed && found.mine;
  const first = found.people.find((one) => one.account === me.value?.name) ?? found.people[0]; // one's own seat before others'
  if (!first) return null;
  return (
    <a class={due ? 'on-duty due' : 'on-duty'} {...(confined.value ? {} : { href: href('handover') })} title={lines.join('\n')} data-test="on-duty">
      <span class="seat">
        <span>{tName(first.name)}</span> <span class="digits">{t('duty.until', { time: clockTime(first.end).slice(0, 5) })}</span>
      </span>
      <span>
        {due ? t('duty.sign') : first.account}
        {!due && found.people.length > 1 && <span class="quiet"> +{found.people.length - 1}</span>}
      </span>
    </a>
  );
}

/** Say loudly that a drill runs, so that nobody takes it for the real thing, nor the real thing for it. */
export function ExerciseBanner() {
  if (!drills.value.length) return null;
  return (
    <div class="exercise-banner" role="status" data-test="exercise">
      <b>{t('exercise.banner')}</b>{' '}
      {drills.value.map((one) => (
        <a key={one.id} href={href('exercises', one.id)}>
          {tName(one.title) || one.id}
        </a>
      ))}{' '}
      <span>{t('exercise.advice')}</span>
    </div>
  );
}
