/** Is there room for columns beside each other? A sheet of paper is narrow, and shows what the screen did. */
import { signal } from '@preact/signals';

const wide = matchMedia('(min-width: 800px)');
const paper = matchMedia('print');
export const isWide = signal(wide.matches);
wide.addEventListener('change', () => {
  if (!paper.matches) isWide.value = wide.matches;
});
