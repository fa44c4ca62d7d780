import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Nf4Form, StoredNf4 } from '@anneal/formats/bitsandbytes/nf4';
import { nf4Parts } from '@anneal/formats/bitsandbytes/parts';
import { writeAtomically } from '@anneal/formats/files/atomicWrite';
import type { JsonObject } from '@anneal/formats/json';
import {
  safetensorsBytes,
  type TensorShape,
  type TensorToWrite,
  writeSafetensors,
} from '@anneal/formats/safetensors/write';
import { ELEMENT_BYTES } from '@anneal/formats/tensor';
import type { LoraWeights } from '../models/adapters/loraWeights.ts';
import { mergedRows, refuseUnmergeable } from '../models/adapters/merge.ts';
import { configText } from '../models/configText.ts';
import { toLayout } from '../models/expertLayout.ts';
import type { OpenModel } from '../models/model.ts';
import { openModel } from '../models/open.ts';
import { classOf } from '../models/scoreHead.ts';
import { type StoredTensor, storedTensors } from '../models/stored.ts';
import {
  dynamicRoom,
  linearInNf4,
  linearsForNf4,
  mostErring,
  type Nf4Export,
  nf4Checksum,
  nf4Config,
} from './mergedNf4.ts';
import { writeNewFolder } from './newFolder.ts';
import type { ExportProgress, ExportResult } from './result.ts';
import { tokenizerBytes, tokenizerWarnings, writeTokenizer } from './writeTokenizer.ts';

/** Hugging Face's customary size of a shard. */
const SHARD_BYTES = 5_000_000_000;

export type FloatType = 'F32' | 'BF16' | 'F16';

const TORCH_NAMES: Readonly<Record<FloatType, string>> = { F32: 'float32', BF16: 'bfloat16', F16: 'float16' };

export interface MergedExport extends ExportProgress {
  readonly model: OpenModel;
  readonly adapter: LoraWeights | null;
  readonly dtype: FloatType;
  /** The linears of the blocks in 4 bits instead, as transformers loads them with bitsandbytes. */
  readonly nf4?: Nf4Export | undefined;
  readonly shardBytes?: number;
}

/**
 * Writes a folder in the Hugging Face layout with the adapter folded into the weights, and reads every tensor back.
 * @throws UserError when the folder exists, the disk is full, the adapter cannot be merged, a weight does not fit the type, or
 *   transformers does not load such a model in 4 bits
 */
export async function exportMerged(folder: string, options: MergedExport): Promise<ExportResult> {
  const { model, adapter, dtype, nf4, shardBytes = SHARD_BYTES, signal } = options;
  if (adapter) refuseUnmergeable(model, adapter);
  const linears = nf4 ? linearsForNf4(model) : [];
  const files = await writeNewFolder(folder, async (temporary) => {
    const step = progressOf(options, linears.length);
    const inNf4 = nf4 ? await linearsToQuantize(options, nf4, linears, step) : new Set<string>();
    const { tensors, checksums } = tensorsToWrite(options, inNf4, step);
    await writeSafetensors(join(temporary, 'model.safetensors'), tensors, { shardBytes });
    await writeText(join(temporary, 'config.json'), configText(configFor(model, dtype, nf4, inNf4)));
    const { generationConfig } = model;
    if (generationConfig) await writeText(join(temporary, 'generation_config.json'), jsonText(generationConfig));
    await writeTokenizer(temporary, model);
    readBack(temporary, checksums, signal);
  });
  return { path: folder, files, warnings: [...textModelAlone(model), ...tokenizerWarnings(model)] };
}

type Step = () => void;

/** A step for each tensor; linears in NF4 are gone through twice, as their parts lie apart, and before to measure them. */
function progressOf({ model, nf4, onProgress }: MergedExport, linears: number): Step {
  const total = storedOf(model).length + linears * (nf4?.isDynamic ? 2 : 1);
  let done = 0;
  return () => onProgress?.(++done, total);
}

