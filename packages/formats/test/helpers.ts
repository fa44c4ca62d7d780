import { UserError } from '../src/errors.ts';

export { temporaryFolder } from '../../../scripts/testing/temporaryFolder.ts';

/** The UserError that `action` throws; anything else, or nothing, fails the test. */
export function userError(action: () => unknown): UserError {
  try {
    action();
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new Error('no error was thrown');
}

export function float32Bytes(...values: number[]): Uint8Array {
  return new Uint8Array(Float32Array.from(values).buffer);
}
