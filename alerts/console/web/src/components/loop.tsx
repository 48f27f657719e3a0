/** What a dispatch may need beside its next step: other units called, another body, feedback, a visit later. */
import { useState } from 'preact/hooks';
import type { Dispatch, Leg, Unit } from '../contract';
import { t, tCode, tName } from '../i18n';
import { answer } from '../outbox';
import { directory, needs } from '../store';
import { Dialog } from './dialog';
import { Footer, Words } from './form';

type Way = 'feed-back' | 'follow-up' | 'refer' | 'call' | 'visited';

const DAY = 86400;
const WAYS: Partial<Record<Leg, readonly Way[]>> = {
  issued: ['refer'],
  accepted: ['call', 'refer'],
  on_scene: ['call', 'refer'],
  resolved: ['feed-back', 'follow-up', 'refer'],
  fed_back: ['follow-up', 'refer'],
  follow_up: ['visited', 'follow-up'],
};

/** The step that the area's type asks for before the dispatch may be closed; null when it may. */
export function owed(dispatch: Dispatch): 'feed-back' | 'follow-up' | null {
  const needed = needs(dispatch);
  if (dispatch.leg === 'resolved' && needed.includes('feed_back')) return 'feed-back';
  if ((dispatch.leg === 'resolved' || dispatch.leg === 'fed_back') && needed.includes('follow_up')) return 'follow-up';
  return null;
}

export function LoopActions({ dispatch }: { dispatch: Dispatch }) {
  const [way, choose] = useState<Way | null>(null);
  const first = dispatch.leg === 'follow_up' ? 'visited' : owed(dispatch);
  const ways = (WAYS[dispatch.leg] ?? []).filter((one) => one !== 'follow-up' || first !== 'feed-back');
  if (!ways.length) return null;
  const close = () => choose(null);
  return (
    <div class="loop">
      {ways.map((one) => (
        <button key={one} type="button" class={one === first ? 'primary big' : ''} data-test={`loop-${one}`} onClick={() => choose(one)}>
          {t(one === 'follow-up' && dispatch.leg === 'follow_up' ? 'loop.postpone' : `loop.${one}`)}
        </button>
      ))}
      {(way === 'feed-back' || way === 'visited') && <Said dispatch={dispatch} way={way} onClose={close} />}
      {way === 'follow-up' && <Visit dispatch={dispatch} onClose={close} />}
      {(way === 'refer' || way === 'call') && <Others dispatch={dispatch} way={way} onClose={close} />}
    </div>
  );
}

/** What was told to whom, or what the visit found. */
function Said({ dispatch, way, onClose }: { dispatch: Dispatch; way: 'feed-back' | 'visited'; onClose: () => void }) {
  const [text, setText] = useState('');
  const step = way === 'visited' ? 'close' : 'feed-back';
  return (
    <Dialog title={t(`loop.${way}`)} onClose={onClose}>
      <form onSubmit={(event) => event.preventDefault()}>
        <Words label={t(`loop.${way}.what`)} value={text} change={setText} />
        <Footer word={t('loop.do')} onClose={onClose} disabled={!text.trim()} run={() => answer(dispatch.id, step, { reason: text.trim() })} />
      </form>
    </Dialog>
  );
}

/** When somebody goes again. */
function Visit({ dispatch, onClose }: { dispatch: Dispatch; onClose: () => void }) {
  const [days, setDays] = useState('7');
  const [text, setText] = useState('');
  const late = dispatch.leg === 'follow_up'; // putting off has a reason
  const seconds = Number(days) * DAY;
  const sound = seconds > 0 && seconds <= 366 * DAY;
  const reason = text.trim();
  return (
    <Dialog title={t(late ? 'loop.postpone' : 'loop.follow-up')} onClose={onClose}>
      <form onSubmit={(event) => event.preventDefault()}>
        <label class="stacked">
          <span>{t('loop.days')}</span>
          <input type="number" min="0.1" max="366" step="any" value={days} onInput={(event) => setDays(event.currentTarget.value)} />
        </label>
        <Words label={t(late ? 'loop.postpone.why' : 'dispatch.note')} value={text} change={setText} />
        <Footer
          word={t('loop.do')}
          onClose={onClose}
          disabled={!sound || (late && !reason)}
          run={() => answer(dispatch.id, 'follow-up', { seconds, ...(reason ? { reason } : {}) })}
        />
      </form>
    </Dialog>
  );
}

