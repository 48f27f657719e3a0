/** A button that does something on the server: busy while it is under way, says when it failed. */
import type { ComponentChildren } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { complain, tell } from './notices';

interface Props {
  run: () => Promise<unknown>;
  done?: string; // what to tell once it worked
  after?: () => void;
  class?: string;
  disabled?: boolean;
  keys?: string; // the key that does the same, shown on the button
  children: ComponentChildren;
}

export function Action({ run, done, after, class: kind = '', disabled = false, keys, children }: Props) {
  const [busy, setBusy] = useState(false);
  const alive = useRef(true);
  const act = async () => {
    if (busy) return;
    setBusy(true);
    try {
      await run();
      if (done) tell(done);
      after?.();
    } catch (error) {
      complain(error);
    } finally {
      if (alive.current) setBusy(false);
    }
  };
  return (
    <button type="button" class={kind} disabled={disabled} aria-busy={busy} onClick={() => void act()}>
      {busy && <span class="spinner" aria-hidden="true" />}
      {children}
      {keys && <kbd aria-hidden="true">{keys}</kbd>}
    </button>
  );
}
