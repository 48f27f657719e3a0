/** Code that is fetched when it is first shown. Smaller than preact/compat's, which would bring all of compat along. */
import { Component, createContext, type ComponentChildren, type ComponentType } from 'preact';
import { useContext, useEffect, useState } from 'preact/hooks';
import { t } from '../i18n';

const Fallback = createContext<ComponentChildren>(null);

export function Suspense({ fallback, children }: { fallback: ComponentChildren; children: ComponentChildren }) {
  return <Fallback.Provider value={fallback}>{children}</Fallback.Provider>;
}

/** Wrap a component whose code is loaded on first use; a failed load says so and can be tried again. */
export function lazy<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  let found: ComponentType<P> | null = null;
  return function Lazy(props: P) {
    const [state, setState] = useState<'waiting' | 'failed' | 'here'>(found ? 'here' : 'waiting');
    const fallback = useContext(Fallback);
    useEffect(() => {
      if (state !== 'waiting') return undefined;
      let gone = false;
      load().then(
        (component) => {
          found = component;
          if (!gone) setState('here');
        },
        () => {
          if (!gone) setState('failed');
        },
      );
      return () => {
        gone = true;
      };
    }, [state]);
    if (found) {
      const Found = found;
      return <Found {...props} />;
    }
    if (state === 'failed')
      return (
        <div class="failed" role="alert">
          <p>{t('error.code')}</p>
          <button type="button" onClick={() => location.reload()}>
            {t('reload')}
          </button>
        </div>
      );
    return <>{fallback}</>;
  };
}

/** Keep one broken part from taking the page down: say it, and let the person reload. */
export class Guard extends Component<{ children: ComponentChildren }, { broken: boolean }> {
  override state = { broken: false };

  static override getDerivedStateFromError(): { broken: boolean } {
    return { broken: true };
  }

  override componentDidCatch(error: unknown): void {
    console.error('page part failed', error);
  }

  override render() {
    if (!this.state.broken) return this.props.children;
    return (
      <div class="failed" role="alert">
        <p>{t('error.page')}</p>
        <button type="button" onClick={() => location.reload()}>
          {t('reload')}
        </button>
      </div>
    );
  }
}
