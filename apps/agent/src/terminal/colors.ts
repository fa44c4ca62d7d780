/** Colors where a terminal shows them: never into a pipe, never with NO_COLOR, always with FORCE_COLOR. */
import picocolors from 'picocolors';

export const colors = picocolors.createColors(areShownBy(process.stdout));
export const errorColors = picocolors.createColors(areShownBy(process.stderr));

function areShownBy(stream: NodeJS.WriteStream): boolean {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
  if (NO_COLOR) return false;
  // isTTY is undefined for a pipe, and picocolors takes undefined for "decide yourself".
  return Boolean(FORCE_COLOR || (stream.isTTY && TERM !== 'dumb'));
}
