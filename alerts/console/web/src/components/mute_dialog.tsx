/** Mute the page's sound for two minutes, and say why: it is on record who could not hear, and for what reason. */
import { signal } from '@preact/signals';
import { useState } from 'preact/hooks';
import { api } from '../api';
import { t } from '../i18n';
import { mute, muted, sound, unmute } from '../live/sound';
import { Dialog } from './dialog';
import { Footer, Words } from './form';
import { complain } from './notices';

const REASONS = ['phone', 'talking', 'dealing'] as const;
const asking = signal(false);

/** Ask why, to mute; where it is muted, let it sound again. */
export function askMute(): void {
  if (muted()) unmute();
  else if (sound.peek() === 'on') asking.value = true;
}

export function MuteDialog() {
  const [words, setWords] = useState('');
  if (!asking.value) return null;
  const close = () => {
    asking.value = false;
    setWords('');
  };
  const run = async (reason: string) => {
    mute(); // at once: whoever is on the telephone does not wait for the server
    close();
    await api.muted(reason).catch(complain);
  };
  return (
    <Dialog title={t('sound.mute')} onClose={close}>
      <form onSubmit={(event) => event.preventDefault()} data-test="mute">
        <p>{t('sound.mute.why')}</p>
        <div class="buttons">
          {REASONS.map((one, at) => (
            <button key={one} type="button" autofocus={at === 0} onClick={() => void run(t(`sound.why.${one}`))}>
              {t(`sound.why.${one}`)}
            </button>
          ))}
        </div>
        <Words label={t('sound.mute.other')} value={words} change={setWords} rows={2} longest={500} />
        <Footer onClose={close} disabled={!words.trim()} run={() => run(words.trim())} word={t('sound.mute')} />
      </form>
    </Dialog>
  );
}
