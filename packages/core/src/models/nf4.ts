import { absmaxMap, type Nf4Form, type StoredNf4 } from '@anneal/formats/bitsandbytes/nf4';
import {
  type Engine,
  type Nf4Weight,
  nf4Block,
  nf4ScaleBlock,
  quantizeNf4,
  type Tensor,
  Variables,
  type WeightSource,
} from '@anneal/kernels';
import { UserError } from '../errors.ts';
import type { LoraSpec } from './adapters/lora.ts';
import { targetedLinears } from './adapters/targets.ts';
import { type ModelTensor, type OpenModel, refuseProblem } from './model.ts';
import { stackName } from './stackName.ts';
import { expertMatrices } from './tensors.ts';

/** How frozen matrices are held: as the weights' type says, or those of the blocks in NF4. */
export type Quantization = 'none' | 'nf4';

/**
 * The linears that are held in NF4, by our names. Those that the files hold so stay as they are, and then no other is
 * quantized: who made such a checkpoint left the rest out on purpose. Else `nf4` means every linear of the blocks, and the experts;
 * and those of an adapter whose base is quantized are so with float32 absmaxes, as PEFT's LoftQ has them, in any case.
 */
export function nf4Forms(
  model: OpenModel,
  quantization: Quantization,
  lora: Pick<LoraSpec, 'quantizedBase' | 'modules'> | null = null,
): ReadonlyMap<string, Nf4Form> {
  const ofAdapter = lora?.quantizedBase ? [...lora.modules.keys()].map((name) => [name, 'single'] as const) : [];
  return new Map([...formsOf(model, quantization), ...ofAdapter]);
}

function formsOf(model: OpenModel, quantization: Quantization): ReadonlyMap<string, Nf4Form> {
  const stored = [...model.tensors.values()].flatMap(({ name, nf4 }) => (nf4 ? [[name, nf4.form] as const] : []));
  if (stored.length > 0 || quantization === 'none') return new Map(stored);
  const linears = targetedLinears(model.config, model.architecture.names, 'all-linear');
  const experts = Array.from({ length: model.config.layerCount }, (_, layer) =>
    expertMatrices(model.config, layer).map((name) => `layers.${layer}.${name}`),
  ).flat();
  return new Map([...linears, ...experts].map((name) => [name, 'double']));
}

/** A matrix of the model, by our name: [N, K]. */
interface Matrix {
  readonly name: string;
  readonly shape: readonly number[];
}

/** The variables that hold the matrix in NF4. */
export function nf4Weight(variables: Variables, matrix: Matrix, form: Nf4Form): Nf4Weight {
  return weightOf(variables, variablesOf(variables, matrix, form));
}

/**
 * The rows of several matrices as one, read by one launch, of variables that lie beside each other. Null where a block of
 * one matrix would reach into the next.
 */
export function nf4Stack(variables: Variables, matrices: readonly Matrix[], form: Nf4Form): Nf4Weight | null {
  const whole = nf4Block * (form === 'double' ? nf4ScaleBlock : 1);
  if (matrices.some(({ shape: [rows = 0, columns = 0] }) => (rows * columns) % whole !== 0)) return null;
  const each = matrices.map((matrix) => variablesOf(variables, matrix, form));
  const [first] = each as [Nf4Variables];
  const names = Object.keys(first) as Part[];
  const membersOf = (part: Part) => each.map((held) => held[part] as Tensor);
  if (!names.every((part) => Variables.canStack(membersOf(part)))) return null;
  const name = stackName(matrices.map((matrix) => matrix.name));
  const stacks = names.map((part) => [part, variables.stack(name + parts[part], membersOf(part))]);
  return weightOf(variables, Object.fromEntries(stacks));
}

const parts = { codes: '/codes', absmax: '/absmax', scales: '/scales', offsets: '/offsets' } as const;
type Part = keyof typeof parts;
type Nf4Variables = { readonly [P in Part]?: Tensor } & { readonly codes: Tensor; readonly absmax: Tensor };

