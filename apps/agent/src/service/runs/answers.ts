import type { ListedAnswer } from '@anneal/core/protocol/answers';
import { type StepRequest, stepRequest } from '@anneal/core/protocol/batches';
import { type RunRequest, runRequest } from '@anneal/core/protocol/runs';
import { readAnswers } from '@anneal/core/trainer/answerFiles';
import type { Context } from '../context.ts';
import { parseRequest } from '../parseRequest.ts';
import { pathOfRun } from './find.ts';

/** What was sampled for a step of `rl: grpo`, in the order of its prompts. */
export async function sampledAnswers(context: Context, request: RunRequest & StepRequest): Promise<ListedAnswer[]> {
  const { run, step } = parseRequest(runRequest.extend(stepRequest.shape), request);
  return readAnswers(await pathOfRun(context, run), step).map((answer) => {
    const { ids, logps: _, ...rest } = answer;
    return { ...rest, tokens: ids.length };
  });
}
