import { UserError } from '@anneal/formats/errors';
import { elementCount, type RowRange } from '@anneal/formats/tensor';
import { type EncodeWeights, encodeWeights, type WeightType } from '@anneal/kernels';
import { inFileColumns } from '../columnOrder.ts';
import { type MatrixLayout, toLayout } from '../expertLayout.ts';
import { interleaveHeads } from '../gguf/heads.ts';
import type { ModelTensor, OpenModel } from '../model.ts';
import { type GgufTransform, valueTransform } from '../names.ts';
import { asOfLinear, refuseMergeIntoTied } from './embeddings.ts';
import { expertCount } from './experts.ts';
import { biasOf } from './full.ts';
import { type LoraModule, type LoraWeights, moduleScale } from './loraWeights.ts';
import { tensorBeside, tensorOf } from './tensorBeside.ts';

/** Weights taken at a time, so that a tensor of any size needs little memory: 16 M, 64 MB in float32. */
const CHUNK_WEIGHTS = 1 << 24;

export interface MergeOptions {
  readonly adapter: LoraWeights | null;
  /** Each with the bytes that its block of weights takes; a row is whole blocks. */
  readonly types: readonly { readonly type: WeightType; readonly length: number; readonly bytes: number }[];
  /** Of the tensor's rows; all of them, if nothing is said. */
  readonly rows?: readonly RowRange[];
  /** As GGUF has this tensor. */
  readonly transform?: GgufTransform;
  /** Of the tensor's columns, as the file has them; in our order, if nothing is said. */
  readonly columns?: readonly RowRange[] | undefined;
  /** As the file has the matrix of each range of rows. */
  readonly layout?: MatrixLayout | undefined;
  /** How much each column counts, of the matrix that holds a row; null: all alike. */
  readonly importance?: ((row: number) => Float32Array | null) | null;
  readonly signal?: AbortSignal | undefined;
}

/**
 * One tensor of the model with its adapter folded in, W + scale · B A, of DoRA with rows of their magnitudes' length, a bias plus scale · that of B, in one or more types: consecutive runs of its rows, in
 * each the bytes of every type. The next run is computed while one is used.
 * @param name our name of a tensor of the model
 * @throws UserError for a weight that a type cannot hold
 */
export async function* mergedRows(
  model: OpenModel,
  name: string,
  { adapter, types, rows: wanted, transform = null, columns, layout, importance = null, signal }: MergeOptions,
): AsyncGenerator<Uint8Array[]> {
  const tensor = await tensorBeside(model, name, adapter);
  const headRows = transform === 'permuteHeads' ? model.config.headSize : 1;
  const runs = (wanted ?? [{ first: 0, count: tensor.shape[0] ?? 1 }])
    .flatMap((rows) => ofOneExpert(rows, rowsOfExpert(model, tensor)))
    .flatMap((rows) => rowRuns(tensor, rows, headRows));
  const encode = async (rows: RowRange): Promise<Uint8Array[]> => {
    signal?.throwIfAborted();
    const where = `${model.path}: tensor ${name}`;
    const merged = rowsToEncode(model, tensor, rows, adapter, transform);
    const ordered = columns ? withColumns(merged, columns) : merged;
    const job = layout ? await turned(ordered, layout, rows, where) : ordered;
    const targets = types.map(({ type, length, bytes }) => ({
      type,
      bytes: new Uint8Array(((job.rows * job.columns) / length) * bytes),
    }));
    const counts = importance?.(rows.first);
    return settle({ ...job, ...(counts && { importance: counts }), targets }, rows, where);
  };
  let next: Promise<Uint8Array[]> | undefined;
  try {
    for (const [at, run] of runs.entries()) {
      const encoded = await (next ?? encode(run));
      const following = runs[at + 1];
      next = following && encode(following);
      yield encoded;
    }
  } finally {
    await next?.catch(() => undefined); // ended early: what is under way still reads the adapter
  }
}

