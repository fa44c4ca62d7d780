/** Every exit code of the command line; printed by `anneal --help` and docs/cli.md. */
export const exitCodes = {
  done: 0,
  failed: 1,
  badInput: 2,
  stopped: 3,
  defect: 70,
  interrupted: 130,
} as const;

export const exitCodeMeanings: readonly (readonly [number, string])[] = [
  [exitCodes.done, 'done'],
  [exitCodes.failed, 'the run or another operation failed, or a check did not pass'],
  [exitCodes.badInput, 'wrong usage or bad input: nothing was started'],
  [exitCodes.stopped, 'stopped by the user; a checkpoint, or what was answered, is saved'],
  [exitCodes.defect, 'a defect in Anneal itself'],
  [exitCodes.interrupted, 'stopped at once by the user; what was saved before stays'],
];

/** Errors that the world made, not the input: what was asked for was right, and failed. */
const failures: ReadonlySet<string> = new Set([
  'addon_not_built',
  'cancelled',
  'dataset_not_fetched',
  'disk_full',
  'endpoint_failing',
  'endpoint_not_reached',
  'gpu_failed',
  'gpu_lost',
  'model_not_fetched',
  'no_rows_made',
  'process_died',
  'remote_failed',
  'remote_not_reached',
  'storage_failed',
  'worker_crashed',
  'worker_not_started',
]);

/** The exit code of a UserError with this code. */
export function exitCodeOfError(code: string): number {
  if (code === 'internal_error') return exitCodes.defect;
  return failures.has(code) ? exitCodes.failed : exitCodes.badInput;
}

/** That of a launch which failed: what is refused before it trains has the same one in `validate` and `estimate`. */
export function exitCodeOfLaunch(error: { code: string } | null | undefined, hasStarted: boolean): number {
  const code = exitCodeOfError(error?.code ?? 'worker_crashed');
  return hasStarted && code === exitCodes.badInput ? exitCodes.failed : code;
}
