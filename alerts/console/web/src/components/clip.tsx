/** The moving clip of an alarm: small pictures at the pace at which they were seen, each at its own time. */
import { useEffect, useState } from 'preact/hooks';
import { clockTime } from '../clock';
import type { Snapshot } from '../contract';
import { t } from '../i18n';
import { cameraName } from '../store';

const LONGEST = 2000; // milliseconds that a picture is shown, where the camera was away for longer

interface Frame {
  time: number; // unix seconds
  url: string; // of a blob
}

interface Props {
  picture: Snapshot; // which has the clip
  moved: (time: number | null) => void; // told the time of the picture that is shown, null once none is
}

const still = () => matchMedia('(prefers-reduced-motion: reduce)').matches;

/** Plays at once, unless the reader wants no motion; a button and a slider, so that keys do it all. */
export function Clip({ picture, moved }: Props) {
  const [frames, setFrames] = useState<readonly Frame[]>([]);
  const [broken, setBroken] = useState(false);
  const [at, setAt] = useState(0);
  const [playing, play] = useState(!still());
  const { clip } = picture;
  useEffect(() => {
    const ending = new AbortController();
    let held: readonly Frame[] = [];
    read(clip!, ending.signal).then(
      (found) => {
        held = found;
        if (ending.signal.aborted) release(found);
        else setFrames(found);
      },
      () => {
        if (!ending.signal.aborted) setBroken(true);
      },
    );
    return () => {
      ending.abort();
      release(held);
      moved(null);
    };
  }, [clip]);
  const shown = frames[at];
  useEffect(() => moved(shown?.time ?? null), [shown]);
  useEffect(() => {
    if (!playing || !shown) return undefined;
    const next = frames[at + 1];
    if (!next) {
      play(false);
      return undefined;
    }
    const timer = setTimeout(() => setAt(at + 1), Math.min(1000 * (next.time - shown.time), LONGEST));
    return () => clearTimeout(timer);
  }, [playing, at, frames]);
  if (broken) return <p class="quiet">{t('picture.broken')}</p>;
  if (!shown) return <p class="quiet" role="status">…</p>;
  const begin = () => {
    if (!playing && at + 1 >= frames.length) setAt(0); // from its end: over again
    play(!playing);
  };
  return (
    <div class="clip" data-test="clip">
      <img src={shown.url} alt={t('picture.alt', { camera: cameraName(picture.camera), time: clockTime(shown.time) })} />
      <p class="clip-keys">
        <button type="button" onClick={begin}>
          <span aria-hidden="true">{playing ? '❚❚' : '▶'}</span> {t(playing ? 'picture.pause' : 'clip.play')}
        </button>
        <input
          type="range" min={0} max={frames.length - 1} value={at} aria-label={t('clip.at')} aria-valuetext={clockTime(shown.time)}
          onInput={(event) => {
            play(false);
            setAt(Number(event.currentTarget.value));
          }}
        />
        <span class="digits">{clockTime(shown.time)}</span>
      </p>
    </div>
  );
}

/** Take a clip apart: a line of JSON with times and sizes, then the JPEG pictures. */
async function read(url: string, signal: AbortSignal): Promise<Frame[]> {
  const name = url.slice(url.lastIndexOf('/') + 1); // nothing but a picture of this server
  const answer = await fetch(`/api/v1/snapshots/${encodeURIComponent(name)}`, { signal });
  if (!answer.ok) throw new Error(String(answer.status));
  const whole = new Uint8Array(await answer.arrayBuffer());
  const end = whole.indexOf(10);
  const head = JSON.parse(new TextDecoder().decode(whole.subarray(0, end))) as { frames: [number, number][] };
  let from = end + 1;
  return head.frames.map(([time, size]) => {
    const picture = whole.subarray(from, from + size);
    from += size;
    return { time, url: URL.createObjectURL(new Blob([picture], { type: 'image/jpeg' })) };
  });
}

function release(frames: readonly Frame[]): void {
  for (const one of frames) URL.revokeObjectURL(one.url);
}
