import { UserError } from '@anneal/core/errors';
import { type VerifyRequest, verifyRequest } from '@anneal/core/protocol/host';
import type { Quantity } from '@anneal/core/verify/quantity';
import { verify } from '@anneal/core/verify/verify';
import type { Context } from '../context.ts';
import { parseRequest } from '../parseRequest.ts';

export interface Verification {
  path: string;
  passed: boolean;
  quantities: readonly Quantity[];
  /** Why nothing more could be compared: reference values that contradict each other do not even compute. */
  error?: { what: string; where?: string | undefined; next?: string | undefined };
}

const wrongUsage: ReadonlySet<string> = new Set([
  'golden_not_found',
  'option_missing',
  'device_not_found',
  'model_not_found',
  'not_a_model',
]);

/** Compares with reference values. Wrong usage is thrown; whatever is wrong with the values is a failed check. */
export async function verifyReference(_: Context, request: VerifyRequest): Promise<Verification> {
  const { path, ...options } = parseRequest(verifyRequest, request);
  try {
    const quantities = await verify(path, options);
    return { path, passed: quantities.length > 0 && quantities.every(({ passed }) => passed), quantities };
  } catch (error) {
    if (!(error instanceof UserError)) {
      // Nothing tells which of the two is to blame.
      const what = `the comparison broke off: ${(error as Error).message}`;
      const next = 'make the reference values again; if it breaks off again, report it with them';
      return { path, passed: false, quantities: [], error: { what, where: path, next } };
    }
    if (wrongUsage.has(error.code)) throw error;
    return { path, passed: false, quantities: [], error: error.toJSON() };
  }
}
