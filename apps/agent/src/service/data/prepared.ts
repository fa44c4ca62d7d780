import { rm } from 'node:fs/promises';
import { type PreparedData, type PrepareProgress, prepareData } from '@anneal/core/datasets/prepareData';
import type { ModelText } from '@anneal/core/generate/modelText';
import { preparedDataFolder } from '@anneal/core/hub/cache';
import type { PreparationProgress } from '@anneal/core/protocol/estimates';
import type { DataOptions } from '@anneal/core/trainer/dataOptions';
import { makeTemporaryFolder } from '@anneal/formats/files/temporaryFolder';

export interface Surroundings {
  text: ModelText;
  report: (progress: PreparationProgress) => void;
  signal: AbortSignal;
}

export interface OpenedPrepared extends PreparedData {
  close(): Promise<void>;
}

/** The data as training would prepare them, or as the cache has them, in a folder of their own until they are closed. */
export async function openPreparedData(
  { prepare }: DataOptions,
  { text: { tokenizer, renderer }, report, signal }: Surroundings,
): Promise<OpenedPrepared> {
  const folder = makeTemporaryFolder('inspect');
  const clear = () => rm(folder, { recursive: true, force: true });
  const onProgress = (progress: PrepareProgress) => report({ phase: 'preparing', ...progress });
  const cache = preparedDataFolder();
  try {
    const prepared = await prepareData({ ...prepare, folder, cache, tokenizer, renderer, onProgress, signal });
    report({ phase: 'prepared' });
    return {
      ...prepared,
      async close() {
        prepared.train.close();
        prepared.validation?.close();
        await clear();
      },
    };
  } catch (error) {
    await clear();
    throw error;
  }
}
