import { join } from 'node:path';
import { FILE_TYPE, type GgufTensor, GgufWriter, type WritableType } from '@anneal/formats/gguf/write';
import { UserError } from '../errors.ts';
import type { LoraWeights } from '../models/adapters/loraWeights.ts';
import { mergedWeights } from '../models/adapters/merge.ts';
import { interleaveHeads } from '../models/gguf/heads.ts';
import { ROPE_FACTORS, ropeFactors } from '../models/gguf/ropeFactors.ts';
import type { ModelTensor, OpenModel } from '../models/model.ts';
import { findName } from '../models/names.ts';
import { openModel } from '../models/open.ts';
import { ggufMetadata } from './ggufMetadata.ts';
import { writeNewFolder } from './newFolder.ts';
import type { ExportProgress, ExportResult } from './result.ts';
import { WeightSamples } from './samples.ts';

export const GGUF_TYPES = ['f32', 'f16', 'bf16', 'q8_0', 'q5_0', 'q4_0'] as const;
export type GgufType = (typeof GGUF_TYPES)[number];

export interface GgufExport extends ExportProgress {
  readonly model: OpenModel;
  readonly adapter: LoraWeights | null;
  /** One file each; the weights are read and merged once for all of them. */
  readonly types: readonly GgufType[];
  /** `general.name` and the beginning of the file names. */
  readonly name: string;
}

interface Target {
  readonly type: GgufType;
  readonly path: string;
  readonly writer: GgufWriter;
}

/**
 * Writes a folder of GGUF files that llama.cpp loads without anything else, and reads them back.
 * @throws UserError when the folder exists, the disk is full, or llama.cpp could not compute this model
 */
export async function exportGguf(folder: string, options: GgufExport): Promise<ExportResult> {
  const { model, types, name } = options;
  refuseWhatGgufCannotSay(model);
  const files = await writeNewFolder(folder, async (temporary) => {
    const paths = new Map(types.map((type) => [type, join(temporary, ggufFileName(name, type))]));
    const samples = await writeAll(paths, options);
    for (const [type, path] of paths) readBack(path, type, model, samples, options.signal);
  });
  return { path: folder, files, warnings: differencesInLlamaCpp(model) };
}

/** `SmolLM2 135M` and `q8_0` → `SmolLM2-135M-Q8_0.gguf` */
export function ggufFileName(name: string, type: GgufType): string {
  return `${name.replace(/[^\w.-]+/g, '-')}-${type.toUpperCase()}.gguf`;
}

async function writeAll(
  paths: ReadonlyMap<GgufType, string>,
  { model, adapter, name, onProgress, signal }: GgufExport,
): Promise<Map<string, WeightSamples>> {
  const samples = new Map<string, WeightSamples>();
  const targets: Target[] = [];
  const factors = ropeFactorsOf(model);
  try {
    for (const [type, path] of paths) {
      const table = [
        ...(factors ? [{ name: ROPE_FACTORS, shape: [factors.length], type: 'F32' as const }] : []),
        ...Array.from(model.tensors.values(), (tensor) => describe(model, tensor, type)),
      ];
      const metadata = ggufMetadata(model, name, FILE_TYPE[weightType(type)]);
      targets.push({ type, path, writer: await GgufWriter.create(path, metadata, table) });
    }
    if (factors) for (const { writer } of targets) await writer.write(ROPE_FACTORS, factors);
    for (const tensor of model.tensors.values()) {
      signal?.throwIfAborted();
      const weights = mergedWeights(model, adapter, tensor.name);
      samples.set(tensor.name, new WeightSamples(weights));
      const { gguf, transform } = nameOf(model, tensor.name);
      const rows = transform === 'permuteHeads' ? permuted(weights, tensor, model.config.headSize) : weights;
      for (const { writer } of targets) await writer.write(gguf, rows);
      onProgress?.(samples.size, model.tensors.size);
    }
    for (const { writer } of targets) await writer.commit();
  } catch (error) {
    for (const { writer } of targets) await writer.abort();
    throw error;
  }
  return samples;
}

