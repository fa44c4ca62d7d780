/** A run of `rl: grpo` that is killed from outside in each part of a step, and goes on with the same bits. */
import { execFileSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { withoutSuperseded } from '../src/protocol/events.ts';
import type { Recipe } from '../src/recipe/schema.ts';
import { reply, standIn } from '../src/synthesis/testing/endpointStandIn.ts';
import { readAnswers } from '../src/trainer/answerFiles.ts';
import { RunDirectory } from '../src/trainer/runDirectory.ts';
import { readRun } from '../src/trainer/runReader.ts';
import { temporaryFolder } from './fixtures.ts';
import { createRun, type FinishedRun, lossesOf, tinyRecipe, trainHere, trainInChild, weightsHash } from './runs.ts';

const steps = 8;
/** Milliseconds after which the function below is still at work: it may not read the clock. */
const patience = 10;

const slow = `
export default (answers: readonly { readonly completion: string }[]): number[] => {
  let busy = 1;
  for (let i = 0; i < 4e6; i++) busy = (busy * 16807) % 2147483647;
  return answers.map(({ completion }) => (completion.match(/[aeiou]/g) ?? []).length + (busy === 0 ? 1 : 0));
};
`;

const scoreOf = (text: string): string =>
  JSON.stringify({ score: [...text].reduce((sum, char) => sum + char.charCodeAt(0), 0) % 11 });

/** @param asks called with how many questions there were before each is answered */
async function recipeFor(asks: (count: number) => void = () => {}): Promise<Recipe> {
  let count = 0;
  const { url } = await standIn(undefined, (asked, response) => {
    asks(count++);
    reply(response, scoreOf(asked.messages[0]?.content ?? ''), asked);
    return true;
  });
  const folder = temporaryFolder();
  const [rows, file] = [join(folder, 'prompts.jsonl'), join(folder, 'slow.ts')];
  writeFileSync(rows, ['ant', 'bee', 'cat'].map((prompt) => `${JSON.stringify({ prompt })}\n`).join(''));
  writeFileSync(file, slow);
  return tinyRecipe(folder, {
    rl: 'grpo',
    trl: {
      reward_funcs: [file, { type: 'judge', url, model: 'small', retries: 0 }],
      num_generations: 4,
      max_completion_length: 6,
      beta: 0.05,
      num_iterations: 2,
    },
    datasets: [{ path: rows }],
    micro_batch_size: 4,
    gradient_accumulation_steps: 2,
    lora_dropout: 0.1,
    max_steps: steps,
    save_steps: 1,
  });
}

interface Running {
  readonly path: string;
  readonly kill: () => void;
  /** Once the process has ended, however it did. */
  readonly ended: Promise<unknown>;
  hasEnded: boolean;
  /** Called when the judge is asked: by the run that is under way now. */
  asked: (() => void) | null;
}

const stepOf = ({ path }: Running): number => readRun(path).status.step;

/** Or until the process has ended: then what follows finds nothing to kill. */
async function untilStep(run: Running, step: number): Promise<void> {
  while (stepOf(run) < step && !run.hasEnded) await wait(2);
}

async function untilAsked(run: Running): Promise<void> {
  const asked = new Promise<void>((resolve) => {
    run.asked = resolve;
  });
  await Promise.race([asked, run.ended]);
}

/** Of a run that goes on in a process of its own. */
function watched(path: string, child: ReturnType<typeof trainInChild>): Running {
  const run: Running = { path, kill: () => child.kill('SIGKILL'), ended: child.ended, hasEnded: false, asked: null };
  void child.ended.then(() => {
    run.hasEnded = true;
  });
  return run;
}

const parts: [name: string, kill: (run: Running, from: number, round: number) => Promise<void>][] = [
  [
    'while its reward function computes',
    async (run, from) => {
      await untilStep(run, from + 1);
      await wait(patience);
      run.kill();
    },
  ],
  [
    'while a judge is asked',
    async (run, from) => {
      await untilStep(run, from + 1);
      await untilAsked(run);
      run.kill();
    },
  ],
  [
    'while log-probabilities are kept and weights move',
    async (run, from, round) => {
      await untilStep(run, from + 1);
      await untilAsked(run);
      await wait(4 + 4 * round);
      run.kill();
    },
  ],
  [
    'while a checkpoint is written',
    async (run, from) => {
      await untilStep(run, from + 1);
      const folder = join(run.path, 'checkpoints');
      const isWritten = () => readdirSync(folder).some((name) => name.endsWith('.partial'));
      while (!isWritten() && !run.hasEnded) await new Promise(setImmediate);
      run.kill();
    },
  ],
];

test.each(parts)('SIGKILL %s and going on give the same bits', { timeout: 300_000 }, async (_, kill) => {
  const undisturbed = await trainHere(await recipeFor());
  let running: Running | null = null;
  const begin = async (): Promise<string> => {
    const run = await createRun(await recipeFor(() => running?.asked?.()));
    await run.close();
    return run.path;
  };
  let path = await begin();
  for (let round = 0, kills = 0; kills < 2; round++) {
    expect(round, 'rounds, of which too few were killed').toBeLessThan(20);
    const child = trainInChild(path);
    running = watched(path, child);
    await kill(running, stepOf(running), round);
    const { end, errors } = await child.ended;
    if (end === 'SIGKILL') kills++;
    else {
      // It came to its end before anybody killed it: there is nothing to go on with.
      expect({ end, errors }).toEqual({ end: 0, errors: '' });
      path = await begin();
      kills = 0;
    }
  }
  await expectSameBits(path, undisturbed);
});

test('the process of the reward functions killed alone is an error that loses nothing', {
  timeout: 300_000,
}, async () => {
  const undisturbed = await trainHere(await recipeFor());
  const begun = await createRun(await recipeFor());
  await begun.close();
  const child = trainInChild(begun.path);
  await untilStep(watched(begun.path, child), 3);
  await wait(patience);
  process.kill(rewardProcessOf(child.pid), 'SIGKILL');
  const { end, errors } = await child.ended;
  expect(end).toBe(1);
  expect(errors).toContain('reward');
  await expectSameBits(begun.path, undisturbed);
});

function rewardProcessOf(trainer: number): number {
  const lines = execFileSync('ps', ['-eo', 'pid=,ppid=,args='], { encoding: 'utf8' }).split('\n');
  const found = lines.filter(
    (line) => Number(line.trim().split(/ +/)[1]) === trainer && line.includes('rewardProcess'),
  );
  expect(found).toHaveLength(1);
  return Number.parseInt(found[0] as string, 10);
}

/** Goes on with a run that was disturbed. */
async function expectSameBits(path: string, undisturbed: FinishedRun): Promise<void> {
  expect(await trainInChild(path).ended).toEqual({ end: 0, errors: '' });
  await using run = await RunDirectory.open(path);
  expect(weightsHash(run, steps)).toBe(weightsHash(undisturbed, steps));
  expect(lossesOf({ events: withoutSuperseded(run.events) })).toEqual(lossesOf(undisturbed));
  for (let step = 1; step <= steps; step++) expect(answersOf(run, step)).toEqual(answersOf(undisturbed, step));
}

/** All of them but the name of the file that their prompts are in. */
const answersOf = ({ path }: { readonly path: string }, step: number): object[] =>
  readAnswers(path, step).map((answer) => ({ ...answer, file: '' }));
