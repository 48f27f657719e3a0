/** Single keys: they rest while somebody types, while a dialog is open, and when switched off. */
import { signal } from '@preact/signals';

const STORED = 'foreshock.keys';

/** Keys that may be held down: they only move. */
const STEPS: ReadonlySet<string> = new Set(['j', 'k']);
export const keysOn = signal(localStorage.getItem(STORED) !== 'off');

/** Switch single keys on or off, remembered on this device. */
export function setKeys(on: boolean): void {
  keysOn.value = on;
  localStorage.setItem(STORED, on ? 'on' : 'off');
}

/** Is somebody writing, choosing from a list, or answering a dialog? Then neither keys nor news may interfere. */
export function occupied(): boolean {
  let at = document.activeElement;
  while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement; // the rules' editor stands in one
  return document.querySelector('dialog[open]') !== null || (at instanceof HTMLElement && isField(at));
}

let handsMoved = -Infinity;
for (const kind of ['pointermove', 'pointerdown', 'keydown', 'wheel'] as const) {
  addEventListener(kind, () => (handsMoved = performance.now()), { capture: true, passive: true });
}

/** Has nobody touched mouse, screen or keys for so many milliseconds? */
export function handsRest(milliseconds: number): boolean {
  return performance.now() - handsMoved >= milliseconds;
}

function isField(element: HTMLElement): boolean {
  return element.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName);
}

/** Listen for single keys, from a layout effect: what is seen heeds its keys. The answer stops listening. Escape leaves a field. */
export function onKeys(acts: Readonly<Record<string, () => void>>): () => void {
  const listen = (event: KeyboardEvent) => {
    if (!keysOn.peek() || event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
    const [target] = event.composedPath();
    if (target instanceof HTMLElement && isField(target)) {
      if (event.key === 'Escape' && !event.defaultPrevented) target.blur();
      return;
    }
    const act = acts[event.key];
    if (!act) return;
    event.preventDefault();
    if (event.repeat && !STEPS.has(event.key)) return; // a key that is held down is one order
    act();
  };
  addEventListener('keydown', listen);
  return () => removeEventListener('keydown', listen);
}
