import { loraScale, readPeftAdapter } from '@anneal/formats/peft/read';
import { UserError } from '../../errors.ts';
import type { OpenModel } from '../model.ts';
import { expertCount, expertsApart, expertsOfParameter } from './experts.ts';
import { fullTensorsOf } from './full.ts';
import { otherBase } from './otherBase.ts';
import { linearOfModule } from './targets.ts';
import { type TokenRows, tokensOf } from './tokens.ts';

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
  /** By our name of the linear, e.g. `layers.0.q`, or of the matrix of all experts: `layers.0.experts_down`. */
  readonly modules: ReadonlyMap<string, LoraModule>;
  /** Tensors in place of the base's, by our names: `embed`, `layers.0.q_bias`. */
  readonly full: ReadonlyMap<string, Float32Array>;
  /** Rows in place of the base embedding's; null where there are none. */
  readonly tokens: TokenRows | null;
}

export interface LoraModule {
  /** [rank, inputs]; of experts all of theirs, one behind the other */
  readonly A: Float32Array;
  /** [outputs, rank]; of experts likewise */
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

/**
 * Reads a PEFT adapter folder for use on `model`.
 * @throws UserError for an adapter of another base model, or one that cannot be honored
 */
export function loadLoraWeights(folder: string, model: OpenModel): LoraWeights {
  const peft = readPeftAdapter(folder);
  try {
    const { r, loraAlpha: alpha, useRslora: rslora, useDora: dora, loraBias } = peft.config;
    const modules = new Map<string, LoraModule>();
    for (const { name, experts, rank, alpha: alphaHere, a, b, magnitude, bias, inputs, outputs } of peft.modules) {
      const { names } = model.architecture;
      const linear = linearOfModule(model.config, names, name) ?? expertsOfParameter(model.config, names, name);
      const shape = linear === null ? undefined : model.tensors.get(linear)?.shape;
      if (linear === null && experts > 1 && model.config.experts) throw notOnTheseExperts(folder, model);
      if (linear === null && isEmbeddingOrHead(name)) throw notOfALayer(folder, model, name);
      if (linear === null || shape === undefined) throw otherBase(folder, model, `which has no linear layer ${name}`);
      if (shape[0] !== experts * outputs || shape[1] !== inputs || experts !== expertCount(model.config, linear)) {
        const found = [experts * outputs, inputs];
        throw otherBase(folder, model, `whose ${name} is [${shape}], where the adapter has [${found}]`);
      }
      modules.set(linear, {
        A: peft.tensors.float32(a),
        B: experts === 1 ? peft.tensors.float32(b) : expertsApart(peft.tensors.float32(b), experts, rank),
        ...(magnitude !== null && { magnitude: peft.tensors.float32(magnitude) }),
        ...(bias !== null && { bias: peft.tensors.float32(bias) }),
        ...(rank === r ? {} : { rank }),
        ...(alphaHere === alpha ? {} : { alpha: alphaHere }),
      });
    }
    return {
      r,
      alpha,
      rslora,
      dora,
      loraBias,
      modules,
      full: fullTensorsOf(peft, model),
      tokens: tokensOf(peft, model),
    };
  } finally {
    peft.tensors.close();
  }
}

function notOnTheseExperts(folder: string, { architecture }: OpenModel): UserError {
  return new UserError({
    what: `the adapter is on experts, which Anneal does not support for ${architecture.modelType}`,
    where: folder,
    next: 'merge this adapter into its base model with PEFT (merge_and_unload) and start from the result',
    code: 'adapter_target_unsupported',
  });
}

function isEmbeddingOrHead(module: string): boolean {
  return module === 'lm_head' || module === 'model.embed_tokens';
}

/** PEFT merges into a matrix that is embedding and head at once as if it were one of them: the result is another model. */
function notOfALayer(folder: string, { config }: OpenModel, module: string): UserError {
  return new UserError({
    what: `the adapter changes ${module}; Anneal puts adapters on the linear layers of the blocks only`,
    where: folder,
    next: config.tieWordEmbeddings
      ? 'this base shares one matrix between embedding and lm_head, so it cannot be merged either: use the adapter with PEFT itself, or train one on the blocks'
      : 'merge this adapter into its base model with PEFT (merge_and_unload) and start from the result',
    code: 'adapter_target_unsupported',
  });
}
