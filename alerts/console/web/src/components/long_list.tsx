/** A list of thousands of rows: only those near the eye stand in the page, so that scrolling and the clock stay cheap. */
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

const CHUNK = 20; // rows that come and go together
const BEYOND = 800; // pixels above and below the window that are ready before the eye is there
const GUESS = 60; // pixels of a row, until some have been measured

interface Props<T> {
  items: readonly T[];
  row: (item: T, at: number) => ComponentChildren; // a <li>, keyed, with `aria-setsize` and `aria-posinset`
  class?: string;
  test?: string;
  chosen?: string; // names the row that the person has chosen; another one is brought into view
  at?: number; // where it stands, -1 where it is not among them
}

/** An <ol> whose rows may be of different heights: what is not drawn is as high as the drawn ones are on average. */
export function LongList<T>({ items, row, class: kind, test, chosen = '', at = -1 }: Props<T>) {
  const box = useRef<HTMLOListElement>(null);
  const [height, setHeight] = useState(GUESS);
  const [from, setFrom] = useState(0);
  const [to, setTo] = useState(2 * CHUNK);
  useEffect(() => {
    const look = () => {
      const top = box.current?.getBoundingClientRect().top ?? 0;
      const chunk = CHUNK * height;
      setFrom(Math.max(0, Math.floor((-top - BEYOND) / chunk)) * CHUNK);
      setTo(Math.max(1, Math.ceil((innerHeight - top + BEYOND) / chunk)) * CHUNK);
    };
    look();
    addEventListener('scroll', look, { passive: true, capture: true }); // whoever scrolls, the page or a part of it
    addEventListener('resize', look, { passive: true });
    return () => {
      removeEventListener('scroll', look, { capture: true });
      removeEventListener('resize', look);
    };
  }, [height, items.length]);
  const first = Math.min(from, Math.max(0, Math.floor((items.length - 1) / CHUNK)) * CHUNK);
  const shown = items.slice(first, to);
  useLayoutEffect(() => {
    const rows = box.current?.querySelectorAll<HTMLElement>(':scope > li:not(.unseen)') ?? [];
    let sum = 0;
    for (const one of rows) sum += one.offsetHeight;
    const mean = sum / rows.length;
    if (mean > 0 && Math.abs(mean - height) > 2) setHeight(mean);
  }, [first, shown.length]);
  const followed = useRef('');
  useLayoutEffect(() => {
    if (at < 0 || followed.current === chosen) return;
    const drawn = at - first;
    if (drawn >= 0 && drawn < shown.length) {
      followed.current = chosen;
      box.current?.querySelectorAll(':scope > li:not(.unseen)')[drawn]?.scrollIntoView({ block: 'nearest' });
    } else {
      const chunk = Math.floor(at / CHUNK) * CHUNK;
      setFrom(Math.max(0, chunk - CHUNK));
      setTo(chunk + 2 * CHUNK);
    }
  }, [chosen, at, first, shown.length]);
  const below = items.length - first - shown.length;
  return (
    <ol class={kind} data-test={test} ref={box}>
      {first > 0 && <Unseen key="above" pixels={first * height} />}
      {shown.map((item, at) => row(item, first + at))}
      {below > 0 && <Unseen key="below" pixels={below * height} />}
    </ol>
  );
}

function Unseen({ pixels }: { pixels: number }) {
  return <li class="unseen" aria-hidden="true" style={{ height: `${pixels}px` }} />;
}