/** The whole tensor in float32: for matrices that are small, or wanted whole. */
export async function mergedWeights(
  model: OpenModel,
  adapter: LoraWeights | null,
  name: string,
): Promise<Float32Array> {
  const weights = new Float32Array(elementCount(tensorOf(model, name).shape));
  let at = 0;
  for await (const [bytes] of mergedRows(model, name, { adapter, types: [{ type: 'F32', length: 1, bytes: 4 }] })) {
    const run = new Float32Array((bytes as Uint8Array).buffer);
    weights.set(run, at);
    at += run.length;
  }
  return weights;
}

/** Our names of the tensors of the base that merging changes. */
export function changedTensors({ modules, full, tokens }: LoraWeights): string[] {
  const biases = [...modules].filter(([, { bias }]) => bias).map(([linear]) => biasOf(linear));
  return [...new Set([...modules.keys(), ...full.keys(), ...biases, ...(tokens ? ['embed'] : [])])];
}

/** @throws UserError for a bias of lora_B where the base has none that it could be added to; PEFT does not merge it either */
export function refuseUnmergeable(model: OpenModel, adapter: LoraWeights): void {
  const { loraBias, modules } = adapter;
  refuseMergeIntoTied(model, adapter);
  const [without] = loraBias ? withoutBias(model, [...modules.keys()]) : [];
  if (without === undefined) return;
  throw new UserError({
    what: `the adapter cannot be merged: it has a bias on ${without}, and that layer of the base has none`,
    where: model.path,
    next: 'export the adapter alone (--lora), or train without peft_lora_bias',
    code: 'export_unsupported',
  });
}

/** Those of the linears that have no bias in the base. */
export function withoutBias({ tensors }: OpenModel, linears: readonly string[]): string[] {
  return linears.filter((linear) => !tensors.has(biasOf(linear)));
}

function rowsOfExpert({ config }: OpenModel, { name, shape }: ModelTensor): number {
  return (shape[0] ?? 1) / expertCount(config, name);
}

/** The same rows in runs that do not go from one expert to the next: each has an A of its own. */
function ofOneExpert({ first, count }: RowRange, rowsEach: number): RowRange[] {
  const runs: RowRange[] = [];
  for (let at = first; at < first + count; ) {
    const end = Math.min(first + count, (Math.floor(at / rowsEach) + 1) * rowsEach);
    runs.push({ first: at, count: end - at });
    at = end;
  }
  return runs;
}

/** Runs of rows of CHUNK_WEIGHTS or less, of whole heads and whole groups. A vector is one run. */
function rowRuns({ shape, rowGroup }: ModelTensor, { first, count }: RowRange, headRows: number): RowRange[] {
  const rest = shape.slice(1);
  const group = Math.max(rowGroup, headRows);
  const wanted = shape.length < 2 ? count : Math.floor(CHUNK_WEIGHTS / elementCount(rest) / group) * group;
  const step = Math.max(group, wanted);
  return Array.from({ length: Math.ceil(count / step) }, (_, at) => ({
    first: first + at * step,
    count: Math.min(step, count - at * step),
  }));
}

type Rows = Omit<EncodeWeights, 'targets'>;

