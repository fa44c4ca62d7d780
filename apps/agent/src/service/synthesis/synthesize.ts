/** Rows from documents or other rows, by asking a model of any OpenAI-compatible endpoint. */
import {
  type SynthesisProgress,
  type SynthesisRequest,
  type SynthesisResult,
  synthesisRequest,
} from '@anneal/core/protocol/synthesis';
import { readSynthesisRecipe } from '@anneal/core/recipe/synthesis/read';
import { apiKeyOf } from '@anneal/core/synthesis/apiKey';
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
        rows: asksNothing ? null : apiKeyOf(options.endpoint),
        judge: dryRun ? null : options.judge && apiKeyOf(options.judge.endpoint),
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
