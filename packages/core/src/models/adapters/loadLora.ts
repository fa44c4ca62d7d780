import type { Initialization } from '@anneal/formats/peft/config';
import { readPeftAdapter } from '@anneal/formats/peft/read';
import { UserError } from '../../errors.ts';
import type { OpenModel } from '../model.ts';
import { expertCount, expertsApart, expertsOfParameter } from './experts.ts';
import { fullTensorsOf } from './full.ts';
import { loraSpecOf } from './lora.ts';
import type { LoraModule, LoraWeights } from './loraWeights.ts';
import { otherBase } from './otherBase.ts';
import { forWholeBase, type Start, startOf } from './start.ts';
import { linearOfModule } from './targets.ts';
import { tokensOf } from './tokens.ts';

/**
 * Reads a PEFT adapter folder for use on `model`; one of PiSSA as the adapter of twice its rank that it is for the base as it is.
 * @throws UserError for an adapter of another base model, or one that cannot be honored
 */
export async function loadLoraWeights(folder: string, model: OpenModel): Promise<LoraWeights> {
  const { trained, start } = await loadBegun(folder, model);
  return start ? forWholeBase({ trained, start }) : trained;
}

/** The same as it is trained; where its base is without what it began as, with that. @throws UserError as above */
export async function loadBegun(
  folder: string,
  model: OpenModel,
): Promise<{ readonly trained: LoraWeights; readonly start: Start | null }> {
  const { initialization, ...trained } = readWeights(folder, model);
  if (initialization !== 'plain') refuseQuantized(folder, model, trained);
  const start =
    initialization === 'pissa' ? await startOf(model, loraSpecOf(trained, 0).modules, initialization) : null;
  return { trained, start };
}

function readWeights(folder: string, model: OpenModel): LoraWeights & { readonly initialization: Initialization } {
  const peft = readPeftAdapter(folder);
  try {
    const { r, loraAlpha: alpha, useRslora: rslora, useDora: dora, loraBias, initialization } = peft.config;
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
      quantizedBase: initialization === 'loftq',
      initialization,
      modules,
      full: fullTensorsOf(peft, model),
      tokens: tokensOf(peft, model),
    };
  } finally {
    peft.tensors.close();
  }
}

function refuseQuantized(folder: string, model: OpenModel, { modules }: LoraWeights): void {
  const held = [...modules.keys()].find((linear) => model.tensors.get(linear)?.nf4);
  if (held === undefined) return;
  throw otherBase(
    folder,
    model,
    `whose ${held} is in 4 bits already, where the adapter began with the weights themselves`,
  );
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
