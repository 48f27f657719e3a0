/** Turn this page's sound off, on the desk and on the phone. */
import { api } from '../api';
import { t } from '../i18n';
import { disableSound } from '../live/sound';
import { complain } from './notices';

/** Turn sound off until somebody turns it on; that nobody hears here from now on is on record, as a pause is. */
export function turnSoundOff(): void {
  disableSound();
  void api.muted(t('sound.disable')).catch(complain);
}