function variablesOf(
  variables: Variables,
  { name, shape: [rows = 0, columns = 0] }: Matrix,
  form: Nf4Form,
): Nf4Variables {
  const blocks = Math.ceil((rows * columns) / nf4Block);
  const get = (part: Part, dtype: 'u8' | 'f32', ...extents: number[]): Tensor =>
    variables.get(name + parts[part], { shape: extents, dtype, kind: 'weight' });
  const codes = get('codes', 'u8', rows, columns / 2);
  if (form === 'single') return { codes, absmax: get('absmax', 'f32', blocks) };
  const scales = Math.ceil(blocks / nf4ScaleBlock);
  const absmax = get('absmax', 'u8', blocks);
  return { codes, absmax, scales: get('scales', 'f32', scales), offsets: get('offsets', 'f32', scales) };
}

function weightOf(variables: Variables, { codes, absmax, scales, offsets }: Nf4Variables): Nf4Weight {
  if (!scales || !offsets) return { codes, absmax, double: null };
  const map = variables.get(mapVariable, { shape: [256], dtype: 'f32', kind: 'state' });
  return { codes, absmax, double: { scales, offsets, map } };
}

const mapVariable = 'nf4.absmax_map';

export function isHeldInNf4(engine: Engine, name: string): boolean {
  return engine.plan.variables.has(name + parts.codes);
}

/** What the programs of an engine share, for all matrices in NF4. */
export async function writeNf4Map(engine: Engine): Promise<void> {
  if (engine.plan.variables.has(mapVariable)) await engine.write(mapVariable, absmaxMap(), 'f32');
}

/**
 * Fills the variables of a matrix in NF4: with what the file holds, or encoded here.
 * @throws UserError for a weight that is not finite, and for a file that ends before its tensors
 */
export async function writeNf4(engine: Engine, model: OpenModel, tensor: ModelTensor): Promise<void> {
  const source = tensor.source();
  if (tensor.nf4) await writeValues(engine, tensor.name, tensor.nf4.read());
  else if (source) await encodeFrom(engine, model, tensor, source);
  else await writeValues(engine, tensor.name, await quantized(tensor, model, formIn(engine, tensor.name)));
}

function formIn(engine: Engine, name: string): Nf4Form {
  return engine.plan.variables.has(name + parts.scales) ? 'double' : 'single';
}

async function encodeFrom(engine: Engine, model: OpenModel, tensor: ModelTensor, source: WeightSource): Promise<void> {
  const nameOf = (part: Part) => tensor.name + parts[part];
  const isDouble = formIn(engine, tensor.name) === 'double';
  const double = isDouble ? { scales: nameOf('scales'), offsets: nameOf('offsets'), map: absmaxMap() } : null;
  const names = { codes: nameOf('codes'), absmax: nameOf('absmax'), double };
  const { problem, isFinite } = await engine.loadNf4(names, source);
  refuseProblem(problem, tensor, model);
  if (!isFinite) throw notFinite(tensor, model);
}

/** A matrix of the model as NF4 holds it. @throws UserError for a weight that is not finite */
export async function quantized(tensor: ModelTensor, model: OpenModel, form: Nf4Form = 'single'): Promise<StoredNf4> {
  const weights = tensor.float32();
  const values = await quantizedWeights(weights, tensor, model, form);
  (weights.buffer as ArrayBuffer).transfer(0);
  return values;
}

/** Weights that take the place of a matrix of the model. @throws UserError for one that is not finite */
export async function quantizedWeights(
  { buffer, byteOffset, byteLength }: Float32Array,
  matrix: Pick<ModelTensor, 'name'>,
  model: OpenModel,
  form: Nf4Form,
): Promise<StoredNf4> {
  const bytes = new Uint8Array(buffer, byteOffset, byteLength);
  const values = await quantizeNf4(bytes, 'f32', form === 'double' ? absmaxMap() : null);
  if (!values) throw notFinite(matrix, model);
  return values;
}

async function writeValues(engine: Engine, name: string, { codes, absmax, double }: StoredNf4): Promise<void> {
  await engine.write(name + parts.codes, codes, 'u8');
  await engine.write(name + parts.absmax, absmax, double ? 'u8' : 'f32');
  if (!double) return;
  await engine.write(name + parts.scales, double.scales, 'f32');
  await engine.write(name + parts.offsets, new Float32Array(double.scales.length).fill(double.offset), 'f32');
}

function notFinite({ name }: Pick<ModelTensor, 'name'>, { path }: OpenModel): UserError {
  return new UserError({
    what: `a weight of ${name} is not finite, which NF4 cannot hold`,
    where: path,
    next: 'the weights are damaged: download the model again',
    code: 'weight_not_finite',
  });
}
