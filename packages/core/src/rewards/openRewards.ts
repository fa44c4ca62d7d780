/** All reward functions of a recipe as one: those computed in a process of their own, reward models, and judges that are asked. */
import type { Device, Plan } from '@anneal/kernels';
import type { Conversation } from '../datasets/types.ts';
import type { KeptAnswers } from '../synthesis/journal.ts';
import type { JudgedAnswerText, RewardFunction } from './answer.ts';
import { Judges } from './judges.ts';
import type { OpenRewardModel } from './openRewardModel.ts';
import { RewardModel } from './rewardModel.ts';
import { Rewards } from './rewards.ts';

export interface AskedAnswer {
  readonly text: JudgedAnswerText;
  readonly asked: Conversation;
}

export interface OpenedRewards extends AsyncDisposable {
  readonly names: readonly string[];
  /**
   * Of each function a finite number for each answer.
   * @param signal gives up scoring and asking judges @throws UserError `reward_failed`, those of an endpoint, and the reason of `signal`
   */
  judge(answers: readonly AskedAnswer[], signal?: AbortSignal): Promise<readonly (readonly number[])[]>;
}

/** A reward model with the plan of the memory that it takes. */
export interface PlannedRewardModel {
  readonly opened: OpenRewardModel;
  readonly plan: Plan;
}

export interface OpenRewardsOptions {
  /** Scores of judges. */
  readonly kept: KeptAnswers;
  /** Those of the functions, in their order. */
  readonly models: readonly PlannedRewardModel[];
  readonly device: Device;
}

/** @throws UserError `reward_failed` for a function that cannot be used, `api_key_missing`, `out_of_memory` */
export async function openRewards(
  functions: readonly RewardFunction[],
  { kept, models, device }: OpenRewardsOptions,
): Promise<OpenedRewards> {
  const judges = new Judges(
    functions.filter((reward) => reward.type === 'judge'),
    { kept },
  );
  const computed = functions.filter((reward) => reward.type !== 'judge' && reward.type !== 'reward_model');
  const rewards = computed.length > 0 ? await Rewards.open(computed) : null;
  const loaded: RewardModel[] = [];
  const close = async (): Promise<void> => {
    for (const resource of [...loaded, ...(rewards ? [rewards] : [])]) await resource[Symbol.asyncDispose]();
  };
  try {
    for (const { opened, plan } of models) loaded.push(await RewardModel.load(opened, plan, device));
  } catch (error) {
    await close();
    throw error;
  }
  return {
    names: functions.map(({ name }) => name),
    async judge(answers, signal) {
      const texts = answers.map(({ text }) => text);
      // What costs nothing first: a function that fails then has asked nobody.
      const byProcess = ((await rewards?.judge(texts)) ?? []).values();
      const scored = answers.map(({ text, asked }) => ({ asked, answer: said(text) }));
      const scores: number[][] = [];
      for (const model of loaded) scores.push(await model.score(scored, signal));
      const byModels = scores.values();
      const byJudges = (await judges.judge(texts, signal)).values();
      const given = { judge: byJudges, reward_model: byModels };
      return functions.map(({ type }) => {
        const values = type === 'judge' || type === 'reward_model' ? given[type] : byProcess;
        return values.next().value as readonly number[];
      });
    },
    [Symbol.asyncDispose]: close,
  };
}

/** Thoughts are not scored, nor the white space between them and the answer. */
const said = ({ thinking, answer }: JudgedAnswerText): string => (thinking === null ? answer : answer.trimStart());

/** For an evaluation, which keeps nothing. */
export function keptInMemory(): KeptAnswers {
  const answers = new Map<string, ReturnType<KeptAnswers['get']>>();
  return { get: (key) => answers.get(key), append: (key, answer) => void answers.set(key, answer) };
}