async function linearsToQuantize(
  { model, adapter, dtype, signal }: MergedExport,
  { form, isDynamic }: Nf4Export,
  linears: readonly string[],
  step: Step,
): Promise<Set<string>> {
  if (!isDynamic) return new Set(linears);
  const left = await mostErring(model, adapter, linears, { form, dtype, onMeasured: step, signal });
  for (const _ of left) step(); // they are gone through once
  return new Set(linears.filter((name) => !left.has(name)));
}

interface Writing {
  readonly tensors: readonly TensorToWrite[];
  /** Of each tensor of the model, once it is written. */
  readonly checksums: ReadonlyMap<Stored, number>;
}

function tensorsToWrite(options: MergedExport, inNf4: ReadonlySet<string>, step: Step): Writing {
  const { model, adapter, dtype, nf4, signal } = options;
  const checksums = new Map<Stored, number>();
  const floats = (stored: Stored): TensorToWrite => ({
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
      step();
    },
  });
  // Parts of one type lie beside each other in a file, so that one matrix is held at a time.
  let held: { readonly stored: Stored; readonly values: StoredNf4 } | null = null;
  const quantized = async (stored: Stored, form: Nf4Form): Promise<StoredNf4> => {
    if (held?.stored === stored) return held.values;
    signal?.throwIfAborted();
    held = { stored, values: await linearInNf4(model, adapter, stored.ours, form) };
    checksums.set(stored, nf4Checksum(held.values));
    step();
    return held.values;
  };
  const tensors = storedOf(model).flatMap((stored): TensorToWrite[] => {
    if (!nf4 || !inNf4.has(stored.ours)) return [floats(stored)];
    return nf4Parts(stored, nf4.form, TORCH_NAMES[dtype]).map((part) => ({
      ...part,
      bytes: async () => part.bytes(await quantized(stored, nf4.form)),
    }));
  });
  return { tensors, checksums };
}

function textModelAlone(model: OpenModel): string[] {
  const { leftOut } = model;
  if (leftOut.length === 0) return [];
  return [`The folder holds the text model alone, a ${classOf(model)}, without ${leftOut.join(', ')}.`];
}

/** The bytes of all files that `exportMerged` writes; where linears are chosen by what NF4 errs on them, at most. */
export function mergedBytes({ model, dtype, nf4, shardBytes = SHARD_BYTES }: Omit<MergedExport, 'adapter'>): number {
  const linears = nf4 ? linearsForNf4(model) : [];
  const inNf4 = new Set(linears);
  const tensors = storedOf(model).flatMap((stored): TensorShape[] =>
    nf4 && inNf4.has(stored.ours)
      ? nf4Parts(stored, nf4.form, TORCH_NAMES[dtype])
      : [{ name: stored.name, dtype, shape: stored.shape }],
  );
  const room = nf4?.isDynamic ? dynamicRoom(model, linears, nf4.form) : 0;
  const generation = model.generationConfig ? [jsonText(model.generationConfig)] : [];
  // The longest config names all of them as left out.
  const config = configFor(model, dtype, nf4, nf4?.isDynamic ? new Set() : inNf4);
  const weights = safetensorsBytes('model.safetensors', tensors, { shardBytes }) + room;
  return [configText(config), ...generation].reduce(
    (sum, text) => sum + Buffer.byteLength(text),
    weights + tokenizerBytes(model),
  );
}

function configFor(
  model: OpenModel,
  dtype: FloatType,
  nf4: Nf4Export | undefined,
  inNf4: ReadonlySet<string>,
): JsonObject {
  const key = 'torch_dtype' in model.configJson ? 'torch_dtype' : 'dtype'; // of transformers 4 and 5
  const { quantization_config: _, ...config } = model.configJson; // of the files that were read
  return {
    ...config,
    architectures: [classOf(model)],
    [key]: TORCH_NAMES[dtype],
    ...(nf4 && { quantization_config: nf4Config(model, inNf4, nf4.form) }),
  };
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
      const found = tensor?.nf4
        ? nf4Checksum(tensor.nf4.read())
        : rows.reduce((sum, range) => crc32(tensor?.bytes(range) ?? '', sum), 0);
      if (found !== checksum) throw new Error(`${name} in ${folder} reads back differently`);
    }
  } finally {
    written.close();
  }
}
