/** Points whose kind the site does not declare and that were taken for something else: the lines that declare it. */
import { useRef } from 'preact/hooks';
import { api } from '../api';
import type { Guessed } from '../contract';
import { t, tCode } from '../i18n';
import { areaName, directory, pointName } from '../store';
import { Failed, useLoad, Waiting } from './load';
import { complain, tell } from './notices';

export function GuessedKinds() {
  const { data, error, again } = useLoad(() => api.guessed(), 'guessed');
  if (!data) return error ? <Failed error={error} again={again} /> : <Waiting />;
  return (
    <>
      <p class="quiet">{t('guessed.help')}</p>
      {!data.length && <p class="quiet empty">{t('guessed.empty')}</p>}
      <ul class="guessed-list" data-test="guessed">
        {data.map((one) => (
          <Item key={one.point} one={one} />
        ))}
      </ul>
    </>
  );
}

/** What to write into the area's file: its quantity is the key of its points there. */
export function snippet(one: Guessed): string {
  const point = directory.value?.points.get(one.point);
  return [`# ${one.point}`, `- id: ${one.areas[0] ?? ''}`, '  points:', `    ${point?.quantity ?? one.point}: {kind: ${one.kind}}`].join('\n');
}

function Item({ one }: { one: Guessed }) {
  const text = snippet(one);
  const box = useRef<HTMLPreElement>(null);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      tell(t('guessed.copied'));
    } catch (error) {
      // no clipboard without https: select it, so that one key copies it
      const range = document.createRange();
      if (box.current) range.selectNodeContents(box.current);
      const selection = getSelection();
      if (!selection || !box.current) return complain(error);
      selection.removeAllRanges();
      selection.addRange(range);
      tell(t('guessed.selected'));
    }
  };
  return (
    <li>
      <p>
        <b>{pointName(one.point)}</b> <span class="quiet">{one.areas[0] ? areaName(one.areas[0]) : ''}</span>
        <br />
        {t('guessed.taken', { kind: tCode('point.kind', one.kind) })}
      </p>
      <pre ref={box} tabIndex={0} role="group" aria-label={t('guessed.yaml', { point: one.point })}>
        {text}
      </pre>
      <button type="button" onClick={() => void copy()}>
        {t('guessed.copy')} <span class="only-read">{one.point}</span>
      </button>
    </li>
  );
}
