/** A tone by level, repeated at growing pauses until somebody acknowledges. Browsers allow sound only after a click, so it is asked for. */
import { effect, signal } from '@preact/signals';
import type { Level } from '../contract';
import { alarming } from './attention';

type Sound = 'off' | 'on';
export const sound = signal<Sound>('off');
/** Unix milliseconds until which sound is muted. */
export const mutedUntil = signal(0);

const MUTE = 120_000; // milliseconds
const STORED = 'foreshock.sound'; // there where somebody has switched it off
const TONES: Partial<Record<Level, readonly number[]>> = { red: [988, 740, 988, 740, 988], orange: [740, 740] }; // Hz
const PAUSES: Partial<Record<Level, readonly number[]>> = { red: [6, 8, 12, 18, 30], orange: [20, 30, 60] }; // seconds
let context: AudioContext | null = null;
let next: ReturnType<typeof setTimeout> | undefined;
let repeats = 0;

/** Turn sound on, from a click or a key. What waits is heard at once; where nothing does, the orange tone as the test. */
export async function enableSound(test = true): Promise<void> {
  context ??= new AudioContext();
  await context.resume();
  sound.value = 'on';
  localStorage.removeItem(STORED);
  const first = alarming.peek() ?? (test ? 'orange' : null);
  if (first) beep(first);
}

export function disableSound(): void {
  sound.value = 'off';
  localStorage.setItem(STORED, 'off');
}

/** Have the first click, touch or key turn sound on, unless it was switched off on this device: browsers refuse it before. */
export function awaitSound(): void {
  const kinds = ['pointerdown', 'pointerup', 'keydown'] as const; // a touch counts only once it ends, and Esc not at all
  const end = () => {
    for (const kind of kinds) removeEventListener(kind, begin, true);
  };
  const begin = () => { // until one has: what a browser does not count leaves the sound waiting for ever
    if (sound.peek() === 'on' || localStorage.getItem(STORED) === 'off') end();
    else void enableSound(false).catch(end);
  };
  for (const kind of kinds) addEventListener(kind, begin, true);
}

export function muted(): boolean {
  return mutedUntil.value > Date.now();
}

/** Be silent for two minutes. */
export function mute(): void {
  mutedUntil.value = Date.now() + MUTE;
}

export function unmute(): void {
  mutedUntil.value = 0;
}

// Sound again while something red or orange waits; a change of the worst level begins the pauses anew.
effect(() => {
  const level = sound.value === 'on' ? alarming.value : null;
  clearTimeout(next);
  repeats = 0;
  if (level) wait(level);
});

function wait(level: Level): void {
  const pauses = PAUSES[level] ?? [];
  const pause = pauses[Math.min(repeats, pauses.length - 1)];
  if (pause === undefined) return;
  repeats += 1;
  next = setTimeout(() => {
    play(level);
    wait(level);
  }, pause * 1000);
}

/** Play the tone of a level at once, and count the pauses from here; blue and yellow have none. */
export function beep(level: Level): void {
  if (!TONES[level]) return;
  play(level);
  const waiting = alarming.peek();
  if (waiting && sound.peek() === 'on') {
    clearTimeout(next);
    repeats = 0;
    wait(waiting);
  }
}

function play(level: Level): void {
  const tones = TONES[level];
  if (!tones || !context || sound.peek() !== 'on' || mutedUntil.peek() > Date.now()) return;
  let start = context.currentTime + 0.02;
  for (const frequency of tones) {
    const tone = context.createOscillator();
    const volume = context.createGain();
    tone.type = 'triangle';
    tone.frequency.value = frequency;
    volume.gain.setValueAtTime(0, start);
    volume.gain.linearRampToValueAtTime(0.25, start + 0.015);
    volume.gain.linearRampToValueAtTime(0, start + 0.16);
    tone.connect(volume).connect(context.destination);
    tone.start(start);
    tone.stop(start + 0.17);
    start += 0.19;
  }
}
