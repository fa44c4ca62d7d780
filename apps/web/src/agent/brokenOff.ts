import { TRPCClientError } from '@trpc/client';

/**
 * The connection was lost before the answer came: nobody has said what is wrong. Asked again, the question waits until the
 * connection is back.
 */
export function isBrokenOff(error: unknown): boolean {
  return error instanceof TRPCClientError && error.data === undefined && error.shape === undefined;
}
