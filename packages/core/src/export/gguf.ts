import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { crc32 } from 'node:zlib';
import type { Imatrix } from '@anneal/formats/gguf/imatrix';
import { openGguf } from '@anneal/formats/gguf/read';
import { unitOf } from '@anneal/formats/gguf/tensorTypes';
import { type GgufTensor, GgufWriter, ggufBytes } from '@anneal/formats/gguf/write';
import { elementCount, type RowRange, type TensorInfo } from '@anneal/formats/tensor';
import type { WeightType } from '@anneal/kernels';
import type { LoraWeights } from '../models/adapters/loraWeights.ts';
import { mergedRows, refuseUnmergeable } from '../models/adapters/merge.ts';
import { ggufNames } from '../models/architecture.ts';
import { ropeTensors } from '../models/gguf/ropeFactors.ts';
import type { ModelTensor, OpenModel } from '../models/model.ts';
import { findName } from '../models/names.ts';
import { openModel } from '../models/open.ts';
import { type StoredTensor, storedTensors } from '../models/stored.ts';
import { checkGgufExport, differencesInLlamaCpp, refuseWhatGgufCannotSay } from './ggufLimits.ts';
import { ggufMetadata } from './ggufMetadata.ts';
import { FILE_TYPES, type GgufType, tensorType } from './ggufTypes.ts';
import { imatrixOfAnother, importanceOf } from './importance/importance.ts';
import { writeNewFolder } from './newFolder.ts';
import type { ExportProgress, ExportResult } from './result.ts';
import { standIns } from './standIns.ts';

export interface GgufExport extends ExportProgress {
  readonly model: OpenModel;
  readonly adapter: LoraWeights | null;
  /** One file each; the weights are read and merged once for all of them. */
  readonly types: readonly GgufType[];
  /** `general.name` and the beginning of the file names. */
  readonly name: string;
  /** Quantized weights err less where it counts; null, as where nothing is said: all columns count alike. */
  readonly imatrix?: Imatrix | null | undefined;
}

interface Target {
  readonly type: GgufType;
  readonly path: string;
  readonly writer: GgufWriter;
  /** CRC-32 of each tensor as written, by its name in the file. */
  readonly checksums: Map<string, number>;
}

/**
 * Writes a folder of GGUF files that llama.cpp loads without anything else, and reads them back.
 * @throws UserError when the folder exists, the disk is full, the adapter cannot be merged, or llama.cpp could not compute this model
 */
export async function exportGguf(folder: string, options: GgufExport): Promise<ExportResult> {
  const { model, adapter, types, name } = options;
  checkGgufExport(model);
  if (adapter) refuseUnmergeable(model, adapter);
  if (options.imatrix) refuseOtherImatrix(model, options.imatrix);
  const files = await writeNewFolder(folder, async (temporary) => {
    const paths = new Map(types.map((type) => [type, join(temporary, ggufFileName(name, type))]));
    for (const target of await writeAll(paths, options)) readBack(target, model, options.signal);
  });
  const warnings = [
    ...types.flatMap((type) => standIns(matricesOf(model), model.config, type)),
    ...differencesInLlamaCpp(model),
    ...remarksOnImportance(options),
  ];
  return { path: folder, files, warnings };
}

/** The bytes of the file that `exportGguf` writes of each type. @throws UserError as `checkGgufExport` */
export function ggufFileBytes({ model, types, name }: Omit<GgufExport, 'adapter'>): Map<GgufType, number> {
  refuseWhatGgufCannotSay(model);
  // The types differ in a number of the metadata, which is as long for each.
  const metadata = ggufMetadata(model, name, FILE_TYPES.f32.number);
  return new Map(types.map((type) => [type, ggufBytes(metadata, tableOf(model, type), model.path)]));
}

