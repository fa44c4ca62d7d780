import { loraScale } from '@anneal/formats/peft/read';
import type { TokenRows } from './tokens.ts';

/** LoRA weights in memory: y = W x + scale · (B (A x) + bias), or DoRA's: the same with each output's row of W + scale · B A as long as its magnitude. */
export interface LoraWeights {
  readonly r: number;
  readonly alpha: number;
  /** Scale by alpha / √r instead of alpha / r. */
  readonly rslora: boolean;
  /** Weight-decomposed: every module has a magnitude (Liu et al. 2024). */
  readonly dora: boolean;
  /** Every module has a bias of B. */
  readonly loraBias: boolean;
  /** The linears of the base that it is on stand in NF4, single, in their places: LoftQ's adapters make up for what that loses. */
  readonly quantizedBase: boolean;
  /** By our name of the linear, e.g. `layers.0.q`, `embed`, or of the matrix of all experts: `layers.0.experts_down`. */
  readonly modules: ReadonlyMap<string, LoraModule>;
  /** Tensors in place of the base's, by our names: `embed`, `layers.0.q_bias`. */
  readonly full: ReadonlyMap<string, Float32Array>;
  /** Rows in place of the base embedding's; null where there are none. */
  readonly tokens: TokenRows | null;
}

export interface LoraModule {
  /** [rank, inputs]; of experts all of theirs, one behind the other; of the embedding [vocabulary, rank] */
  readonly A: Float32Array;
  /** [outputs, rank]; of experts likewise; of the embedding [hidden size, rank] */
  readonly B: Float32Array;
  /** [outputs], of DoRA */
  readonly magnitude?: Float32Array;
  /** [outputs], of B; what is added is scale · bias */
  readonly bias?: Float32Array;
  /** Where it differs from the adapter's r. */
  readonly rank?: number;
  /** Where it differs from the adapter's alpha. */
  readonly alpha?: number;
}

/** What B·A is multiplied by. */
export function moduleScale(adapter: LoraWeights, module: LoraModule): number {
  return loraScale(module.alpha ?? adapter.alpha, module.rank ?? adapter.r, adapter.rslora);
}
