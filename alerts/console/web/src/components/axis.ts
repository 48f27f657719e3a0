/** The axis of time that the traces of an incident and its pictures share. */
import { now } from '../clock';

/** Of the span: room for what is to come, on all charts alike, so that they share one axis. */
export const AHEAD = 0.25;
/** CSS pixels beside the plotted area of a chart. */
export const MARGIN = { left: 54, right: 12 } as const;

/** From when to when a chart goes, unix seconds. */
export function stretch({ span, stop, ahead }: { span: number; stop?: number | undefined; ahead: number }): [number, number] {
  const end = stop ?? now.peek();
  return [end - span, end + ahead];
}
