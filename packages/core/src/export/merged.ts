import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { writeAtomically } from '@anneal/formats/files/atomicWrite';
import type { JsonObject } from '@anneal/formats/json';
import { safetensorsBytes, writeSafetensors } from '@anneal/formats/safetensors/write';
import { ELEMENT_BYTES } from '@anneal/formats/tensor';
import type { LoraWeights } from '../models/adapters/loraWeights.ts';
import { mergedRows, refuseUnmergeable } from '../models/adapters/merge.ts';
import { configText } from '../models/configText.ts';
import { toLayout } from '../models/expertLayout.ts';
import type { OpenModel } from '../models/model.ts';
import { openModel } from '../models/open.ts';
import { type StoredTensor, storedTensors } from '../models/stored.ts';
import { writeNewFolder } from './newFolder.ts';
import type { ExportProgress, ExportResult } from './result.ts';
import { tokenizerBytes, writeTokenizer } from './writeTokenizer.ts';

/** Hugging Face's customary size of a shard. */
const SHARD_BYTES = 5_000_000_000;

export type FloatType = 'F32' | 'BF16' | 'F16';

const TORCH_NAMES: Readonly<Record<FloatType, string>> = { F32: 'float32', BF16: 'bfloat16', F16: 'float16' };

export interface MergedExport extends ExportProgress {
  readonly model: OpenModel;
  readonly adapter: LoraWeights | null;
  readonly dtype: FloatType;
  readonly shardBytes?: number;
}

/**
 * Writes a folder in the Hugging Face layout with the adapter folded into the weights, and reads every tensor back.
 * @throws UserError when the folder exists, the disk is full, the adapter cannot be merged, or a weight does not fit the type
 */
export async function exportMerged(
  folder: string,
  { model, adapter, dtype, shardBytes = SHARD_BYTES, onProgress, signal }: MergedExport,
): Promise<ExportResult> {
  if (adapter) refuseUnmergeable(model, adapter);
  const checksums = new Map<Stored, number>();
  const all = storedOf(model);
  const tensors = all.map((stored) => ({
    name: stored.name,
    dtype,
    shape: stored.shape,
    bytes: async function* () {
      const { ours, rows, layout } = stored;
      const type = { type: dtype, length: 1, bytes: ELEMENT_BYTES[dtype] };
      const matrix = layout && new Uint8Array(layout.rows * layout.columns * type.bytes);
      let filled = 0;
      for await (const [bytes] of mergedRows(model, ours, { adapter, types: [type], rows, signal })) {
        if (!bytes) continue;
        checksums.set(stored, crc32(bytes, checksums.get(stored)));
        if (!matrix) {
          yield bytes;
          continue;
        }
        matrix.set(bytes, filled); // a run has rows of one range of `rows` only
        filled = (filled + bytes.length) % matrix.length;
        if (filled === 0) yield toLayout(matrix, layout);
      }
      onProgress?.(checksums.size, all.length);
    },
  }));
  const files = await writeNewFolder(folder, async (temporary) => {
    await writeSafetensors(join(temporary, 'model.safetensors'), tensors, { shardBytes });
    await writeText(join(temporary, 'config.json'), configText(configFor(model, dtype)));
    const { generationConfig } = model;
    if (generationConfig) await writeText(join(temporary, 'generation_config.json'), jsonText(generationConfig));
    await writeTokenizer(temporary, model);
    readBack(temporary, checksums, signal);
  });
  return { path: folder, files, warnings: textModelAlone(model) };
}

function textModelAlone({ leftOut, architecture }: OpenModel): string[] {
  if (leftOut.length === 0) return [];
  return [`The folder holds the text model alone, a ${architecture.huggingFaceClass}, without ${leftOut.join(', ')}.`];
}

/** The bytes of all files that `exportMerged` writes. */
export function mergedBytes({ model, dtype, shardBytes = SHARD_BYTES }: Omit<MergedExport, 'adapter'>): number {
  const tensors = storedOf(model).map(({ name, shape }) => ({ name, dtype, shape }));
  const generation = model.generationConfig ? [jsonText(model.generationConfig)] : [];
  const texts = [configText(configFor(model, dtype)), ...generation];
  const weights = safetensorsBytes('model.safetensors', tensors, { shardBytes });
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text), weights + tokenizerBytes(model));
}

function configFor(model: OpenModel, dtype: FloatType): JsonObject {
  const key = 'torch_dtype' in model.configJson ? 'torch_dtype' : 'dtype'; // of transformers 4 and 5
  const { quantization_config: _, ...config } = model.configJson; // of the files that were read
  return { ...config, architectures: [model.architecture.huggingFaceClass], [key]: TORCH_NAMES[dtype] };
}

/** A tensor of the folder, with the tensor of ours whose rows it holds. */
interface Stored extends StoredTensor {
  readonly ours: string;
}

function storedOf({ architecture, config, tensors }: OpenModel): Stored[] {
  return [...tensors.values()].flatMap((tensor) =>
    storedTensors(architecture.names, config, tensor, 'huggingFace').map((stored) => ({
      ...stored,
      ours: tensor.name,
    })),
  );
}

async function writeText(path: string, text: string): Promise<void> {
  await writeAtomically(path, (file) => file.write(Buffer.from(text)));
}

function jsonText(json: JsonObject): string {
  return `${JSON.stringify(json, null, 2)}\n`;
}

function readBack(folder: string, checksums: ReadonlyMap<Stored, number>, signal: AbortSignal | undefined): void {
  const written = openModel(folder);
  try {
    for (const [{ name, ours, rows }, checksum] of checksums) {
      signal?.throwIfAborted();
      const tensor = written.tensors.get(ours);
      const found = rows.reduce((sum, range) => crc32(tensor?.bytes(range) ?? '', sum), 0);
      if (found !== checksum) throw new Error(`${name} in ${folder} reads back differently`);
    }
  } finally {
    written.close();
  }
}