/** `SmolLM2 135M` and `q8_0` → `SmolLM2-135M-Q8_0.gguf` */
export function ggufFileName(name: string, type: GgufType): string {
  return `${name.replace(/[^\w.-]+/g, '-')}-${type.toUpperCase()}.gguf`;
}

async function writeAll(
  paths: ReadonlyMap<GgufType, string>,
  { model, adapter, name, imatrix, onProgress, signal }: GgufExport,
): Promise<Target[]> {
  const targets: Target[] = [];
  const factors = ropeTensors(model.config);
  try {
    for (const [type, path] of paths) {
      const table = tableOf(model, type);
      const metadata = ggufMetadata(model, name, FILE_TYPES[type].number);
      targets.push({ type, path, writer: await GgufWriter.create(path, metadata, table), checksums: new Map() });
    }
    for (const [tensor, values] of factors) {
      for (const target of targets) await write(target, tensor, new Uint8Array(values.buffer));
    }
    let done = 0;
    for (const tensor of model.tensors.values()) {
      const transform = findName(ggufNames(model.architecture, model.config), tensor.name)?.transform ?? null;
      for (const stored of storedOf(model, tensor)) {
        const types = targets.map(({ type }) => typeOf(model, tensor, stored, type)).map(withBlock);
        const importance = imatrix ? importanceOf(imatrix, stored, model.path) : null;
        const { rows, columns, layout } = stored;
        const how = { adapter, types, rows, columns, layout, transform, importance, signal };
        for await (const run of mergedRows(model, tensor.name, how)) {
          await Promise.all(targets.map((target, at) => write(target, stored.name, run[at] as Uint8Array)));
        }
        if (stored.padding) await writeZeros(targets, stored.name, [stored.padding, tensor.shape[1] ?? 1], types);
      }
      onProgress?.(++done, model.tensors.size);
    }
    for (const { name: unread, shape } of unreadOf(model)) {
      const types = targets.map(({ type }) => withBlock(tensorType(unread, shape, type, model.config)));
      await writeZeros(targets, unread, shape, types);
    }
    for (const { writer } of targets) await writer.commit();
    return targets;
  } catch (error) {
    for (const { writer } of targets) await writer.abort();
    throw error;
  }
}

function tableOf(model: OpenModel, type: GgufType): GgufTensor[] {
  const all: GgufTensor[] = [
    ...Array.from(ropeTensors(model.config), ([name, { length }]) => ({ name, shape: [length], type: 'F32' as const })),
    ...[...model.tensors.values()].flatMap((tensor) =>
      storedOf(model, tensor).map((stored) => ({
        name: stored.name,
        shape: stored.shape,
        type: typeOf(model, tensor, stored, type),
      })),
    ),
    ...unreadOf(model).map(({ name, shape }) => ({ name, shape, type: tensorType(name, shape, type, model.config) })),
  ];
  return all.filter(({ name }, at) => name !== all[at - 1]?.name); // several of ours may be one, in turn
}

/** Blocks of zeros are zeros in every type. */
async function writeZeros(
  targets: readonly Target[],
  name: string,
  shape: readonly number[],
  types: readonly { readonly length: number; readonly bytes: number }[],
): Promise<void> {
  for (const [at, target] of targets.entries()) {
    const { length, bytes } = types[at] as { length: number; bytes: number };
    await write(target, name, new Uint8Array((elementCount(shape) / length) * bytes));
  }
}

function unreadOf({ config, architecture }: OpenModel): readonly { name: string; shape: readonly number[] }[] {
  return architecture.ggufPart?.unread?.(config) ?? [];
}

async function write({ writer, checksums }: Target, name: string, bytes: Uint8Array): Promise<void> {
  checksums.set(name, crc32(bytes, checksums.get(name)));
  await writer.write(name, bytes);
}

function storedOf({ architecture, config }: OpenModel, tensor: ModelTensor): StoredTensor[] {
  return storedTensors(ggufNames(architecture, config), config, tensor, 'gguf');
}

