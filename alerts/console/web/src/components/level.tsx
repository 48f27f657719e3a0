/** A warning level by shape, colour and word: never by colour alone. */
import type { Level } from '../contract';
import { t } from '../i18n';

const SHAPES: Record<Level, string> = {
  red: 'M8.2 2h7.6L22 8.2v7.6L15.8 22H8.2L2 15.8V8.2Z', // octagon
  orange: 'M12 2.2 22.6 21H1.4Z', // triangle
  yellow: 'M12 1.5 22.5 12 12 22.5 1.5 12Z', // diamond
  blue: 'M12 2.5a9.5 9.5 0 1 1 0 19 9.5 9.5 0 0 1 0-19Z', // circle
};
const SIGNS: Record<Level, string> = {
  red: 'M12 6.5v7M12 16.4v1.4',
  orange: 'M12 9v6M12 17.2v1.2',
  yellow: 'M12 7.5v6M12 15.6v1.2',
  blue: 'M12 11v6M12 7.2v1.2',
};

/** Only the shape, for where the word stands beside it. */
export function LevelShape({ level, size = 20 }: { level: Level; size?: number }) {
  return (
    <svg class={`shape level-${level}`} width={size} height={size} viewBox="0 0 24 24" aria-hidden="true">
      <path d={SHAPES[level] ?? SHAPES.blue} fill="currentColor" />
      <path d={SIGNS[level] ?? SIGNS.blue} class="sign" />
    </svg>
  );
}

/** Shape and word. */
export function LevelMark({ level, size = 20, long = false }: { level: Level; size?: number; long?: boolean }) {
  return (
    <span class={`level-mark level-${level}`}>
      <LevelShape level={level} size={size} />
      <span>{t(long ? `level.${level}.long` : `level.${level}`)}</span>
    </span>
  );
}
