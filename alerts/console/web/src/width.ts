/** Is there room for columns beside each other? */
import { signal } from '@preact/signals';

const wide = matchMedia('(min-width: 800px)');
export const isWide = signal(wide.matches);
wide.addEventListener('change', () => {
  isWide.value = wide.matches;
});
