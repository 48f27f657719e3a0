/** A short tone by level for a new unacknowledged alarm. Browsers allow sound only after a click, so it is asked for. */
import { signal } from '@preact/signals';
import type { Level } from '../contract';

type Sound = 'off' | 'on';
export const sound = signal<Sound>('off');
/** Unix milliseconds until which sound is muted. */
export const mutedUntil = signal(0);
/** Counts the tones played, for tests and for the curious. */
export const played = signal(0);

const MUTE = 120_000; // milliseconds
const TONES: Partial<Record<Level, readonly number[]>> = { red: [988, 740, 988, 740, 988], orange: [740, 740] }; // Hz
let context: AudioContext | null = null;

/** Turn sound on, from a click, and play the orange tone as its test. */
export async function enableSound(): Promise<void> {
  context ??= new AudioContext();
  await context.resume();
  sound.value = 'on';
  beep('orange');
}

export function disableSound(): void {
  sound.value = 'off';
}

/** Be silent for two minutes, or no longer. */
export function toggleMute(): void {
  mutedUntil.value = mutedUntil.value > Date.now() ? 0 : Date.now() + MUTE;
}

/** Play the tone of a level; blue and yellow have none. */
export function beep(level: Level): void {
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
  played.value += 1;
}
