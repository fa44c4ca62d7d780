/** The importance matrix that GGUF files are quantized by: one from elsewhere, or of the run's own training rows. */
import { existsSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { openTokenStore } from '@anneal/core/datasets/tokenStore';
import { chooseDevice } from '@anneal/core/device';
import { UserError } from '@anneal/core/errors';
import { type GgufType, takesImportance } from '@anneal/core/export/ggufTypes';
import { collectImportance } from '@anneal/core/export/importance/collect';
import type { LoraWeights } from '@anneal/core/models/adapters/loraWeights';
import type { OpenModel } from '@anneal/core/models/open';
import { quantizationOf, weightTypeOf } from '@anneal/core/trainer/job';
import { assertKind } from '@anneal/core/trainer/runFiles';
import { makeFolder } from '@anneal/formats/files/makeFolder';
import { type Imatrix, readImatrix, writeImatrix } from '@anneal/formats/gguf/imatrix';
import type { ModelSource } from '../models/source.ts';

interface Wanted {
  readonly imatrix: boolean;
  readonly imatrixFile?: string | undefined;
  readonly imatrixTokens: number;
  readonly types: readonly GgufType[];
  readonly adapterScale: number;
}

/** @throws UserError `export_options` */
export function refuseImportanceForNothing({ run }: ModelSource, { imatrix, imatrixFile, types }: Wanted): void {
  if (!imatrix && imatrixFile === undefined) return;
  if (imatrix && imatrixFile !== undefined)
    throw unfit('an importance matrix comes either from a file or from the rows of the run', 'name one of them');
  if (!types.some(takesImportance))
    throw unfit(
      'no type that was asked for takes notice of an importance matrix',
      'leave out --imatrix, or add a smaller type',
    );
  if (imatrix && !run)
    throw unfit(
      'this is no run, so there are no rows to collect an importance matrix from',
      "name a file of llama.cpp's `llama-imatrix`: --imatrix <file>",
    );
}

/**
 * What was asked for; null where nothing was. One of the run's rows is kept beside the run and taken from there the next time.
 * @throws UserError `imatrix_invalid`, and what keeps the model from reading its rows
 */
export async function importanceFor(
  { run }: ModelSource,
  model: OpenModel,
  adapter: LoraWeights | null,
  { imatrix, imatrixFile, imatrixTokens: tokens, adapterScale }: Wanted,
  { onProgress, signal }: { onProgress: (done: number, total: number) => void; signal: AbortSignal },
): Promise<Imatrix | null> {
  if (imatrixFile !== undefined) return readImatrix(imatrixFile);
  if (!imatrix || !run) return null;
  const scale = adapterScale === 1 ? '' : `-scale-${adapterScale}`;
  const kept = join(run.path, 'importance', `step-${run.checkpoint.step}${scale}-${tokens}.gguf`);
  if (existsSync(kept)) {
    assertKind(run.path, relative(run.path, kept), 'file');
    return readImatrix(kept);
  }
  const { recipe } = run;
  const device = chooseDevice(recipe.device, { threads: recipe.threads ?? undefined });
  const store = openTokenStore(join(run.path, 'data'), 'train');
  try {
    const collected = await collectImportance(model, store, {
      device,
      weightType: weightTypeOf(recipe.bf16, device),
      quantization: adapter ? quantizationOf(recipe) : 'none',
      adapter,
      tokens,
      datasets: recipe.datasets.map(({ path }) => basename(path)),
      onProgress,
      signal,
    });
    makeFolder(join(run.path, 'importance'));
    await writeImatrix(kept, collected);
    return collected;
  } finally {
    store.close();
  }
}

function unfit(what: string, next: string): UserError {
  return new UserError({ what, where: 'the command line', next, code: 'export_options' });
}
