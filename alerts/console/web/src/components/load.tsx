/** Read something from the server and keep it: loading, error and retry states in one place. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { ApiError } from '../api';
import { t } from '../i18n';

export interface Loaded<T> {
  data: T | null;
  error: ApiError | null;
  again: () => void;
}

/**
 * Load whenever `key` changes, and once more (keeping what is shown) whenever `stamp` moves. An answer that comes
 * after the key has changed again is thrown away.
 */
export function useLoad<T>(load: () => Promise<T>, key: string, stamp: number = 0): Loaded<T> {
  const [kept, keep] = useState<{ key: string; data: T | null; error: ApiError | null }>({ key, data: null, error: null });
  const [tries, setTries] = useState(0);
  const wanted = useRef(key);
  wanted.current = key;
  const loader = useRef(load);
  loader.current = load;
  const first = useRef(true);
  useEffect(() => {
    let stale = false;
    const read = () =>
      loader.current().then(
        (data) => {
          if (!stale) keep({ key, data, error: null });
        },
        (reason: unknown) => {
          if (stale) return;
          const error = reason instanceof ApiError ? reason : new ApiError(0, 'page', String(reason));
          keep((old) => ({ key, data: old.key === key ? old.data : null, error }));
        },
      );
    // a burst of changes about the same thing is read once
    const timer = setTimeout(() => void read(), first.current ? 0 : 120);
    first.current = false;
    return () => {
      stale = true;
      clearTimeout(timer);
    };
  }, [key, stamp, tries]);
  const again = useCallback(() => setTries((n) => n + 1), []);
  return kept.key === key ? { data: kept.data, error: kept.error, again } : { data: null, error: null, again };
}

export function Waiting() {
  return (
    <p class="quiet waiting" role="status">
      <span class="spinner" aria-hidden="true" /> {t('loading')}
    </p>
  );
}

export function Failed({ error, again }: { error: ApiError; again: () => void }) {
  return (
    <div class="failed" role="alert">
      <p>{error.message}</p>
      <button type="button" onClick={again}>
        {t('retry')}
      </button>
    </div>
  );
}
