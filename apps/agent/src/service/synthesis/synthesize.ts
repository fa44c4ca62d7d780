/** Rows from documents or other rows, by asking a model of any OpenAI-compatible endpoint. */
import { UserError } from '@anneal/core/errors';
import {
  type SynthesisProgress,
  type SynthesisRequest,
  type SynthesisResult,
  synthesisRequest,
} from '@anneal/core/protocol/synthesis';
import { readSynthesisRecipe } from '@anneal/core/recipe/synthesis/read';
import * as core from '@anneal/core/synthesis/synthesize';
import type { Context } from '../context.ts';
import { parseRequest } from '../parseRequest.ts';
import { reporting } from '../reporting.ts';
import { allowedKeys } from './allowed.ts';

const usualSamples = 3;

/** Where it is ended early, the rows are those of what was answered. @throws UserError */
export async function* synthesizeRows(
  { signal: outer, synthesis: allowed }: Context,
  request: SynthesisRequest,
): AsyncGenerator<SynthesisProgress, SynthesisResult> {
  const { recipe, set, dryRun, overwrite, samples } = parseRequest(synthesisRequest, request);
  const { options } = await readSynthesisRecipe(recipe, set);
  const asksNothing = dryRun && (samples ?? 0) === 0;
  const apiKeys = allowed
    ? allowedKeys(options, allowed)
    : {
        rows: asksNothing ? null : keyIn(options.endpoint.apiKeyVariable),
        judge: dryRun ? null : keyIn(options.judge?.endpoint.apiKeyVariable ?? null),
      };
  return yield* reporting<SynthesisProgress, SynthesisResult>(
    (onProgress, signal) =>
      core.synthesize(options, {
        dryRun,
        overwrite,
        samples: samples ?? (dryRun ? 0 : usualSamples),
        apiKeys,
        signal,
        onProgress,
      }),
    outer,
  );
}

function keyIn(variable: string | null): string | null {
  if (variable === null) return null;
  const key = process.env[variable]?.trim();
  if (key && /^[\x21-\x7e]+$/.test(key)) return key;
  throw new UserError({
    what: key
      ? `the variable ${variable} holds no API key: a key has no blanks`
      : `the variable ${variable} is not set`,
    where: 'api_key_env',
    next: `set it for this command (read -rs ${variable}; export ${variable}), or remove api_key_env if no key is needed`,
    code: 'api_key_missing',
  });
}
