/** What happens when nobody takes our output any more: its reader has gone, as with `| head`, or its disk is full. */
import { exitCodes } from '../exitCodes.ts';

let takeOver: ((code: string | undefined) => void) | undefined;

/** Until `undefined` is given, the process does not end of lost output by itself; `action` sees to it, once. */
export function whenOutputIsLost(action: ((code: string | undefined) => void) | undefined): void {
  takeOver = action;
}

export function watchOutput(): void {
  let isLost = false;
  process.stderr.on('error', () => undefined); // there is no other place to say it
  process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
    if (isLost) return;
    isLost = true;
    if (takeOver) return takeOver(code);
    process.exit(endOfLostOutput(code));
  });
}

/** Says what is wrong and returns the exit code. Of a reader that has seen enough there is nothing to say. */
export function endOfLostOutput(code: string | undefined): number {
  if (code === 'EPIPE') return exitCodes.done;
  const full = code === 'ENOSPC' ? 'the disk is full' : code === 'EDQUOT' ? 'the disk quota is used up' : code;
  process.stderr.write(
    `error: the output cannot be written: ${full}\n  free some space, or send the output somewhere else\n`,
  );
  return exitCodes.failed;
}
