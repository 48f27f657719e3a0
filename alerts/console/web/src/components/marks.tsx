/** Small marks: states, simulation, ages, countdowns. */
import { clockTime, countdown, duration, moment, now } from '../clock';
import type { AlarmState, IncidentState, Leg } from '../contract';
import { t, tCode } from '../i18n';
import { unitName } from '../store';

/** The badge of everything that comes from the simulator. */
export function Simulation({ small = false, exercise = false }: { small?: boolean; exercise?: boolean }) {
  const long = exercise ? t('exercise.mark') : t('simulation');
  const short = exercise ? t('exercise.mark.short') : t('simulation.short');
  return <span class={small ? 'simulation small' : 'simulation'}>{small ? short : long}</span>;
}

export function IncidentStateChip({ state }: { state: IncidentState }) {
  return <span class={`chip state-${state}`}>{tCode('incident.state', state)}</span>;
}

/** An ISA-18.2 state: its name in words, its code in small. */
export function AlarmStateChip({ state }: { state: AlarmState }) {
  return (
    <span class={`chip state-${state}`}>
      {tCode('alarm.state', state)} <span class="code">{state}</span>
    </span>
  );
}

/** How long ago, running; the exact moment on hover and for screen readers. */
export function Age({ time, ago = false }: { time: number; ago?: boolean }) {
  const text = duration(now.value - time);
  return (
    <time dateTime={new Date(time * 1000).toISOString()} title={moment(time)}>
      {ago ? t('time.ago', { time: text }) : text}
    </time>
  );
}

export function Moment({ time }: { time: number }) {
  return <time dateTime={new Date(time * 1000).toISOString()}>{moment(time)}</time>;
}

/** Time left until a deadline, or time since it passed, said so in a word and not by colour alone. */
export function Countdown({ deadline, leg, large = false }: { deadline: number; leg?: Leg; large?: boolean }) {
  const left = deadline - now.value;
  const late = left < 0;
  const close = !late && left < 60;
  return (
    <span class={`countdown${late ? ' late' : close ? ' close' : ''}${large ? ' large' : ''}`} title={clockTime(deadline)}>
      <span class="countdown-word">
        {late ? t('deadline.overdue') : leg ? tCode('deadline.next', leg) : t('deadline.left')}
      </span>{' '}
      <span class="digits">{countdown(Math.abs(left))}</span>
    </span>
  );
}

/** A person's name out of an actor such as `user:zhang`. */
export function actorName(actor: string | null | undefined): string {
  if (!actor) return '';
  if (actor === 'engine') return t('actor.engine');
  const [kind, name] = actor.includes(':') ? actor.split(/:(.*)/s) : ['user', actor];
  if (kind === 'camera') return t('actor.camera');
  if (kind === 'unit') return unitName(name ?? '');
  if (kind === 'rule') return t('actor.rule');
  if (kind === 'engine' || kind === 'clock' || kind === 'system') return t('actor.engine');
  if (kind === 'token') return name?.split('#')[0] ?? actor; // its id is for the audit
  return name ?? actor;
}
