import { deviceBytes, type Plan } from '@anneal/kernels';
import { type Loader, openLoader } from '../datasets/loader.ts';
import { type PreparedData, type PrepareOptions, type PrepareProgress, prepareData } from '../datasets/prepareData.ts';
import { mostTokens } from '../datasets/steps.ts';
import { encodePrompt, type ModelText, openModelText, withChosenTemplate } from '../generate/modelText.ts';
import { hostBudget, memoryBudget } from '../memory.ts';
import { loadLoraWeights } from '../models/adapters/loadLora.ts';
import type { LoraSpec } from '../models/adapters/lora.ts';
import type { LoraWeights } from '../models/adapters/loraWeights.ts';
import { type OpenModel, openModel } from '../models/open.ts';
import { type Objective, objectiveOf } from '../objectives/index.ts';
import { type OpenRewardModel, openRewardModel } from '../rewards/openRewardModel.ts';
import type { PlannedRewardModel } from '../rewards/openRewards.ts';
import { planScoring } from '../rewards/rewardModel.ts';
import { type Job, totalStepsOf } from './job.ts';
import { headedFor, jobOnModel, refuseLongRope } from './jobOnModel.ts';
import { planTraining } from './planTraining.ts';
import { rolloutRoom, scoringRoom, tokensOfRollouts } from './rolloutRooms.ts';

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
    const model = withChosenTemplate(headedFor(job, found), job.data.text); // for its checkpoints, too
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
    const { lora, nf4, balanceLoss } = jobOnModel(job, model, initialAdapter);
    const objective = objectiveOf(job.objective, model.config.padTokenId);
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

function largest(counts: Iterable<number>): number {
  let most = 0;
  for (const count of counts) most = Math.max(most, count);
  return most;
}
