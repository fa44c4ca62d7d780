import { loraScale } from '@anneal/formats/peft/read';
import { UserError } from '../errors.ts';
import { refuseOnOuterMatrices } from '../models/adapters/embeddings.ts';
import { isOnExperts, targetedExperts } from '../models/adapters/experts.ts';
import { fullTensors, inFull } from '../models/adapters/full.ts';
import { type LoraSpec, loraSpec, loraSpecOf } from '../models/adapters/lora.ts';
import type { LoraWeights } from '../models/adapters/loraWeights.ts';
import { targetedLinears } from '../models/adapters/targets.ts';
import { inTokens, refuseTokens } from '../models/adapters/tokens.ts';
import type { OpenModel } from '../models/model.ts';
import type { Job } from './job.ts';

type AdapterOfJob = NonNullable<Job['adapter']>;

/** What a job's adapter is on this model, or `initial` goes on as. @throws UserError where it does not fit the model, or the job */
export function loraOf(adapter: AdapterOfJob, model: OpenModel, initial: LoraWeights | null): LoraSpec {
  if (initial) {
    refuseOtherKind(adapter, initial, model);
    const spec = loraSpecOf(initial, adapter.options.dropout);
    refuseOnOuterMatrices(model.config, spec, adapter.options);
    return spec;
  }
  const { targets } = adapter;
  const linears = targets.length > 0 ? targetedLinears(model.config, model.architecture.names, targets) : [];
  const experts = targetedExperts(model.config, model.architecture.names, adapter.targetParameters);
  const full = fullTensors(model.config, model.architecture.names, adapter.full, linears);
  refuseTokens(adapter.tokens, model, full);
  const spec = loraSpec(adapter.options, [...linears, ...experts], full, adapter.tokens);
  refuseOnOuterMatrices(model.config, spec, adapter.options);
  return spec;
}

/** Keys that the recipe writes and that say otherwise than the adapter it begins from, whose own ranks, scales and layers count. */
export function keysOutvoted(adapter: AdapterOfJob, { modules }: LoraSpec, model: OpenModel): string[] {
  const { options, targets, targetParameters, written } = adapter;
  const all = [...modules.values()];
  const hasRank = written.includes('lora_r');
  const isOfScale = ({ rank, scale }: { rank: number; scale: number }): boolean =>
    // Without `peft_use_rslora: true` the recipe leaves that to the adapter.
    [options.rslora, true].some((rslora) => scale === loraScale(options.alpha, hasRank ? options.r : rank, rslora));
  const names = [...modules.keys()];
  const linears = names.filter((name) => !isOnExperts(name));
  const { config, architecture } = model;
  const asksLinears = (): string[] => (targets.length > 0 ? targetedLinears(config, architecture.names, targets) : []);
  const asksExperts = (): string[] => targetedExperts(config, architecture.names, targetParameters);
  const isOutvoted = {
    lora_r: () => all.some(({ rank }) => rank !== options.r),
    lora_alpha: () => !all.every(isOfScale),
    // False by itself where modules are listed.
    lora_target_linear: () => !written.includes('lora_target_modules') && areOthers(asksLinears, linears),
    lora_target_modules: () => areOthers(asksLinears, linears),
    lora_target_parameters: () => areOthers(asksExperts, names.filter(isOnExperts)),
  };
  return written.filter((key) => isOutvoted[key]());
}

/** A name that the model does not have is another one, too: nothing depends on it. */
function areOthers(asked: () => string[], found: readonly string[]): boolean {
  try {
    const names = asked();
    return names.length !== found.length || names.some((name) => !found.includes(name));
  } catch (error) {
    if (error instanceof UserError) return true;
    throw error;
  }
}

function refuseOtherKind(
  { options, full, tokens, initialFolder }: AdapterOfJob,
  initial: LoraWeights,
  { config, architecture }: OpenModel,
): void {
  const refuse = (found: string, next: string): never => {
    throw new UserError({
      what: `the adapter of lora_model_dir ${found}`,
      where: initialFolder ?? undefined,
      next,
      code: 'adapter_of_another_kind',
    });
  };
  if (initial.dora !== options.dora) {
    refuse(
      initial.dora ? 'is of DoRA, and peft_use_dora is not true' : 'is not of DoRA, which peft_use_dora asks for',
      `set peft_use_dora: ${initial.dora}`,
    );
  }
  if (initial.loraBias !== options.loraBias) {
    refuse(
      initial.loraBias ? 'has biases, and peft_lora_bias is not true' : 'has no biases, which peft_lora_bias asks for',
      `set peft_lora_bias: ${initial.loraBias}`,
    );
  }
  if (initial.quantizedBase !== (options.initialization === 'loftq')) {
    refuse(
      'is of LoftQ, whose base is in 4 bits',
      'merge it into its base first, or begin anew with peft_init_lora_weights: loftq',
    );
  }
  if (options.dropout > 0 && [...initial.modules.keys()].some(isOnExperts)) {
    refuse('is on experts, where nothing is dropped', 'set lora_dropout: 0');
  }
  const [foundTokens, wantedTokens] = [initial.tokens?.ids ?? [], tokens].map(inTokens);
  if (foundTokens !== wantedTokens) {
    refuse(
      `has ${foundTokens} trained, this recipe ${wantedTokens}`,
      'set peft_trainable_token_indices as it was when the adapter was trained',
    );
  }
  const wanted = inFull(new Set(fullTensors(config, architecture.names, full, [...initial.modules.keys()])));
  const found = inFull(new Set(initial.full.keys()));
  if (found !== wanted) {
    refuse(
      `has ${found} trained in full, this recipe ${wanted}`,
      'set lora_modules_to_save and peft_bias as they were when the adapter was trained',
    );
  }
}
