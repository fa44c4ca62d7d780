import { UserError } from '@anneal/core/errors';
import type { Quantity } from '@anneal/core/verify/quantity';
import { verify } from '@anneal/core/verify/verify';

export interface VerifyRequest {
  /** A checkpoint folder with golden.safetensors, a fine-tuning run with golden.json, or chat templates in JSON. */
  path: string;
  /** For a fine-tuning run: the model it starts from. */
  model?: string | undefined;
  /** For chat templates: the folder of the tokenizer, or of several families. */
  tokenizer?: string | undefined;
  device?: string | undefined;
  /** Weights (and on a GPU activations) of a checkpoint folder. */
  dtype?: 'f32' | 'bf16' | undefined;
}

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
export async function verifyReference({ path, ...options }: VerifyRequest): Promise<Verification> {
  try {
    const quantities = await verify(path, options);
    return { path, passed: quantities.length > 0 && quantities.every(({ passed }) => passed), quantities };
  } catch (error) {
    if (!(error instanceof UserError)) {
      return { path, passed: false, quantities: [], error: { what: (error as Error).message, where: path } };
    }
    if (wrongUsage.has(error.code)) throw error;
    return { path, passed: false, quantities: [], error: error.toJSON() };
  }
}
