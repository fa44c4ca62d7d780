import type { Initialization } from '@anneal/formats/peft/config';
import { type PeftAdapter, readPeftAdapter } from '@anneal/formats/peft/read';
import { UserError } from '../../errors.ts';
import { firstNotFinite, type OpenModel } from '../model.ts';
import { isOuterMatrix, outerMatrices, outerShape, transposed } from './embeddings.ts';
import { expertCount, expertsApart, expertsOfParameter } from './experts.ts';
import { fullTensorsOf } from './full.ts';
import { loraSpecOf } from './lora.ts';
import type { LoraModule, LoraWeights } from './loraWeights.ts';
import { otherBase } from './otherBase.ts';
import { forWholeBase, type Start, startOf } from './start.ts';
import { linearOfModule, moduleName } from './targets.ts';
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
    refuseTiedAdapters(folder, peft, model);
    checkKeptBase(folder, peft, model);
    for (const module of peft.modules) {
      const { name, experts, rank, alpha: alphaHere, a, b, magnitude, bias, inputs, outputs, isEmbedding } = module;
      const { names } = model.architecture;
      const linear = linearOfModule(model.config, names, name) ?? expertsOfParameter(model.config, names, name);
      const isOuter = linear !== null && isOuterMatrix(linear);
      const shape = isOuter ? outerShape(model.config) : linear === null ? undefined : model.tensors.get(linear)?.shape;
      if (linear === null && experts > 1 && model.config.experts) throw notOnTheseExperts(folder, model);
      if (isEmbedding !== (linear === 'embed')) throw otherBase(folder, model, `whose ${name} is no such layer`);
      if (linear === null || shape === undefined) throw otherBase(folder, model, `which has no linear layer ${name}`);
      if (isOuter && (dora || loraBias || initialization !== 'plain')) throw notOnOuterMatrices(folder, name);
      if (shape[0] !== experts * outputs || shape[1] !== inputs || experts !== expertCount(model.config, linear)) {
        const found = [experts * outputs, inputs];
        throw otherBase(folder, model, `whose ${name} is [${shape}], where the adapter has [${found}]`);
      }
      modules.set(linear, {
        A: isEmbedding ? transposed(peft.tensors.float32(a), rank, outputs) : peft.tensors.float32(a),
        B: experts === 1 ? peft.tensors.float32(b) : expertsApart(peft.tensors.float32(b), experts, rank),
        ...(magnitude !== null && { magnitude: peft.tensors.float32(magnitude) }),
        ...(bias !== null && { bias: peft.tensors.float32(bias) }),
        ...(rank === r ? {} : { rank }),
        ...(alphaHere === alpha ? {} : { alpha: alphaHere }),
      });
    }
    const weights = {
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
    refuseDiverged(folder, weights);
    return weights;
  } finally {
    peft.tensors.close();
  }
}

/** One such weight makes every result of the model no number. */
function refuseDiverged(folder: string, { modules, full, tokens }: Pick<LoraWeights, 'modules' | 'full' | 'tokens'>) {
  const ofModules = [...modules].flatMap(([linear, module]) =>
    (['A', 'B', 'magnitude', 'bias'] as const).map((part) => [`${part} of ${linear}`, module[part]] as const),
  );
  for (const [name, values] of [...ofModules, ...full, ['the trained rows of embed', tokens?.values] as const]) {
    const element = values ? firstNotFinite(values) : null;
    if (element === null) continue;
    throw new UserError({
      what: `the adapter cannot be used: element ${element} of ${name} is not a finite number`,
      where: folder,
      next: 'the training that made it diverged, or the file is damaged: take an earlier checkpoint',
      code: 'weight_not_finite',
    });
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

/** PEFT saves the weights of embedding and output layer with an adapter that is on one of them. They are the base's, or it is another one. */
function checkKeptBase(folder: string, { kept, tensors }: PeftAdapter, model: OpenModel): void {
  const { names } = model.architecture;
  for (const { name, tensor } of kept) {
    const ours = outerMatrices.find((each) => `${moduleName(names, each)}.weight` === name);
    const base = ours && model.tensors.get(ours === 'lm_head' && model.config.tieWordEmbeddings ? 'embed' : ours);
    if (!base) throw otherBase(folder, model, `which has no ${name}`);
    const [found, expected] = [tensors.float32(tensor), base.float32()];
    const isSame =
      found.length === expected.length && found.every((value, i) => isRounded(value, expected[i] as number));
    if (!isSame) throw otherBase(folder, model, `whose ${name} has other values than the adapter keeps of it`);
  }
}

function notOnOuterMatrices(folder: string, module: string): UserError {
  return new UserError({
    what: `use_dora, lora_bias and init_lora_weights are supported on linear layers of the blocks, and this adapter is on ${module}`,
    where: folder,
    next: 'merge this adapter into its base model with PEFT (merge_and_unload) and start from the result',
    code: 'adapter_target_unsupported',
  });
}

/** As far as bfloat16 rounds, in which either may be held, or float16, whose smallest value is 2⁻²⁴. */
function isRounded(value: number, from: number): boolean {
  return Math.abs(value - from) <= Math.max(2 ** -8 * Math.abs(from), 2 ** -25);
}

/** Where PEFT ties both adapters of one matrix, training them apart would make another model. */
function refuseTiedAdapters(
  folder: string,
  { config, modules }: PeftAdapter,
  { config: model, architecture }: OpenModel,
): void {
  const outer = outerMatrices.map((name) => moduleName(architecture.names, name));
  if (!config.ensureWeightTying || !model.tieWordEmbeddings || !modules.some(({ name }) => outer.includes(name)))
    return;
  throw new UserError({
    what: 'the adapter ties its parts on embedding and lm_head (ensure_weight_tying), which Anneal does not support',
    where: folder,
    next: 'merge this adapter into its base model with PEFT (merge_and_unload) and start from the result',
    code: 'adapter_target_unsupported',
  });
}
