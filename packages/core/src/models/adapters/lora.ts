import { loraScale } from '@anneal/formats/peft/read';
import type { Engine, Tensor, Variables } from '@anneal/kernels';
import { type LoraModule, type LoraWeights, moduleScale } from './loraWeights.ts';

/** Low-rank adapters on some linears: y += scale · B · A · dropout(x). Hu et al. 2021. */
export interface LoraSpec {
  readonly dropout: number;
  /** By our name of the linear, in model order. */
  readonly modules: ReadonlyMap<string, LoraModuleSpec>;
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
  readonly dropout: number;
}

/** The same rank and scale on every one of `linears`. */
export function loraSpec({ r, alpha, rslora, dropout }: LoraOptions, linears: readonly string[]): LoraSpec {
  const module = { rank: r, scale: loraScale(alpha, r, rslora) };
  return { dropout, modules: new Map(linears.map((linear) => [linear, module])) };
}

/** The shape of an adapter that exists already. */
export function loraSpecOf(weights: LoraWeights, dropout: number): LoraSpec {
  const modules = [...weights.modules].map(([linear, module]) => {
    return [linear, { rank: module.rank ?? weights.r, scale: moduleScale(weights, module) }] as const;
  });
  return { dropout, modules: new Map(modules) };
}

/** A: [rank, in], B: [out, rank], float32 parameters. */
export const loraVariables = {
  a: (variables: Variables, rank: number, linear: string, [, inputs = 0]: readonly number[]): Tensor =>
    parameter(variables, loraName(linear, 'A'), [rank, inputs]),
  b: (variables: Variables, rank: number, linear: string, [outputs = 0]: readonly number[]): Tensor =>
    parameter(variables, loraName(linear, 'B'), [outputs, rank]),
};

function parameter(variables: Variables, name: string, shape: readonly number[]): Tensor {
  return variables.get(name, { shape, dtype: 'f32', kind: 'parameter' });
}

type Factor = 'A' | 'B';

/** The variable that holds a factor of the adapter on `linear`. */
export function loraName(linear: string, factor: Factor): string {
  return `adapter/${linear}.${factor}`;
}

export async function writeLora(engine: Engine, modules: ReadonlyMap<string, LoraModule>): Promise<void> {
  for (const [linear, { A, B }] of modules) {
    await engine.write(loraName(linear, 'A'), A, 'f32');
    await engine.write(loraName(linear, 'B'), B, 'f32');
  }
}

/** The adapter as the engine holds it now. */
export async function readLora(
  engine: Engine,
  { r, alpha, rslora }: LoraOptions,
  spec: LoraSpec,
): Promise<LoraWeights> {
  const modules = new Map<string, LoraModule>();
  for (const [linear, { rank, scale }] of spec.modules) {
    modules.set(linear, {
      A: (await engine.read(loraName(linear, 'A'))) as Float32Array,
      B: (await engine.read(loraName(linear, 'B'))) as Float32Array,
      ...(rank !== r && { rank }),
      ...(scale !== loraScale(alpha, rank, rslora) && { alpha: rslora ? scale * Math.sqrt(rank) : scale * rank }),
    });
  }
  return { r, alpha, rslora, modules };
}
