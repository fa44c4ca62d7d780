/** The process in which rewards are computed: started without permissions, it reads requests as lines and answers each with one. */
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { ComputedReward, JudgedAnswerText } from './answer.ts';
import { builtInReward } from './builtIn.ts';
import type { GuardOptions } from './rewardGuard.ts';
import { judgeWith, openSandbox, textOf } from './sandbox.ts';

export type RewardRequest =
  | { readonly kind: 'open'; readonly functions: readonly ComputedReward[] }
  | { readonly kind: 'judge'; readonly answers: readonly JudgedAnswerText[] };

/** What each function returned, which should be a number for each answer; or which function failed, and why. */
export type RewardReply =
  | { readonly returned: readonly unknown[] }
  | { readonly error: string; readonly function: string };

type Scorer = (answers: readonly JudgedAnswerText[]) => Promise<unknown>;

/** Characters of an error; the rest of a longer one is left out. */
const ERROR_CHARACTERS = 2_000;

const [parent, megabytes] = process.argv.slice(2).map(Number) as [number, number];
const guard = new Worker(new URL(`./rewardGuard.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url), {
  workerData: { parent, megabytes } satisfies GuardOptions,
});
await once(guard, 'message');
guard.unref();

// Nothing is asked of Node any more: whoever came this far through a hole would find no network either.
for (const way of ['getBuiltinModule', 'binding', '_linkedBinding', 'dlopen']) Reflect.deleteProperty(process, way);

let leftBehind: { readonly reason: unknown } | null = null;
process.on('unhandledRejection', (reason) => {
  leftBehind = { reason };
});

// Ctrl-C reaches everything in a terminal; what it means is for the process that started this one to say.
for (const signal of ['SIGINT', 'SIGHUP']) process.on(signal, () => undefined);

let scorers: { readonly name: string; readonly score: Scorer }[] = [];

async function scorerOf(reward: ComputedReward): Promise<Scorer> {
  if (reward.type === 'typescript') {
    const judge = await openSandbox(reward.path, reward.source);
    return (answers) => judgeWith(judge, answers);
  }
  const one = builtInReward(reward);
  return async (answers) => answers.map(one);
}

/** A context has no timers: after one turn of the loop no promise of it is still under way. @throws Error where one failed unseen */
async function nothingLeft(): Promise<void> {
  await setImmediate();
  const left = leftBehind;
  leftBehind = null;
  if (left) throw new Error(`nobody awaits a promise of it, which failed: ${textOf(left.reason)}`);
}

async function reply(request: RewardRequest): Promise<RewardReply> {
  const returned: unknown[] = [];
  let name = '';
  try {
    if (request.kind === 'open') {
      scorers = [];
      for (const reward of request.functions) {
        ({ name } = reward);
        scorers.push({ name, score: await scorerOf(reward) });
        await nothingLeft();
      }
      return { returned };
    }
    for (const scorer of scorers) {
      ({ name } = scorer);
      returned.push(await scorer.score(request.answers));
      await nothingLeft();
    }
    return { returned };
  } catch (error) {
    return { error: shortened((error as Error).message), function: name };
  }
}

function shortened(text: string): string {
  return text.length <= ERROR_CHARACTERS
    ? text
    : `${text.slice(0, ERROR_CHARACTERS)} … (cut: it has ${text.length.toLocaleString('en')} characters)`;
}

for await (const line of createInterface(process.stdin)) {
  process.stdout.write(`${JSON.stringify(await reply(JSON.parse(line) as RewardRequest))}\n`);
}