function rowsToEncode(
  model: OpenModel,
  tensor: ModelTensor,
  rows: RowRange,
  adapter: LoraWeights | null,
  transform: GgufTransform,
): Rows {
  const isVector = tensor.shape.length < 2;
  const columns = isVector ? rows.count : elementCount(tensor.shape.slice(1));
  const reorder = (bytes: Uint8Array): Uint8Array =>
    transform === 'permuteHeads' ? interleaveHeads(bytes, rows.count, model.config.headSize) : bytes;
  const changed = valueTransform(transform);
  const { source, sourceType } = changed ? changedRows(tensor, rows, changed.intoGguf) : sourceRows(tensor, rows);
  const job = { source: reorder(source), sourceType, rows: isVector ? 1 : rows.count, columns };
  const module = adapter?.modules.get(tensor.name);
  if (!adapter || !module) return job;
  const { rank = adapter.r } = module;
  const { A, B } = asOfLinear(tensor.name, module, rank);
  const experts = expertCount(model.config, tensor.name);
  checkShapes(tensor, { A, B }, experts, rank);
  const expert = Math.floor(rows.first / rowsOfExpert(model, tensor));
  const a = experts === 1 ? A : A.slice(expert * rank * columns, (expert + 1) * rank * columns);
  const b = B.slice(rows.first * rank, (rows.first + rows.count) * rank);
  const ordered = (values: Float32Array) => new Float32Array(reorder(new Uint8Array(values.buffer)).buffer);
  const magnitude = module.magnitude?.slice(rows.first, rows.first + rows.count);
  const scale = moduleScale(adapter, module);
  return { ...job, adapter: { A: a, B: ordered(b), rank, scale, ...(magnitude && { magnitude: ordered(magnitude) }) } };
}

/** B A has the columns of A. */
function withColumns(job: Rows, columns: readonly RowRange[]): Rows {
  const { source, rows, adapter } = job;
  return {
    ...job,
    source: inFileColumns(source, rows, columns),
    ...(adapter && { adapter: { ...adapter, A: inFileColumns(adapter.A, adapter.rank, columns) } }),
  };
}

/** Merged in float32 first, as the adapter has no such layout. */
async function turned(job: Rows, layout: MatrixLayout, rows: RowRange, where: string): Promise<Rows> {
  const target = { type: 'F32', bytes: new Uint8Array(job.rows * job.columns * 4) } as const;
  const [weights = target.bytes] = await settle({ ...job, targets: [target] }, rows, where);
  return { source: toLayout(weights, layout), sourceType: 'f32', rows: layout.columns, columns: layout.rows };
}

const SOURCE_TYPES: Readonly<Record<string, Rows['sourceType']>> = { F32: 'f32', F16: 'f16', BF16: 'bf16' };

function sourceRows(tensor: ModelTensor, rows: RowRange): Pick<Rows, 'source' | 'sourceType'> {
  const sourceType = SOURCE_TYPES[tensor.dtype];
  if (sourceType) return { source: tensor.bytes(rows), sourceType };
  const weights = tensor.float32(rows);
  return { source: new Uint8Array(weights.buffer, weights.byteOffset, weights.byteLength), sourceType: 'f32' };
}

function changedRows(
  tensor: ModelTensor,
  rows: RowRange,
  change: (weight: number) => number,
): Pick<Rows, 'source' | 'sourceType'> {
  const weights = tensor.float32(rows).map(change);
  return { source: new Uint8Array(weights.buffer), sourceType: 'f32' };
}

function checkShapes({ name, shape }: ModelTensor, { A, B }: LoraModule, experts: number, rank: number): void {
  const [outputs = 0, inputs = 0] = shape;
  if (A.length === experts * rank * inputs && B.length === outputs * rank) return;
  throw new Error(`${name} is [${outputs},${inputs}], its adapter has ${A.length} and ${B.length} weights`);
}

async function settle(job: EncodeWeights, rows: RowRange, where: string): Promise<Uint8Array[]> {
  const found = await encodeWeights(job);
  if (found === null) return job.targets.map(({ bytes }) => bytes);
  const index = rows.first * job.columns + found.index;
  throw new UserError({
    what: `weight ${index} is ${found.value}, which ${job.targets[found.target]?.type} cannot hold`,
    where,
    next: Number.isFinite(found.value)
      ? 'export as bf16 or f32'
      : 'the weights are damaged, or training has diverged: export an earlier checkpoint',
    code: Number.isFinite(found.value) ? 'weight_not_representable' : 'weight_not_finite',
  });
}
