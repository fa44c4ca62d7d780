import { decodeNf4 } from '@anneal/formats/bitsandbytes/nf4';
import type { Initialization } from '@anneal/formats/peft/config';
import type { Device, Engine } from '@anneal/kernels';
import { UserError } from '../../errors.ts';
import type { ModelTensor, OpenModel } from '../model.ts';
import { quantized } from '../nf4.ts';
import type { LoraModuleSpec } from './lora.ts';
import type { LoraModule, LoraWeights } from './loraWeights.ts';
import { mergedWeights } from './merge.ts';
import { principal } from './principal.ts';

/** The factors of each adapter before training, by our name of the linear: A [rank, inputs], B [outputs, rank]. */
export type Start = ReadonlyMap<string, { readonly A: Float32Array; readonly B: Float32Array }>;

/** An adapter as it is trained, beside a base that lacks what it began as. */
export interface Begun {
  readonly trained: LoraWeights;
  readonly start: Start;
}

export interface StartProgress {
  /** Before each linear, with how many are done. */
  readonly onLinear?: (done: number, of: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * PiSSA: what scale · B A begins as are the largest singular values of the weight (Meng et al. 2024). LoftQ: those of what the weight
 * loses in NF4 (Li et al. 2023); PEFT leaves out the scale there, so that its adapters begin scale times as far.
 * @throws UserError for a weight that NF4 cannot hold
 */
export async function startOf(
  model: OpenModel,
  modules: ReadonlyMap<string, LoraModuleSpec>,
  initialization: Exclude<Initialization, 'plain'>,
  { device, onLinear, signal }: StartProgress & { readonly device?: Device } = {},
): Promise<Start> {
  const start = new Map<string, { A: Float32Array; B: Float32Array }>();
  for (const [linear, { rank, scale }] of modules) {
    onLinear?.(start.size, modules.size);
    signal?.throwIfAborted();
    const tensor = model.tensors.get(linear) as ModelTensor;
    const [rows = 0, columns = 0] = tensor.shape;
    if (rank > Math.min(rows, columns)) throw rankTooHigh(linear, tensor, rank, initialization);
    const weight = tensor.float32();
    const matrix = initialization === 'pissa' ? weight : await lostInNf4(weight, tensor, model);
    const { values, left, right } = await principal(matrix, [rows, columns], rank, device);
    const roots = values.map((value) => Math.sqrt(value / scale));
    const A = new Float32Array(rank * columns);
    const B = new Float32Array(rows * rank);
    for (const [r, root] of roots.entries()) {
      for (let k = 0; k < columns; k++) A[r * columns + k] = root * (right[r]?.[k] as number);
      for (let n = 0; n < rows; n++) B[n * rank + r] = root * (left[r]?.[n] as number);
    }
    start.set(linear, { A, B });
  }
  return start;
}

async function lostInNf4(weight: Float32Array, tensor: ModelTensor, model: OpenModel): Promise<Float32Array> {
  const held = decodeNf4(await quantized(tensor, model), 0, weight.length);
  return weight.map((value, i) => value - (held[i] as number));
}

/** The same as an adapter of twice the rank for the base as it is: scale · (B A - B₀ A₀). Such is what checkpoints and exports have. */
export function forWholeBase({ trained, start }: Begun): LoraWeights {
  const modules = [...trained.modules].map(([linear, module]): [string, LoraModule] => {
    const { A, B } = start.get(linear) as { A: Float32Array; B: Float32Array };
    const { rank = trained.r, alpha } = module;
    const twice = {
      A: Float32Array.from([...module.A, ...A]),
      B: Float32Array.from({ length: 2 * B.length }, (_, i) => {
        const [n, r] = [Math.floor(i / (2 * rank)), i % (2 * rank)];
        return r < rank ? (module.B[n * rank + r] as number) : -(B[n * rank + r - rank] as number);
      }),
      ...(module.rank !== undefined && { rank: 2 * module.rank }),
      ...(alpha !== undefined && { alpha: alpha * alphaFactor(trained) }),
    };
    return [linear, { ...module, ...twice }];
  });
  return { ...trained, r: 2 * trained.r, alpha: trained.alpha * alphaFactor(trained), modules: new Map(modules) };
}

/**
 * The other way: what `forWholeBase` gave, with the same bits of A and B.
 * @param alpha what it was made of, where that is known: √2 times it does not always come back to the last bit
 */
export function apart(whole: LoraWeights, alpha?: number): Begun {
  const start = new Map<string, { A: Float32Array; B: Float32Array }>();
  const modules = [...whole.modules].map(([linear, module]): [string, LoraModule] => {
    const { A, B, rank: both = whole.r, alpha: own } = module;
    const rank = both / 2;
    const columnsOf = (first: number, sign: number) =>
      Float32Array.from({ length: B.length / 2 }, (_, i) => {
        return sign * (B[Math.floor(i / rank) * both + first + (i % rank)] as number);
      });
    start.set(linear, { A: A.slice(A.length / 2), B: columnsOf(rank, -1) });
    const half = {
      A: A.slice(0, A.length / 2),
      B: columnsOf(0, 1),
      ...(module.rank !== undefined && { rank }),
      ...(own !== undefined && { alpha: own / alphaFactor(whole) }),
    };
    return [linear, { ...module, ...half }];
  });
  const factor = alphaFactor(whole);
  const isIts = alpha !== undefined && alpha * factor === whole.alpha;
  const trained = { ...whole, r: whole.r / 2, alpha: isIts ? alpha : whole.alpha / factor, modules: new Map(modules) };
  return { trained, start };
}

/** Leaves the scale as it is where the rank doubles. */
function alphaFactor({ rslora }: LoraWeights): number {
  return rslora ? Math.SQRT2 : 2;
}

/** What the base is without the start of an adapter on this linear: W - scale · B₀ A₀, [outputs, inputs]. */
export function residual(model: OpenModel, { trained, start }: Begun, linear: string): Promise<Float32Array> {
  const { A, B } = start.get(linear) as { A: Float32Array; B: Float32Array };
  const module = { ...(trained.modules.get(linear) as LoraModule), A, B: B.map((value) => -value) };
  return mergedWeights(model, { ...trained, modules: new Map([[linear, module]]) }, linear);
}

/** Puts that in the place of the base's weights. */
export async function writeResidual(engine: Engine, model: OpenModel, begun: Begun): Promise<void> {
  for (const linear of begun.start.keys()) await engine.write(linear, await residual(model, begun, linear), 'f32');
}

function rankTooHigh(linear: string, { shape }: ModelTensor, rank: number, initialization: string): UserError {
  return new UserError({
    what: `peft_init_lora_weights: ${initialization} has no adapter of rank ${rank} for ${linear}, which is [${shape}]`,
    next: `set lora_r: ${Math.min(...shape)} or less`,
    code: 'adapter_rank_too_high',
  });
}
