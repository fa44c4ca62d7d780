/** The process in which rewards are computed: started without permissions, it reads requests as lines and answers each with one. */
import { createInterface } from 'node:readline';
import type { JudgedAnswerText, RewardFunction } from './answer.ts';
import { builtInReward } from './builtIn.ts';
import { judgeWith, openSandbox } from './sandbox.ts';

export type RewardRequest =
  | { readonly kind: 'open'; readonly functions: readonly RewardFunction[] }
  | { readonly kind: 'judge'; readonly answers: readonly JudgedAnswerText[] };

/** Of each function a value for each answer; or which function failed, and why. */
export type RewardReply =
  | { readonly values: readonly (readonly number[])[] }
  | { readonly error: string; readonly function: string };

type Scorer = (answers: readonly JudgedAnswerText[]) => Promise<number[]>;

// Nothing is asked of Node any more: whoever came this far through a hole would find no network either.
for (const way of ['getBuiltinModule', 'binding', '_linkedBinding', 'dlopen']) Reflect.deleteProperty(process, way);

let scorers: { readonly name: string; readonly score: Scorer }[] = [];

async function scorerOf(reward: RewardFunction): Promise<Scorer> {
  if (reward.type === 'typescript') {
    const judge = await openSandbox(reward.path, reward.source);
    return (answers) => judgeWith(judge, answers);
  }
  const one = builtInReward(reward);
  return async (answers) => answers.map(one);
}

async function reply(request: RewardRequest): Promise<RewardReply> {
  const values: number[][] = [];
  let name = '';
  try {
    if (request.kind === 'open') {
      scorers = [];
      for (const reward of request.functions) {
        ({ name } = reward);
        scorers.push({ name, score: await scorerOf(reward) });
      }
      return { values };
    }
    for (const scorer of scorers) {
      ({ name } = scorer);
      values.push(await scorer.score(request.answers));
    }
    return { values };
  } catch (error) {
    return { error: (error as Error).message, function: name };
  }
}

for await (const line of createInterface(process.stdin)) {
  process.stdout.write(`${JSON.stringify(await reply(JSON.parse(line) as RewardRequest))}\n`);
}
