import { deviceBytes, type Plan } from '@anneal/kernels';
import { type Loader, openLoader } from '../datasets/loader.ts';
import { type PreparedData, type PrepareOptions, type PrepareProgress, prepareData } from '../datasets/prepareData.ts';
import { mostTokens } from '../datasets/steps.ts';
import { UserError } from '../errors.ts';
import { rowsTogether } from '../generate/generateTogether.ts';
import { encodePrompt, type ModelText, openModelText, withChosenTemplate } from '../generate/modelText.ts';
import { hostBudget, memoryBudget } from '../memory.ts';
import { refuseOnOuterMatrices } from '../models/adapters/embeddings.ts';
import { isOnExperts, targetedExperts } from '../models/adapters/experts.ts';
import { fullTensors, inFull } from '../models/adapters/full.ts';
import { loadLoraWeights } from '../models/adapters/loadLora.ts';
import { type LoraSpec, loraSpec, loraSpecOf } from '../models/adapters/lora.ts';
import type { LoraWeights } from '../models/adapters/loraWeights.ts';
import { targetedLinears } from '../models/adapters/targets.ts';
import { inTokens, refuseTokens } from '../models/adapters/tokens.ts';
import { askedBalanceLoss, hasBalanceLoss } from '../models/config.ts';
import { nf4Forms } from '../models/nf4.ts';
import { type OpenModel, openModel } from '../models/open.ts';
import { givesNoText, withScoreHead } from '../models/scoreHead.ts';
import { type Objective, objectiveOf } from '../objectives/index.ts';
import type { PlannedRewardModel } from '../rewards/openRewards.ts';
import { type OpenRewardModel, openRewardModel, planScoring, type ScoringRoom } from '../rewards/rewardModel.ts';
import { type Job, totalStepsOf } from './job.ts';
import { isEmbeddingOrHead } from './optimizers/mover.ts';
import { planTraining, type RolloutRoom } from './planTraining.ts';
import type { RolloutJob } from './rolloutOptions.ts';

/** Everything a job needs before its first step, with no weight loaded yet: what `estimate` looks at and `train` runs. */
export interface Session {
  readonly job: Job;
  readonly model: OpenModel;
  readonly text: ModelText;
  readonly data: PreparedData;
  readonly loader: Loader;
  readonly totalSteps: number;
  /** The learning rate of each step, counted from 0. */
  readonly learningRate: (step: number) => number;
  readonly lora: LoraSpec | null;
  readonly objective: Objective;
  /** What the balance loss of routers counts; 0: it is not computed. */
  readonly balanceLoss: number;
  /** Of `lora_model_dir`. */
  readonly initialAdapter: LoraWeights | null;
  readonly samplePrompts: readonly Int32Array[];
  /** That judge answers, in the order of their rewards. */
  readonly rewardModels: readonly PlannedRewardModel[];
  /** Of the model that is trained. */
  readonly plan: Plan;
  readonly trainableParameters: number;
  /** Names of the optimizer's variables that begin as a parameter, with its name. */
  readonly beginsAs: ReadonlyMap<string, string>;
  close(): Promise<void>;
}

