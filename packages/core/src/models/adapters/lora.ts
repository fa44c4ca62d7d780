import type { Initialization } from '@anneal/formats/peft/config';
import { loraScale } from '@anneal/formats/peft/read';
import type { Engine, Tensor, Variables } from '@anneal/kernels';
import { factorShapes } from './embeddings.ts';
import { type LoraModule, type LoraWeights, moduleScale } from './loraWeights.ts';
import { readTokens, writeTokens } from './tokens.ts';

/** Low-rank adapters on some linears: y += scale · (B · A · dropout(x) + bias). Hu et al. 2021. */
export interface LoraSpec {
  readonly dropout: number;
  /** Each output's row with its adapter is as long as a trained magnitude says. Liu et al. 2024. */
  readonly dora: boolean;
  /** Every B has a bias. */
  readonly loraBias: boolean;
  /** Its linears of the base are in NF4, as LoftQ has them. */
  readonly quantizedBase: boolean;
  /** By our name of the linear, in model order, then of embedding and output layer, then of the experts' matrices. */
  readonly modules: ReadonlyMap<string, LoraModuleSpec>;
  /** Tensors of the base, by our names, that are trained in full beside the adapters. */
  readonly full: ReadonlySet<string>;
  /** Tokens whose rows of the embedding are trained. */
  readonly tokens: readonly number[];
}

export interface LoraModuleSpec {
  readonly rank: number;
  /** alpha / rank, or alpha / √rank with rsLoRA (Kalajdzievski 2023). */
  readonly scale: number;
}

export interface LoraOptions {
  readonly r: number;
  readonly alpha: number;
  readonly rslora: boolean;
  readonly dora: boolean;
  readonly loraBias?: boolean;
  readonly initialization?: Initialization;
  readonly dropout: number;
}

/** The same rank and scale on every one of `linears`. @param full names of tensors that are trained in full */
export function loraSpec(
  { r, alpha, rslora, dora, loraBias = false, initialization, dropout }: LoraOptions,
  linears: readonly string[],
  full: readonly string[] = [],
  tokens: readonly number[] = [],
): LoraSpec {
  const module = { rank: r, scale: loraScale(alpha, r, rslora) };
  return {
    dropout,
    dora,
    loraBias,
    quantizedBase: initialization === 'loftq',
    modules: new Map(linears.map((linear) => [linear, module])),
    full: new Set(full),
    tokens,
  };
}

/** The shape of an adapter that exists already. */
export function loraSpecOf(weights: LoraWeights, dropout: number): LoraSpec {
  const modules = [...weights.modules].map(([linear, module]) => {
    return [linear, { rank: module.rank ?? weights.r, scale: moduleScale(weights, module) }] as const;
  });
  const { dora, loraBias, quantizedBase, full, tokens } = weights;
  return {
    dropout,
    dora,
    loraBias,
    quantizedBase,
    modules: new Map(modules),
    full: new Set(full.keys()),
    tokens: tokens?.ids ?? [],
  };
}

/** A: [rank, in], B: [out, rank], of the embedding [V, rank] and [D, rank]; magnitude and bias: [out], float32 parameters; of experts all A and all B behind each other. */
export const loraVariables = {
  a: (variables: Variables, rank: number, linear: string, shape: readonly number[]): Tensor =>
    parameter(variables, loraName(linear, 'A'), factorShapes(linear, shape, rank).A),
  b: (variables: Variables, rank: number, linear: string, shape: readonly number[]): Tensor =>
    parameter(variables, loraName(linear, 'B'), factorShapes(linear, shape, rank).B),
  magnitude: (variables: Variables, linear: string, [outputs = 0]: readonly number[]): Tensor =>
    parameter(variables, loraName(linear, 'magnitude'), [outputs]),
  bias: (variables: Variables, linear: string, [outputs = 0]: readonly number[]): Tensor =>
    parameter(variables, loraName(linear, 'bias'), [outputs]),
};

function parameter(variables: Variables, name: string, shape: readonly number[]): Tensor {
  return variables.get(name, { shape, dtype: 'f32', kind: 'parameter' });
}

export type LoraPart = 'A' | 'B' | 'magnitude' | 'bias';

/** The variable that holds a part of the adapter on `linear`. */
export function loraName(linear: string, part: LoraPart): string {
  return `adapter/${linear}.${part}`;
}

/** The variable that holds a tensor of the base as it is trained; that of its own name is the base's still. */
export function fullName(tensor: string): string {
  return `adapter/${tensor}.full`;
}

/** The output layer with its adapter, as losses read it: computed again at the beginning of each step. */
export const adaptedHeadName = 'adapter/lm_head.adapted';
/** The program that does so, where no step begins. */
export const adaptHeadProgram = 'adapt_head';

export function isMagnitude({ name }: Tensor): boolean {
  return name.startsWith('adapter/') && name.endsWith('.magnitude');
}

/** The base's weights are in the engine already. */
export async function writeLora(engine: Engine, { modules, full, tokens }: LoraWeights): Promise<void> {
  for (const [linear, { A, B, magnitude, bias }] of modules) {
    await engine.write(loraName(linear, 'A'), A, 'f32');
    await engine.write(loraName(linear, 'B'), B, 'f32');
    if (magnitude) await engine.write(loraName(linear, 'magnitude'), magnitude, 'f32');
    if (bias) await engine.write(loraName(linear, 'bias'), bias, 'f32');
  }
  for (const [name, values] of full) await engine.write(fullName(name), values, 'f32');
  if (tokens) await writeTokens(engine, tokens);
  if (engine.plan.programs.some(({ name }) => name === adaptHeadProgram)) {
    await engine.run([{ program: adaptHeadProgram, extents: {}, inputs: {}, results: [] }]);
  }
}

/** The adapter as the engine holds it now. */
export async function readLora(
  engine: Engine,
  { r, alpha, rslora }: LoraOptions,
  spec: LoraSpec,
): Promise<LoraWeights> {
  const modules = new Map<string, LoraModule>();
  const read = async (linear: string, part: LoraPart) => (await engine.read(loraName(linear, part))) as Float32Array;
  for (const [linear, { rank, scale }] of spec.modules) {
    modules.set(linear, {
      A: await read(linear, 'A'),
      B: await read(linear, 'B'),
      ...(spec.dora && { magnitude: await read(linear, 'magnitude') }),
      ...(spec.loraBias && { bias: await read(linear, 'bias') }),
      ...(rank !== r && { rank }),
      ...(scale !== loraScale(alpha, rank, rslora) && { alpha: rslora ? scale * Math.sqrt(rank) : scale * rank }),
    });
  }
  const full = new Map<string, Float32Array>();
  for (const name of spec.full) full.set(name, (await engine.read(fullName(name))) as Float32Array);
  const tokens = await readTokens(engine, spec.tokens);
  const { dora, loraBias, quantizedBase } = spec;
  return { r, alpha, rslora, dora, loraBias, quantizedBase, modules, full, tokens };
}