function describe(model: OpenModel, { name, shape }: ModelTensor, type: GgufType): GgufTensor {
  return { name: nameOf(model, name).gguf, shape, type: tensorType(name, shape, type) };
}

/**
 * As llama.cpp's converter: vectors stay in float32. Below 8 bits embedding and head get 8, because every token's
 * quality hangs on them.
 */
function tensorType(name: string, shape: readonly number[], type: GgufType): WritableType {
  if (shape.length === 1) return 'F32';
  if ((type === 'q4_0' || type === 'q5_0') && (name === 'embed' || name === 'lm_head')) return 'Q8_0';
  return weightType(type);
}

function weightType(type: GgufType): WritableType {
  return type.toUpperCase() as Uppercase<GgufType>;
}

function nameOf(model: OpenModel, name: string): NonNullable<ReturnType<typeof findName>> {
  const row = findName(model.architecture.names, name);
  if (!row) throw new Error(`${name} has no GGUF name`);
  return row;
}

function permuted(weights: Float32Array, { shape }: ModelTensor, headSize: number): Float32Array {
  const bytes = new Uint8Array(weights.buffer, weights.byteOffset, weights.byteLength);
  return new Float32Array(interleaveHeads(bytes, shape[0] ?? 0, headSize).buffer);
}

function ropeFactorsOf({ config }: OpenModel): Float32Array | null {
  const { scaling, theta } = config.rope;
  return scaling?.kind === 'llama3' ? ropeFactors(config.headSize, theta, scaling) : null;
}

function readBack(
  path: string,
  type: GgufType,
  model: OpenModel,
  samples: ReadonlyMap<string, WeightSamples>,
  signal: AbortSignal | undefined,
): void {
  const written = openModel(path);
  try {
    for (const [name, sample] of samples) {
      signal?.throwIfAborted();
      const stored = written.tensors.get(name);
      if (!stored) throw new Error(`${name} is missing from ${path}`);
      const mismatch = sample.mismatch(stored.float32(), tensorType(name, stored.shape, type));
      if (mismatch) throw new Error(`${name} in ${path} reads back differently: ${JSON.stringify(mismatch)}`);
    }
    if (written.chatTemplate !== model.chatTemplate) throw new Error(`${path} has another chat template`);
  } finally {
    written.close();
  }
}

/** What llama.cpp would compute differently without saying so. */
function refuseWhatGgufCannotSay({ path, config, architecture }: OpenModel): void {
  const { scaling } = config.rope;
  const reason =
    scaling?.kind === 'llama3' && architecture.gguf !== 'llama'
      ? `llama.cpp knows Llama 3's rope scaling only for Llama, not for ${architecture.modelType}`
      : scaling?.kind === 'yarn' && !(scaling.truncate && scaling.betaFast === 32 && scaling.betaSlow === 1)
        ? 'llama.cpp knows YaRN only with beta_fast 32, beta_slow 1 and truncate'
        : config.outputBias && architecture.gguf !== 'llama'
          ? `llama.cpp knows no bias on the attention output of ${architecture.modelType}`
          : null;
  if (reason === null) return;
  throw new UserError({
    what: `this model cannot be exported to GGUF: ${reason}`,
    where: path,
    next: 'export it as a merged Hugging Face folder',
    code: 'export_unsupported',
  });
}

function differencesInLlamaCpp({ config, tokenizerFiles }: OpenModel): string[] {
  const window = config.slidingWindow.find((keys) => keys !== null) ?? null;
  return [
    ...(window === null
      ? []
      : [`llama.cpp ignores the sliding window of this model: beyond ${window} tokens its answers will differ.`]),
    ...(tokenizerFiles.length === 0 ? ['The model has no tokenizer, so the files take and give token ids only.'] : []),
  ];
}