function typeOf({ config }: OpenModel, tensor: ModelTensor, stored: StoredTensor, type: GgufType): WeightType {
  return tensorType(tensor.name, shapeInFile(tensor, stored), type, config);
}

/** Rows may be of another length in the file than ours are. */
function shapeInFile({ shape }: ModelTensor, { layout, shape: stored }: StoredTensor): readonly number[] {
  return layout ? [shape[0] ?? 1, stored.at(-1) ?? 1] : shape;
}

function matricesOf(model: OpenModel): { name: string; shape: readonly number[] }[] {
  return [...model.tensors.values()].flatMap((tensor) =>
    storedOf(model, tensor).map((stored) => ({ name: tensor.name, shape: shapeInFile(tensor, stored) })),
  );
}

function withBlock(type: WeightType): { type: WeightType; length: number; bytes: number } {
  const { length, bytes } = unitOf(type);
  return { type, length, bytes };
}

/** Tensors byte for byte, and the file as a model: its config, names and shapes are checked when it is opened. */
function readBack({ path, checksums }: Target, model: OpenModel, signal: AbortSignal | undefined): void {
  const file = openGguf(path);
  try {
    for (const [name, checksum] of checksums) {
      signal?.throwIfAborted();
      let found = 0;
      for (const rows of rowRuns(file.tensors.get(name))) found = crc32(file.bytes(name, rows), found);
      if (found !== checksum) throw new Error(`${name} in ${path} reads back differently`);
    }
  } finally {
    file.close();
  }
  const written = openModel(path);
  written.close();
  // A template goes with a tokenizer only.
  const expected = model.tokenizerFiles.includes('tokenizer.json') ? model.chatTemplates : null;
  if (!isDeepStrictEqual(written.chatTemplates, expected)) throw new Error(`${path} has another chat template`);
}

/** Runs of rows of 64 MB or less. */
function rowRuns(tensor: TensorInfo | undefined): RowRange[] {
  const { shape: [count = 1] = [], byteLength = 0 } = tensor ?? {};
  const step = Math.max(1, Math.floor((64e6 * count) / byteLength));
  return Array.from({ length: Math.ceil(count / step) }, (_, at) => ({
    first: at * step,
    count: Math.min(step, count - at * step),
  }));
}

/** @throws UserError where an entry is of another model, or all are */
function refuseOtherImatrix(model: OpenModel, imatrix: Imatrix): void {
  const stored = [...model.tensors.values()].flatMap((tensor) => storedOf(model, tensor));
  const found = stored.filter((each) => importanceOf(imatrix, each, model.path));
  if (found.length === 0)
    throw imatrixOfAnother(model.path, 'the importance matrix has no entry for any tensor of this model');
}

function remarksOnImportance({ model, types, imatrix = null }: GgufExport): string[] {
  if (imatrix === null) {
    return (types as readonly string[]).includes('iq3_xxs')
      ? ['iq3_xxs has few bits: with --imatrix, which says what they should be spent on, it errs much less.']
      : [];
  }
  const isQuantized = (tensor: ModelTensor, stored: StoredTensor) =>
    types.some((type) => typeOf(model, tensor, stored, type).includes('Q'));
  const lacking = [...model.tensors.values()]
    .filter((tensor) => !/(^|_)embed$|^lm_head$/.test(tensor.name))
    .flatMap((tensor) => storedOf(model, tensor).filter((stored) => isQuantized(tensor, stored)))
    .filter(({ layout }) => !layout) // its columns are no inputs that a text is seen through
    .filter((stored) => {
      const importance = importanceOf(imatrix, stored, model.path);
      return stored.rows.some(({ first }) => !importance?.(first));
    });
  const [first] = lacking;
  if (!first) return [];
  return [
    `Of ${lacking.length} tensors the importance matrix says nothing, or not of all experts (${first.name} is the first): ` +
      'all columns count alike there. More tokens reach more experts.',
  ];
}
