/** All reward functions of a recipe as one: those computed in a process of their own, and those that a judge is asked for. */
import type { KeptAnswers } from '../synthesis/journal.ts';
import type { ComputedReward, JudgedAnswerText, JudgeReward, RewardFunction } from './answer.ts';
import { Judges } from './judges.ts';
import { Rewards } from './rewards.ts';

export interface OpenedRewards extends AsyncDisposable {
  readonly names: readonly string[];
  /**
   * Of each function a finite number for each answer.
   * @param signal gives up asking judges @throws UserError `reward_failed`, those of an endpoint, and the reason of `signal`
   */
  judge(answers: readonly JudgedAnswerText[], signal?: AbortSignal): Promise<readonly (readonly number[])[]>;
}

/** @param kept scores of judges @throws UserError `reward_failed` for a function that cannot be used, `api_key_missing` */
export async function openRewards(functions: readonly RewardFunction[], kept: KeptAnswers): Promise<OpenedRewards> {
  const asked = functions.filter((reward) => reward.type === 'judge') satisfies JudgeReward[];
  const computed = functions.filter((reward) => reward.type !== 'judge') satisfies ComputedReward[];
  const judges = new Judges(asked, { kept });
  const rewards = computed.length > 0 ? await Rewards.open(computed) : null;
  return {
    names: functions.map(({ name }) => name),
    async judge(answers, signal) {
      // What costs nothing first: a function that fails then has asked nobody.
      const byProcess = ((await rewards?.judge(answers)) ?? []).values();
      const byJudges = (await judges.judge(answers, signal)).values();
      return functions.map(({ type }) => (type === 'judge' ? byJudges : byProcess).next().value as readonly number[]);
    },
    async [Symbol.asyncDispose]() {
      await rewards?.[Symbol.asyncDispose]();
    },
  };
}

/** For an evaluation, which keeps nothing. */
export function keptInMemory(): KeptAnswers {
  const answers = new Map<string, ReturnType<KeptAnswers['get']>>();
  return { get: (key) => answers.get(key), append: (key, answer) => void answers.set(key, answer) };
}
