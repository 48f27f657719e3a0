/** The pictures of an incident as a strip in order of time, and what its cameras show now. */
import { useEffect, useState } from 'preact/hooks';
import { clockTime } from '../clock';
import type { Camera, Snapshot } from '../contract';
import { language, t, tName } from '../i18n';
import { cameraName, mayOperate } from '../store';
import { Clip } from './clip';

const STILL = 1000; // milliseconds between two stills
const FRAME = 1000; // milliseconds that a picture of the clip is shown
const AGAIN = 5000; // after one that did not come

interface Looked {
  pictures: readonly Snapshot[]; // in order of time
  at: number; // the one that is shown large
  choose: (at: number) => void;
  moved: (time: number | null) => void; // told the time of a clip's picture while one is shown
}

const MANY = 4; // pictures of a strip beyond which each is so narrow that the smallest does
const BEFORE = 10; // seconds that a clip spans before and after its alarm's picture
const AFTER = 5;

export function Pictures({ cameras, ...looked }: Looked & { cameras: readonly Camera[] }) {
  const { pictures } = looked;
  if (!pictures.length && !cameras.length) return null;
  return (
    <div class="pictures">
      {pictures.length > 0 && <Strip {...looked} />}
      {!pictures.length && <p class="quiet no-picture">{t('picture.none', { n: cameras.length })}</p>}
      {cameras.map((camera) => (
        <Live key={camera.id} camera={camera} />
      ))}
    </div>
  );
}

/** The picture whose clip shows another one's moment, by the same camera. */
function filmed(pictures: readonly Snapshot[], shown: Snapshot): Snapshot | undefined {
  const about = (one: Snapshot) => one.camera === shown.camera && shown.time >= one.time - BEFORE && shown.time <= one.time + AFTER + 1;
  return shown.clip ? shown : pictures.find((one) => one.clip && about(one));
}

/** One picture large, all small beneath it; arrow keys, Home and End step through them. A clip plays in its place. */
function Strip({ pictures, at, choose, moved }: Looked) {
  const [broken, setBroken] = useState<ReadonlySet<string>>(new Set());
  const [film, show] = useState<Snapshot | null>(null);
  const [playing, play] = useState(false);
  useEffect(() => {
    if (!playing) return undefined;
    if (at + 1 >= pictures.length) {
      play(false);
      return undefined;
    }
    const timer = setTimeout(() => choose(at + 1), FRAME);
    return () => clearTimeout(timer);
  }, [playing, at, pictures.length]);
  const shown = pictures[at]!;
  const clip = filmed(pictures, shown);
  useEffect(() => show(null), [shown.url]); // another picture was chosen
  const step = (event: KeyboardEvent) => {
    const last = pictures.length - 1;
    const to: Record<string, number> = { ArrowLeft: Math.max(at - 1, 0), ArrowRight: Math.min(at + 1, last), Home: 0, End: last };
    const next = to[event.key];
    if (next === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    choose(next);
    const row = event.currentTarget as HTMLElement;
    row.querySelectorAll<HTMLElement>('[role=radio]')[next]?.focus();
  };
  const begin = (on: boolean) => {
    if (on && at + 1 >= pictures.length) choose(0); // from its end: over again
    play(on);
  };
  const alt = (one: Snapshot) => t('picture.alt', { camera: cameraName(one.camera), time: clockTime(one.time) });
  return (
    <figure class="picture strip" data-test="strip">
      {film ? (
        <Clip picture={film} moved={moved} />
      ) : broken.has(shown.url) ? (
        <p class="quiet">{t('picture.broken')}</p>
      ) : (
        <a href={shown.url} target="_blank" rel="noopener noreferrer">
          <img src={shown.url} alt={alt(shown)} onError={() => setBroken(new Set([...broken, shown.url]))} />
        </a>
      )}
      <figcaption aria-live="polite">
        <span>{cameraName(shown.camera)}</span>
        <span class="digits">
          {clockTime(shown.time)} · {t('picture.of', { n: at + 1, all: pictures.length })}
        </span>
      </figcaption>
      {clip && (
        <button type="button" class="plain play" aria-pressed={film !== null} title={t('clip.help')} onClick={() => show(film ? null : clip)}>
          {film ? t('clip.back') : `▶ ${t('clip')}`}
        </button>
      )}
      {pictures.length > 1 && (
        <>
        <button type="button" class="plain play" aria-pressed={playing} title={t('picture.play.help')} onClick={() => begin(!playing)}>
          <span aria-hidden="true">{playing ? '❚❚' : '▶'}</span> {playing ? t('picture.pause') : t('picture.play')}
        </button>
        <div class="thumbs" role="radiogroup" aria-label={t('picture.strip')} title={t('picture.strip.help')} onKeyDown={step}>
          {pictures.map((one, place) => (
            <button
              key={one.url + one.time}
              type="button"
              role="radio"
              aria-checked={place === at}
              tabIndex={place === at ? 0 : -1}
              aria-label={alt(one)}
              onClick={() => choose(place)}
            >
              <img src={`${one.url}?width=${pictures.length > MANY ? 160 : 320}`} alt="" loading="lazy" />
              <span class="digits">{clockTime(one.time)}</span>
            </button>
          ))}
        </div>
        </>
      )}
    </figure>
  );
}

/** What a camera shows now: a still a second while it is asked for and the page is seen, and the site's own viewer. */
function Live({ camera }: { camera: Camera }) {
  const [on, setOn] = useState(false);
  return (
    <div class="live" data-test="live">
      <p class="live-head">
        <span>{tName(camera.name) || camera.id}</span>
        {mayOperate.value && (
          <button type="button" aria-pressed={on} onClick={() => setOn(!on)}>
            {on ? t('live.stop') : t('live.start')}
          </button>
        )}
        {camera.viewer && (
          <a href={camera.viewer} target="_blank" rel="noopener noreferrer">
            {t('live.viewer')}
          </a>
        )}
      </p>
      {on && <Still camera={camera} />}
    </div>
  );
}

/** The camera's newest picture, asked for again every so many milliseconds while the page is seen. */
export function Still({ camera, every = STILL }: { camera: Camera; every?: number }) {
  const [url, setUrl] = useState('');
  const [problem, setProblem] = useState('');
  useEffect(() => {
    const ending = new AbortController();
    let timer = 0;
    let held = '';
    const look = async () => {
      let wait = every;
      if (document.visibilityState === 'visible') {
        try {
          const answer = await fetch(`/api/v1/cameras/${encodeURIComponent(camera.id)}/still.jpg`, {
            signal: ending.signal, headers: { 'Accept-Language': language.value },
          });
          if (!answer.ok) throw new Error(((await answer.json()) as { error?: { message?: string } }).error?.message ?? '');
          const fresh = URL.createObjectURL(await answer.blob());
          setUrl(fresh);
          setProblem('');
          if (held) URL.revokeObjectURL(held);
          held = fresh;
        } catch (error) {
          if (ending.signal.aborted) return;
          setUrl('');
          setProblem((error instanceof Error && error.message) || t('live.none'));
          wait = AGAIN;
        }
      }
      if (!ending.signal.aborted) timer = window.setTimeout(() => void look(), wait);
    };
    void look();
    return () => {
      ending.abort();
      window.clearTimeout(timer);
      if (held) URL.revokeObjectURL(held);
    };
  }, [camera.id, every]);
  if (problem) return <p class="quiet" role="status">{problem}</p>;
  return url ? <img src={url} alt={t('live.alt', { camera: tName(camera.name) || camera.id })} /> : <p class="quiet">…</p>;
}
