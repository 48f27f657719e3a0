/** What stands on the map for an area, a point, a camera and a unit: shape, colour and sign, never colour alone. */
import type { Health, Level } from '../contract';
import { LevelShape } from './level';

/** How an area stands: the worst level of its open incidents, else how honest its calm is. */
export type Standing = Level | 'calm' | 'partly' | 'silent';

export function AreaSymbol({ standing, size = 22 }: { standing: Standing; size?: number }) {
  if (standing !== 'calm' && standing !== 'partly' && standing !== 'silent') return <LevelShape level={standing} size={size} />;
  return (
    <svg class={`shape stands-${standing}`} width={size} height={size} viewBox="0 0 24 24" aria-hidden="true">
      <rect x="3.5" y="3.5" width="17" height="17" rx="5" class="box" />
      {standing === 'calm' && <path d="m8 12.5 3 3 5.5-6.5" class="sign" />}
      {standing === 'partly' && <path d="M8 12h8" class="sign" />}
      {standing === 'silent' && <path d="M9.3 9.3a2.8 2.8 0 1 1 3.9 2.6c-.8.4-1.2.9-1.2 1.8M12 16.6v.6" class="sign" />}
    </svg>
  );
}

export function PartSymbol({ kind, state, size = 16 }: { kind: 'point' | 'camera' | 'unit'; state: Health | 'busy' | 'free'; size?: number }) {
  return (
    <svg class={`shape part-${kind} part-${state}`} width={size} height={size} viewBox="0 0 24 24" aria-hidden="true">
      {kind === 'point' && <circle cx="12" cy="12" r="7.5" class="box" />}
      {kind === 'camera' && <path d="M3 7h12v10H3ZM15 11l6-4v10l-6-4Z" class="box" />}
      {kind === 'unit' && <path d="M12 3a4 4 0 1 1 0 8 4 4 0 0 1 0-8ZM4 21c0-5 3.5-8 8-8s8 3 8 8Z" class="box" />}
      {(state === 'stale' || state === 'never') && <path d="M4 4 20 20" class="cross" />}
    </svg>
  );
}
