/** What the weights of a run's checkpoint think of the rows of a step. */
import { join } from 'node:path';
import type { TokenStore } from '@anneal/core/datasets/tokenStore';
import { chooseDevice } from '@anneal/core/device';
import { resolveModelPath } from '@anneal/core/hub/resolve';
import { loadLoraWeights } from '@anneal/core/models/adapters/loadLora';
import { openModel } from '@anneal/core/models/open';
import type { MeasuringProgress } from '@anneal/core/protocol/batches';
import type { ResolvedRecipe } from '@anneal/core/recipe/resolve';
import { surveyCheckpoints } from '@anneal/core/trainer/checkpointStore';
import { checkModel } from '@anneal/core/trainer/inputs';
import { quantizationOf, weightTypeOf } from '@anneal/core/trainer/job';
import { measureTokenLosses } from '@anneal/core/trainer/tokenLosses';

/** Where weights of the run lie; without a folder those that it began with. */
export interface StoredWeights {
  step: number;
  folder: string | null;
}

/** Those nearest to the weights that a step began with, the earlier ones of two: they have not seen its rows. */
export async function checkpointNear(
  run: string,
  recipe: ResolvedRecipe,
  step: number,
): Promise<StoredWeights | undefined> {
  const found = await surveyCheckpoints(join(run, 'checkpoints'));
  const saved = found.flatMap((one) => ('error' in one ? [] : [{ step: one.step, folder: one.path }]));
  const all: StoredWeights[] = recipe.resume_from_checkpoint === null ? [{ step: 0, folder: null }, ...saved] : saved;
  const distance = (weights: StoredWeights) => Math.abs(weights.step - (step - 1));
  return all.toSorted((a, b) => distance(a) - distance(b) || a.step - b.step)[0];
}

/**
 * Of each document the loss of each of its target tokens, in order.
 * @throws UserError when the model or the adapter is not there any more, or the memory is not
 */
export async function measureStep(
  run: string,
  recipe: ResolvedRecipe,
  { folder }: StoredWeights,
  store: TokenStore,
  documents: readonly number[],
  { report, signal }: { report: (progress: MeasuringProgress) => void; signal: AbortSignal },
): Promise<Map<number, Float64Array>> {
  const device = chooseDevice(recipe.device, { threads: recipe.threads ?? undefined });
  const trainsAdapter = recipe.adapter !== null;
  const base = () => resolveModelPath(recipe.base_model, { revision: recipe.revision ?? undefined });
  const model = openModel(folder !== null && !trainsAdapter ? folder : base());
  const losses = new Map<number, Float64Array>();
  try {
    if (folder === null || trainsAdapter) await checkModel(run, model);
    const adapterFolder = folder ?? recipe.lora_model_dir;
    await measureTokenLosses(model, store, documents, {
      device,
      weightType: weightTypeOf(recipe.bf16, device),
      quantization: quantizationOf(recipe),
      adapter: trainsAdapter && adapterFolder !== null ? await loadLoraWeights(adapterFolder, model) : null,
      onLoad: (done, of) => report({ phase: 'loading', done, of }),
      onDocument: (document, ofDocument) => {
        losses.set(document, ofDocument);
        report({ phase: 'measuring', done: losses.size, of: documents.length });
      },
      signal,
    });
    return losses;
  } finally {
    model.close();
  }
}
