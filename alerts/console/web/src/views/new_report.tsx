/** Report something new from where one stands: what, where, in words, with a photo. */
import { useState } from 'preact/hooks';
import { Action } from '../components/action';
import { FileInput } from '../components/file_input';
import { AreaOptions, Words } from '../components/form';
import { complain, tell } from '../components/notices';
import { t, tCode } from '../i18n';
import { report } from '../outbox';
import { smaller } from '../photo';
import { go, href } from '../router';

const CATEGORIES = ['smoke', 'flood', 'gas', 'noise', 'family-dispute', 'trade-dispute', 'other'] as const;

export function NewReport() {
  const [category, setCategory] = useState<string>('');
  const [area, setArea] = useState('');
  const [text, setText] = useState('');
  const [photo, setPhoto] = useState('');
  return (
    <main class="field" id="main" tabIndex={-1}>
      <a class="back" href={href('field')}>
        ← {t('field.back')}
      </a>
      <h1>{t('field.new')}</h1>
      <label class="stacked">
        <span>{t('field.new.what')}</span>
        <select value={category} onChange={(event) => setCategory(event.currentTarget.value)}>
          <option value="">{t('field.new.choose')}</option>
          {CATEGORIES.map((one) => (
            <option key={one} value={one}>
              {tCode('report', one)}
            </option>
          ))}
        </select>
      </label>
      <label class="stacked">
        <span>{t('field.new.where')}</span>
        <select value={area} onChange={(event) => setArea(event.currentTarget.value)}>
          <option value="">{t('field.new.choose')}</option>
          <AreaOptions />
        </select>
      </label>
      <Words label={t('field.new.text')} value={text} change={setText} />
      <PhotoInput taken={photo !== ''} take={setPhoto} />
      <Action
        class="primary big"
        disabled={!category || !area}
        run={() => report({ category, area, text: text.trim(), ...(photo ? { photo } : {}) })}
        after={() => {
          tell(t('field.new.done'));
          go(href('field'));
        }}
      >
        {t('field.new.do')}
      </Action>
    </main>
  );
}

/** A photo from the camera or the album, made small before anything keeps it. */
export function PhotoInput({ taken, take }: { taken: boolean; take: (photo: string) => void }) {
  const read = async (file: File) => {
    try {
      take(await smaller(file));
    } catch {
      complain(new Error(t('field.photo.bad')));
    }
  };
  return <FileInput label={t(taken ? 'field.photo.taken' : 'field.photo')} accept="image/*" photo choose={(file) => void read(file)} />;
}
