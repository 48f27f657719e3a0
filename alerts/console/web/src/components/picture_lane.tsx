/** The pictures of an incident beneath its trace, each where its time stands on the chart's axis. */
import { clockTime, now } from '../clock';
import type { Snapshot } from '../contract';
import { t } from '../i18n';
import { cameraName } from '../store';
import { AHEAD, MARGIN } from './axis';

const WIDE = 0.11; // of the lane: the width of a picture; those closer together stand behind one another

interface Props {
  pictures: readonly Snapshot[]; // in order of time
  at: number; // the one that is shown large
  choose: (at: number) => void;
  span: number; // seconds
}

interface Pile {
  place: number; // of the lane, 0..1
  members: number[]; // indices of pictures
}

export function PictureLane({ pictures, at, choose, span }: Props) {
  const found = piles(pictures, span, now.value);
  if (!found.length) return null;
  return (
    <div class="lane" role="group" aria-label={t('picture.lane')} style={{ marginInline: `${MARGIN.left}px ${MARGIN.right}px` }} data-test="lane">
      {found.map(({ place, members }) => {
        const here = members.indexOf(at);
        const shown = pictures[members[Math.max(here, 0)]!]!;
        const label = t('picture.alt', { camera: cameraName(shown.camera), time: clockTime(shown.time) });
        return (
          <button
            key={members[0]}
            type="button"
            aria-pressed={here >= 0}
            aria-label={members.length > 1 ? `${label} ${t('picture.pile', { n: members.length })}` : label}
            title={label}
            style={{ left: `${100 * Math.min(Math.max(place - WIDE / 2, 0), 1 - WIDE)}%`, width: `${100 * WIDE}%` }}
            onClick={() => choose(members[(here + 1) % members.length]!)}
          >
            <img src={shown.url} alt="" loading="lazy" />
            {members.length > 1 && <span class="digits" aria-hidden="true">{members.length}</span>}
          </button>
        );
      })}
    </div>
  );
}

/** Put pictures that would cover each other on one pile; those outside the span are not shown. */
function piles(pictures: readonly Snapshot[], span: number, end: number): Pile[] {
  const found: Pile[] = [];
  pictures.forEach((one, index) => {
    const place = (one.time - (end - span)) / (span * (1 + AHEAD));
    if (place < 0 || place > 1) return;
    const last = found.at(-1);
    if (last && place - last.place < WIDE) last.members.push(index);
    else found.push({ place, members: [index] });
  });
  return found;
}
