import { rowsTogether } from '../generate/generateTogether.ts';
import type { ScoringRoom } from '../rewards/rewardModel.ts';
import type { RolloutRoom } from './planTraining.ts';
import type { RolloutJob } from './rolloutOptions.ts';

/** Of the largest batch that is learned from, or of a call that goes on with all answers. */
export function tokensOfRollouts(
  { batchAnswers, answersAtOnce, maxTokens }: RolloutJob,
  longestPrompt: number,
): number {
  return Math.max(batchAnswers * (longestPrompt + maxTokens), answersAtOnce);
}

export function rolloutRoom(
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

export function scoringRoom({ answersAtOnce, maxTokens }: RolloutJob, longestPrompt: number): ScoringRoom {
  const one = longestPrompt + maxTokens;
  const tokens = Math.max(TOKENS_BY_OURS * one, Math.min(TOKENS_AT_ONCE, answersAtOnce * one));
  return { tokens, answers: answersAtOnce };
}
