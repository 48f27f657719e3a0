/** The bar that says loudly that something red or orange waits which is not on the page. */
import { useLayoutEffect } from 'preact/hooks';
import { t, tName } from '../i18n';
import { onKeys } from '../keys';
import { pressing } from '../live/attention';
import { go, href } from '../router';
import { areaName, fieldOnly, subject } from '../store';
import { LevelShape } from './level';
import { Simulation } from './marks';

export function Summons() {
  const [first] = pressing.value;
  useLayoutEffect(
    () =>
      onKeys({
        g: () => {
          const [at] = pressing.peek();
          if (at) go(href('incidents', at.id));
        },
      }),
    [],
  );
  if (!first || fieldOnly.value) return null;
  const more = pressing.value.length - 1;
  return (
    <section class={`summons level-${first.level}`} aria-label={t('summons')} data-test="summons">
      <a href={href('incidents', first.id)}>
        <LevelShape level={first.level} size={26} />
        <b>{t('summons.level', { level: t(`level.${first.level}.long`) })}</b>
        {first.simulated && <Simulation small exercise={!!first.exercise} />}
        <span class="summons-what">
          {tName(subject(first))} · {areaName(first.area)}
          {more > 0 && ` ${t('summons.more', { n: more })}`}
        </span>
        <span class="summons-go">
          {t('summons.go')} <kbd aria-hidden="true">g</kbd>
        </span>
      </a>
    </section>
  );
}