export interface SessionOptions {
  /** Where prepared tokens and the lists of dropped rows go. */
  readonly dataFolder: string;
  /** A folder in which prepared data are kept for others that prepare the same. */
  readonly preparedCache?: string | undefined;
  /** As that of `prepareData`. */
  readonly atAGlance?: PrepareOptions['atAGlance'];
  /** Called before data are prepared, where the plan does not depend on them. */
  readonly onPlanned?: ((planned: Pick<Session, 'job' | 'plan' | 'rewardModels'>) => void) | undefined;
  readonly onData?: ((progress: PrepareProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** What `strftime_now` of the chat template says: the date of the run, where there is one. */
  readonly now?: Date | undefined;
  /** Of a run that was accepted before: what is refused at its start alone was looked at then, or not yet known to be wrong. */
  readonly goesOn?: boolean | undefined;
  /** Looks at model and text before anything is written to `dataFolder`; what it throws ends the opening. */
  readonly onOpened?: ((opened: OpenedInputs) => Promise<void>) | undefined;
}

/** Beside the data all that a job is made from. */
export interface OpenedInputs extends Pick<Session, 'job' | 'model' | 'text'> {
  readonly rewardModels: readonly OpenRewardModel[];
}

/** @throws UserError for anything that keeps the job from starting: model, data, template, adapter, memory */
export async function openSession(
  job: Job,
  { dataFolder, preparedCache, atAGlance, onPlanned, onData, signal, now, goesOn = false, onOpened }: SessionOptions,
): Promise<Session> {
  const opened: { close(): unknown }[] = [];
  const close = async (): Promise<void> => {
    for (const resource of opened.toReversed()) await resource.close();
  };
  try {
    const found = openModel(job.modelPath);
    opened.push(found);
    const base = job.objective.kind === 'reward' ? withScoreHead(found, job.seed) : found;
    if (base.config.scoreHead && job.objective.kind !== 'reward') throw givesNoText(base.path);
    refuseExpertsAsOneMatrix(base, job);
    refuseStartInFourBits(base, job);
    const balanceLoss = balanceLossOf(base, job);
    const model = withChosenTemplate(base, job.data.text); // for its checkpoints, too
    const { adapter } = job;
    const text = openModelText(model, { ...job.data.text, now });
    const judging: OpenRewardModel[] = [];
    for (const reward of job.rollouts?.rewards ?? []) {
      if (reward.type !== 'reward_model') continue;
      const judge = await openRewardModel(reward, now);
      opened.push(judge.model);
      judging.push(judge);
    }
    await onOpened?.({ job, model, text, rewardModels: judging });
    const initialAdapter = adapter?.initialFolder ? await loadLoraWeights(adapter.initialFolder, model) : null;
    const lora = adapter && loraOf(adapter, model, initialAdapter);
    if (job.optimizer.embeddingRate !== 1 && !trainsEmbeddingOrHead(lora)) throw withoutEmbedding();
    const objective = objectiveOf(job.objective, model.config.padTokenId);
    const nf4 = nf4Forms(model, job.quantization, lora);
    if (nf4.size > 0 && !lora) throw cannotTrainQuantized(model);
    const samplePrompts = await Promise.all(
      job.samples.prompts.map(({ messages, tools }) => encodePrompt(text, messages, tools)),
    );
    const longestPrompt = largest(samplePrompts.map((prompt) => prompt.length));
    const { rollouts } = job;
    const planFor = (longest: number, scoringBytes: number) =>
      planTraining({
        config: model.config,
        device: job.device,
        weightType: job.weightType,
        nf4,
        lora,
        objective,
        optimizer: job.optimizer,
        embeddingNoiseAlpha: job.embeddingNoiseAlpha,
        balances: balanceLoss > 0,
        maxTokens: rollouts ? tokensOfRollouts(rollouts, longest) : mostTokens(job.steps),
        activations: job.activations,
        memoryBudget: memoryBudget(job.device) - scoringBytes,
        hostBudget: hostBudget(),
        sampleContext: samplePrompts.length > 0 ? longestPrompt + job.samples.maxTokens : 0,
        rollouts: rollouts && rolloutRoom(rollouts, longest),
      });
    // Only what is sampled and learned from is as long as the rows make it.
    const early = rollouts ? null : planFor(0, 0);
    if (early) onPlanned?.({ job, plan: early.plan, rewardModels: [] });
    const data = await prepareData({
      ...job.data.prepare,
      folder: dataFolder,
      cache: preparedCache,
      atAGlance,
      tokenizer: text.tokenizer,
      renderer: text.renderer,
      ...(onData && { onProgress: onData }),
      ...(signal && { signal }),
    });
    opened.push(data.train, ...(data.validation ? [data.validation] : []));
    const loader = openLoader(dataFolder, 'train', job.steps);
    opened.push(loader);
    const totalSteps = totalStepsOf(job.length, loader.stepsPerEpoch);
    if (!goesOn) job.refuseSchedule(totalSteps);
    const learningRate = job.scheduleFor(totalSteps);
    const longest = Math.max(largest(data.train.lengths), largest(data.validation?.lengths ?? []));
    if (rollouts) refuseLongRope(model, longest + rollouts.maxTokens);
    const rewardModels = rollouts
      ? judging.map((judge) => ({ opened: judge, plan: planScoring(judge, job, scoringRoom(rollouts, longest)) }))
      : [];
    const scoringBytes = rewardModels.reduce((sum, { plan: scoring }) => sum + deviceBytes(scoring.memory), 0);
    const { plan, programs } = early ?? planFor(longest, scoringBytes);
    return {
      job,
      model,
      text,
      data,
      loader,
      totalSteps,
      learningRate,
      lora,
      objective,
      balanceLoss,
      initialAdapter,
      samplePrompts,
      rewardModels,
      plan,
      beginsAs: programs.beginsAs,
      trainableParameters: programs.parameters.reduce(
        (sum, { shape }) => sum + shape.reduce<number>((n, d) => n * Number(d), 1),
        0,
      ),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Of the largest batch that is learned from, or of a call that goes on with all answers. */
function tokensOfRollouts({ batchAnswers, answersAtOnce, maxTokens }: RolloutJob, longestPrompt: number): number {
  return Math.max(batchAnswers * (longestPrompt + maxTokens), answersAtOnce);
}

function rolloutRoom(
  { answers, answersAtOnce, maxTokens: maxNewTokens }: RolloutJob,
  longestPrompt: number,
): RolloutRoom {
  const promptTokens = (answersAtOnce / answers) * longestPrompt;
  return { answers: answersAtOnce, cacheRows: rowsTogether(promptTokens, { answers: answersAtOnce, maxNewTokens }) };
}

/** What a text may have, as another tokenizer may make more tokens of it. */
const TOKENS_BY_OURS = 4;
/** Of a batch, unless a text may have more, or all answers have fewer. */
const TOKENS_AT_ONCE = 4096;

function scoringRoom({ answersAtOnce, maxTokens }: RolloutJob, longestPrompt: number): ScoringRoom {
  const one = longestPrompt + maxTokens;
  const tokens = Math.max(TOKENS_BY_OURS * one, Math.min(TOKENS_AT_ONCE, answersAtOnce * one));
  return { tokens, answers: answersAtOnce };
}

/** Sequences beside each other take the frequencies of the last one: they must all be within the original context. */
function refuseLongRope({ path, config: { rope } }: OpenModel, tokens: number): void {
  const { scaling } = rope;
  if (scaling?.kind !== 'longrope' && scaling?.kind !== 'dynamic') return;
  if (tokens <= scaling.originalMaxPositions) return;
  throw new UserError({
    what: `with ${scaling.kind === 'longrope' ? 'LongRoPE' : 'dynamic NTK'} answers are sampled within ${scaling.originalMaxPositions} tokens, prompt included; here they may have ${tokens}`,
    where: path,
    next: 'lower trl.max_completion_length, or leave out the longest prompts with a lower sequence_len',
    code: 'longrope_too_long',
  });
}

/** Experts of a layer lie in one matrix: its rows and columns, and what is orthogonal in it, are none of an expert's. */
function refuseExpertsAsOneMatrix({ path, config: { experts } }: OpenModel, { optimizer, adapter }: Job): void {
  const trained = experts !== null && (adapter === null || adapter.targetParameters.length > 0);
  if (!trained || (optimizer.kind !== 'adafactor' && optimizer.kind !== 'muon')) return;
  throw new UserError({
    what: `optimizer: ${optimizer.kind} moves whole matrices, and does not know the experts of this model from each other`,
    where: path,
    next: 'set optimizer: adamw_8bit or lion, or train an adapter without lora_target_parameters',
    code: 'optimizer_not_for_experts',
  });
}

function balanceLossOf({ path, config }: OpenModel, { balanceLoss }: Job): number {
  if (hasBalanceLoss(config)) return balanceLoss ?? askedBalanceLoss(config);
  if (!balanceLoss) return 0;
  throw new UserError({
    what: config.experts
      ? 'the routers of this model have no balance loss, in transformers neither, and router_aux_loss_coef is set'
      : 'router_aux_loss_coef is about routers of experts, and this model has none',
    where: path,
    next: 'remove it',
    code: 'no_balance_loss',
  });
}

/** What an adapter of PiSSA or LoftQ begins as is taken out of weights that are not rounded yet. */
function refuseStartInFourBits({ path, tensors }: OpenModel, { adapter }: Job): void {
  const { initialization = 'plain' } = adapter?.options ?? {};
  if (initialization === 'plain' || ![...tensors.values()].some(({ nf4 }) => nf4)) return;
  throw new UserError({
    what: `peft_init_lora_weights: ${initialization} begins with the weights themselves, and those of this model are stored in 4 bits`,
    where: path,
    next: 'use the original checkpoint in bf16, f16 or f32, or remove peft_init_lora_weights',
    code: 'model_quantized',
  });
}

function trainsEmbeddingOrHead(lora: LoraSpec | null): boolean {
  if (!lora || lora.tokens.length > 0) return true;
  return [...lora.modules.keys(), ...lora.full].some((name) => isEmbeddingOrHead({ name }));
}

function withoutEmbedding(): UserError {
  return new UserError({
    what: 'embedding_lr is the learning rate of embedding and output layer, and this run trains neither',
    next: 'remove it, or list embed_tokens or lm_head in lora_modules_to_save',
    code: 'embedding_not_trained',
  });
}

function cannotTrainQuantized({ path }: OpenModel): UserError {
  return new UserError({
    what: 'the weights are stored in 4 bits, which cannot be trained themselves',
    where: path,
    next: 'set adapter: qlora, or use the original checkpoint in bf16, f16 or f32',
    code: 'model_quantized',
  });
}

function loraOf(adapter: NonNullable<Job['adapter']>, model: OpenModel, initial: LoraWeights | null): LoraSpec {
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

function refuseOtherKind(
  { options, full, tokens, initialFolder }: NonNullable<Job['adapter']>,
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

function largest(counts: Iterable<number>): number {
  let most = 0;
  for (const count of counts) most = Math.max(most, count);
  return most;
}
