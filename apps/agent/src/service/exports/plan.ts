/** What a model could be exported as, and the bytes that each form takes: known before anything is written. */
import { join } from 'node:path';
import { UserError } from '@anneal/core/errors';
import { ggufFileBytes } from '@anneal/core/export/gguf';
import { GGUF_TYPES, takesImportance } from '@anneal/core/export/ggufTypes';
import { loraBytes } from '@anneal/core/export/lora';
import { mergedBytes } from '@anneal/core/export/merged';
import { MERGED_FORMS } from '@anneal/core/export/mergedForms';
import { canBeInNf4 } from '@anneal/core/export/mergedNf4';
import { freeDisk } from '@anneal/core/freeDisk';
import { loadLoraWeights } from '@anneal/core/models/adapters/loadLora';
import type { OpenModel } from '@anneal/core/models/open';
import type { ExportPlan } from '@anneal/core/protocol/exports';
import { MERGED_TYPES } from '@anneal/core/protocol/mergedTypes';
import { type SourceRequest, sourceRequest } from '@anneal/core/protocol/models';
import { readPeftAdapter } from '@anneal/formats/peft/read';
import type { Context } from '../context.ts';
import { type ModelSource, openSourceModel, resolveSource } from '../models/source.ts';
import { parseRequest } from '../parseRequest.ts';
import { reporting } from '../reporting.ts';

export type Sizes = Pick<ExportPlan, 'lora' | 'merged' | 'gguf' | 'refusal'>;

export function planExport(context: Context, request: SourceRequest): AsyncGenerator<never, ExportPlan> {
  return reporting(async () => {
    const source = await resolveSource(context, parseRequest(sourceRequest, request));
    const model = openSourceModel(source);
    try {
      const target = usualTarget(source);
      const step = source.run?.checkpoint.step ?? null;
      const imatrix = source.run ? GGUF_TYPES.filter(takesImportance) : [];
      return { step, target, free: freeDisk(target ?? '.'), ...(await exportSizes(source, model)), imatrix };
    } finally {
      model.close();
    }
  });
}

/** Of a run its export folder, one for each checkpoint and adapter scale; null for other sources. */
export function usualTarget({ run }: ModelSource, adapterScale = 1): string | null {
  const scale = adapterScale === 1 ? '' : `-scale-${adapterScale}`;
  return run && join(run.path, 'export', `step-${run.checkpoint.step}${scale}`);
}

export async function exportSizes(source: ModelSource, model: OpenModel): Promise<Sizes> {
  return {
    lora: await sizeOfAdapter(source, model),
    merged: mergedSizes(model),
    ...ggufSizes(source, model),
  };
}

function mergedSizes(model: OpenModel): ExportPlan['merged'] {
  const possible = MERGED_TYPES.filter((type) => !MERGED_FORMS[type].nf4 || canBeInNf4(model));
  return Object.fromEntries(possible.map((type) => [type, mergedBytes({ model, ...MERGED_FORMS[type] })]));
}

async function sizeOfAdapter(
  { adapterFolder, baseModel, revision }: ModelSource,
  model: OpenModel,
): Promise<number | null> {
  if (adapterFolder === null) return null;
  const adapter = await loadLoraWeights(adapterFolder, model);
  return loraBytes({ model, adapter, dropout: dropoutOf(adapterFolder), baseModel, revision });
}

function ggufSizes({ name }: ModelSource, model: OpenModel): Pick<Sizes, 'gguf' | 'refusal'> {
  try {
    const sizes = ggufFileBytes({ model, types: GGUF_TYPES, name });
    return { gguf: Object.fromEntries(sizes) as NonNullable<Sizes['gguf']>, refusal: null };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { gguf: null, refusal: error.toJSON() };
  }
}

export function dropoutOf(adapterFolder: string): number {
  const adapter = readPeftAdapter(adapterFolder);
  adapter.tensors.close();
  return adapter.config.loraDropout;
}