/** Other units: one that takes the case over, or some that come as well. */
function Others({ dispatch, way, onClose }: { dispatch: Dispatch; way: 'refer' | 'call'; onClose: () => void }) {
  const [chosen, choose] = useState<readonly string[]>([]);
  const [text, setText] = useState('');
  const [sought, seek] = useState('');
  const words = sought.trim().toLowerCase();
  const like = (unit: Unit) => chosen.includes(unit.id) || `${tName(unit.name)} ${tCode('unit.kind', unit.kind)} ${placeName(unit)}`.toLowerCase().includes(words);
  const units = nearest(dispatch.area).filter((unit) => unit.id !== dispatch.unit && like(unit));
  const one = chosen[0];
  const toggle = (id: string) =>
    choose(way === 'refer' ? [id] : chosen.includes(id) ? chosen.filter((other) => other !== id) : [...chosen, id]);
  return (
    <Dialog title={t(`loop.${way}`)} onClose={onClose}>
      <form onSubmit={(event) => event.preventDefault()}>
        <p class="quiet">{t(`loop.${way}.help`)}</p>
        <label class="stacked">
          <span>{t('loop.find')}</span>
          <input type="search" value={sought} maxLength={100} onInput={(event) => seek(event.currentTarget.value)} />
        </label>
        <p class="quiet" role="status">{units.length ? '' : t('loop.none')}</p>
        <fieldset class="units">
          <legend>{t('loop.units')}</legend>
          {units.map((unit) => (
            <label key={unit.id} class="choice">
              <input
                type={way === 'refer' ? 'radio' : 'checkbox'}
                name="other"
                checked={chosen.includes(unit.id)}
                onChange={() => toggle(unit.id)}
              />
              <span>
                <b>{tName(unit.name)}</b> <span class="quiet">{[tCode('unit.kind', unit.kind), placeName(unit)].filter(Boolean).join(' · ')}</span>
              </span>
            </label>
          ))}
        </fieldset>
        <Words label={t(way === 'refer' ? 'loop.refer.why' : 'dispatch.note')} value={text} change={setText} />
        <Footer
          word={t('loop.do')}
          onClose={onClose}
          disabled={!one || (way === 'refer' && !text.trim())}
          run={() => answer(dispatch.id, way, way === 'refer' ? { to: one ?? '', reason: text.trim() } : { units: [...chosen], note: text.trim() })}
        />
      </form>
    </Dialog>
  );
}

function placeName(unit: Unit): string {
  return tName(directory.value?.places.get(unit.place)?.name);
}

/** All units, nearest first, in the desk's order: of the area's own place, of those above it, then of its neighbours. */
function nearest(area: string): Unit[] {
  const known = directory.value;
  const here = known?.areas.get(area);
  const above = (start: string | undefined) => {
    const path: string[] = [];
    for (let id = start; id && !path.includes(id); id = known?.places.get(id)?.parent ?? undefined) path.push(id);
    return path;
  };
  const path = above(here?.place);
  const far = ({ place, types }: Unit): number => {
    const own = path.indexOf(place);
    const shared = path.findIndex((id) => above(place).includes(id));
    const off = types?.length && here && !types.includes(here.type) ? 1000 : 0; // it does not deal with such areas
    return off + (own >= 0 ? own : 100 + (shared >= 0 ? shared : path.length));
  };
  const ranked = [...(known?.units.values() ?? [])].map((unit) => ({ unit, far: far(unit) }));
  return ranked.sort((a, b) => a.far - b.far).map(({ unit }) => unit);
}
