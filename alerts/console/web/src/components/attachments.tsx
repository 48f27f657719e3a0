/** Files put with an incident's alarms, a photo or a PDF, and the way to put one more with the alarm that is shown. */
import { useState } from 'preact/hooks';
import { api } from '../api';
import type { Attachment } from '../contract';
import { t } from '../i18n';
import { mayComment } from '../store';
import { FileInput } from './file_input';
import { actorName, Moment } from './marks';
import { complain, tell } from './notices';

const MOST = 6_000_000; // bytes, as the server takes them

interface Props {
  files: readonly Attachment[];
  alarm: string; // to put a file with; empty where that is over
}

export function Attachments({ files, alarm }: Props) {
  const offered = mayComment.value && alarm !== '';
  if (!files.length && !offered) return null;
  return (
    <section class="attachments" aria-label={t('attach.title')} data-test="attachments">
      <h3>{t('attach.title')}</h3>
      {files.length > 0 && (
        <ul>
          {files.map((file) => (
            <li key={`${file.alarm}/${file.sha}`}>
              {file.url ? (
                <a href={file.url} target="_blank" rel="noopener noreferrer">{file.name}</a>
              ) : (
                <span>{file.name}</span>
              )}{' '}
              <span class="quiet">
                {t('attach.size', { n: Math.max(1, Math.round(file.bytes / 1000)) })} · {actorName(file.by ?? '')}{' '}
                {file.time != null && <Moment time={file.time} />}
              </span>
            </li>
          ))}
        </ul>
      )}
      {offered && <Choose alarm={alarm} />}
    </section>
  );
}

function Choose({ alarm }: { alarm: string }) {
  const [busy, setBusy] = useState(false);
  const send = async (file: File) => {
    if (busy) return;
    setBusy(true);
    try {
      if (file.size > MOST) throw new Error(t('attach.large'));
      await api.attach(alarm, file.name, await encoded(file));
      tell(t('attach.done'));
    } catch (error) {
      complain(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <FileInput label={t(busy ? 'attach.busy' : 'attach.add')} accept="image/jpeg,image/png,application/pdf" disabled={busy} choose={(file) => void send(file)} />
  );
}

/** The bytes of a file in base64. */
function encoded(file: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result).split(',')[1] ?? '');
    reader.onerror = () => reject(new Error(t('attach.unreadable')));
    reader.readAsDataURL(file);
  });
}
