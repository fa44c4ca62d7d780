import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LossToken } from '@anneal/core/protocol/batches';
import { writeAnswers } from '@anneal/core/trainer/answerFiles';
import { beforeAll, expect, test } from 'vitest';
import { openApart } from '../../src/runner/openApart.ts';
import { finish } from '../../src/service/finish.ts';
import { openFirstBatches } from '../../src/service/recipes/firstBatches.ts';
import { beginProject } from '../../src/service/recipes/init.ts';
import { openBatches, type RunBatches } from '../../src/service/runs/batches.ts';
import { annealIn, temporaryFolder } from '../helpers/anneal.ts';

const planted = 'zqx vv KJ8 ##@@ wvlpt qqq0';
const plantedRow = 6;
/** The longest row by far: without shuffling, packing begins with it. */
const plantedAnswer = `${planted} `.repeat(8).trim();

let project: string;
let run: string;

/** Trains in the project, with a checkpoint every five steps and several documents in a row of the batch. */
async function train(...changes: string[]): Promise<string> {
  const usual = ['max_steps=12', 'save_steps=5', 'save_total_limit=9', 'val_set_size=0', 'sample_prompts=[]'];
  const set = [...usual, 'sample_packing=true', 'shuffle=false', 'micro_batch_size=1', ...changes];
  const { code, stdout, stderr } = await annealIn(project)(
    'train',
    'recipe.yaml',
    '--json',
    ...set.flatMap((one) => ['--set', one]),
  );
  if (code !== 0) throw new Error(stderr || stdout);
  return join(project, 'runs', JSON.parse(stdout.slice(0, stdout.indexOf('\n'))).id);
}

async function withBatches<T>(of: string, use: (batches: RunBatches) => Promise<T>): Promise<T> {
  const batches = await finish(openBatches({}, { run: of }));
  try {
    return await use(batches);
  } finally {
    await batches.close();
  }
}

beforeAll(async () => {
  const folder = temporaryFolder('batches');
  project = join(folder, 'harbor');
  await beginProject({}, { folder: project });
  const path = join(project, 'data', 'harbour.jsonl');
  const lines = readFileSync(path, 'utf8').split('\n');
  const messages = [
    { role: 'user', content: 'When is high tide?' },
    { role: 'assistant', content: plantedAnswer },
  ];
  lines.splice(plantedRow - 1, 0, JSON.stringify({ messages }));
  writeFileSync(path, lines.join('\n'));
  run = await train();
});

const mean = (tokens: readonly LossToken[]): number => {
  const losses = tokens.flatMap(({ loss }) => (typeof loss === 'number' ? [loss] : []));
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
};

test('the rows of a step come with the losses that training found, and with their places in the file and the batch', async () => {
  await withBatches(run, async (batches) => {
    const first = await batches.batch({ step: 1 });
    const bad = first.rows.find(({ row }) => row === plantedRow);
    expect(bad).toMatchObject({ file: join(project, 'data', 'harbour.jsonl'), batch: 0 });
    expect(bad?.excerpt).toContain(planted);
    const highest = first.rows.reduce((most, { loss }) => Math.max(most, loss ?? 0), 0);
    expect(bad?.loss).toBe(highest);
    let start = 0;
    for (const row of first.rows) {
      expect(row.start).toBe(start);
      start += row.tokens;
    }
    expect(start).toBe(first.tokens);
  });
  const longer = join(temporaryFolder(), 'longer');
  cpSync(run, longer, { recursive: true });
  const recipe = join(longer, 'recipe.resolved.yaml');
  await withBatches(longer, async (batches) => {
    await expect(batches.batch({ step: 400 })).rejects.toMatchObject({ code: 'step_beyond_end' });
    // As a resume writes it, while somebody looks.
    writeFileSync(recipe, readFileSync(recipe, 'utf8').replace('max_steps: 12', 'max_steps: 400'));
    const later = await batches.batch({ step: 400 });
    expect(later.rows.length).toBeGreaterThan(0);
    expect(later.rows.every(({ loss }) => loss === undefined)).toBe(true);
  });
});

test('before a run is started, its first batches are those that it is then made of', async () => {
  const set = ['max_steps=12', 'val_set_size=0', 'sample_packing=true', 'shuffle=false', 'micro_batch_size=1'];
  const opened = await finish(openFirstBatches({}, { recipe: join(project, 'recipe.yaml'), set }));
  try {
    const { batches, maxTokens, totalSteps, isPacked } = await opened.list({ count: 3 });
    expect(batches.map(({ step, number, of }) => [step, number, of])).toEqual([
      [1, 1, 1],
      [2, 1, 1],
      [3, 1, 1],
    ]);
    expect({ maxTokens, totalSteps, isPacked }).toEqual({ maxTokens: 256, totalSteps: 12, isPacked: true });
    await withBatches(run, async (trained) => {
      for (const { step, rows, tokens, targetTokens } of batches) {
        const was = await trained.batch({ step });
        expect({ tokens, targetTokens }).toEqual({ tokens: was.tokens, targetTokens: was.targetTokens });
        expect(was.rows).toMatchObject(rows);
        const document = rows[0]?.document as number;
        expect(await opened.row({ document })).toEqual({
          ...(await trained.row({ step, document })),
          checkpoint: null,
        });
      }
    });
    await expect(opened.row({ document: 1e6 })).rejects.toMatchObject({ code: 'row_not_found' });
  } finally {
    await opened.close();
  }
});

test('a step of several batches shows each, no more than the run has steps, and pairs with the side of each answer', async () => {
  const recipe = join(project, 'recipe.yaml');
  const list = async (count: number, ...set: string[]) => {
    const opened = await finish(openFirstBatches({}, { recipe, set: ['val_set_size=0', ...set] }));
    return opened.list({ count }).finally(() => opened.close());
  };
  const packed = ['sample_packing=true', 'micro_batch_size=1', 'gradient_accumulation_steps=2', 'max_steps=1'];
  const { batches } = await list(3, ...packed);
  expect(batches.map(({ step, number, of }) => [step, number, of])).toEqual([
    [1, 1, 2],
    [1, 2, 2],
  ]);
  const goingOn = await list(1, `resume_from_checkpoint=${join(run, 'checkpoints', 'checkpoint-5')}`, 'max_steps=12');
  expect(goingOn.batches[0]?.step).toBe(6);
  const pairs = [1, 2, 3].map((n) => ({ prompt: `Which? ${n}`, chosen: 'This one.', rejected: 'That one, no.' }));
  writeFileSync(join(project, 'data', 'pairs.jsonl'), pairs.map((pair) => JSON.stringify(pair)).join('\n'));
  const ofPairs = await list(1, 'rl=dpo', 'datasets=[{path: data/pairs.jsonl}]', 'micro_batch_size=2', 'shuffle=false');
  expect(ofPairs.batches[0]?.rows.map(({ side }) => side)).toEqual(['chosen', 'rejected', 'chosen', 'rejected']);
  await expect(
    list(
      1,
      'rl=grpo',
      'micro_batch_size=8',
      'trl={reward_funcs: [{type: regex, pattern: x}], max_completion_length: 32}',
    ),
  ).rejects.toMatchObject({
    code: 'batches_not_there_yet',
  });
  const { code, stderr } = await annealIn(project)('inspect', 'data/pairs.jsonl', '--batches', '2');
  expect([code, stderr]).toEqual([2, expect.stringContaining('only a recipe says how rows are put into batches')]);
});

test('by the checkpoint that a step began with, its tokens have the losses that training found', async () => {
  await withBatches(run, async (batches) => {
    const { rows, checkpoint } = await batches.batch({ step: 6 });
    expect(checkpoint).toBe(5);
    const document = rows[0]?.document as number;
    expect((await batches.row({ step: 6, document })).tokens.every(({ loss }) => loss === undefined)).toBe(true);
    const phases = new Set<string>();
    const measured = await finish(batches.measure({ step: 6 }), ({ phase }) => phases.add(phase));
    expect(measured).toMatchObject({ step: 6, checkpoint: 5 });
    expect([...phases]).toEqual(['loading', 'measuring']);
    for (const { document: number, loss, targetTokens } of rows) {
      const { tokens } = await batches.row({ step: 6, document: number });
      expect(tokens.filter(({ target }) => target)).toHaveLength(targetTokens);
      expect(mean(tokens)).toBeCloseTo(loss as number, 3);
    }
    const again: string[] = [];
    await finish(batches.measure({ step: 6 }), ({ phase }) => again.push(phase));
    expect(again, 'what is known is not measured again').toEqual([]);
  });
});

test('a step before the first checkpoint is measured by the model as it was', async () => {
  await withBatches(run, async (batches) => {
    const { rows, checkpoint } = await batches.batch({ step: 1 });
    expect(checkpoint).toBe(0);
    await finish(batches.measure({ step: 1 }));
    const bad = rows.find(({ row }) => row === plantedRow);
    const { tokens } = await batches.row({ step: 1, document: bad?.document as number });
    expect(tokens.map(({ text }) => text).join('')).toContain(plantedAnswer);
    expect(mean(tokens)).toBeCloseTo(bad?.loss as number, 3);
  });
});

test('a run that goes on from a checkpoint of another one has the rows of its own steps', async () => {
  const second = await train(`resume_from_checkpoint=${join(run, 'checkpoints', 'checkpoint-5')}`);
  const rowsOf = (of: string, step: number) =>
    withBatches(of, async (batches) =>
      (await batches.batch({ step })).rows.map(({ document, loss }) => [document, loss]),
    );
  for (const step of [6, 12]) expect(await rowsOf(second, step)).toEqual(await rowsOf(run, step));
  await withBatches(second, async (batches) => expect((await batches.batch({ step: 6 })).checkpoint).toBe(10));
});

test('in a process apart it answers the same, and a measurement can be broken off', async () => {
  const apart = await finish(openApart('batches', {}, { run }));
  try {
    const here = await withBatches(run, (batches) => batches.batch({ step: 3 }));
    expect(await finish(apart.call('batch', { step: 3 }))).toEqual(here);
    await expect(finish(apart.call('measure', { step: 3 }, AbortSignal.abort()))).rejects.toThrow();
    expect(await finish(apart.call('measure', { step: 3 }))).toMatchObject({ step: 3, checkpoint: 0 });
  } finally {
    await apart.close();
  }
});

test('what is not there is told', async () => {
  await withBatches(run, async (batches) => {
    await expect(batches.row({ step: 1, document: 100_000 })).rejects.toMatchObject({ code: 'row_not_found' });
    await expect(batches.batch({ step: 0 })).rejects.toMatchObject({ code: 'bad_request' });
    const beyond = { code: 'step_beyond_end', message: expect.stringContaining('it ends with step 12') };
    await expect(batches.batch({ step: 13 })).rejects.toMatchObject(beyond);
  });
  const bare = join(temporaryFolder(), 'bare');
  cpSync(run, bare, { recursive: true });
  rmSync(join(bare, 'data', 'manifest.json'));
  await expect(finish(openBatches({}, { run: bare }))).rejects.toMatchObject({ code: 'data_not_prepared' });
});

test('the command line lists the rows with the highest losses first, and shows the tokens of one', async () => {
  const anneal = annealIn(project);
  const list = await anneal('runs', 'batch', run, '1');
  expect(list.stdout.split('\n')[3]).toMatch(new RegExp(`^ *1 .*harbour\\.jsonl:${plantedRow} .*zqx`));
  const tokens = await anneal('runs', 'batch', run, '1', '--row', '1', '--json');
  const parsed = tokens.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as LossToken & { at: number });
  expect(parsed.map(({ text }) => text).join('')).toContain(plantedAnswer);
  expect(Math.max(...parsed.map(({ loss }) => loss ?? 0))).toBeGreaterThan(5);
  const missing = await anneal('runs', 'batch', run, '1', '--row', '999');
  expect(missing.code).toBe(2);
  expect(missing.stderr).toContain('so none with number 999');
});

test('what a step sampled is listed prompt by prompt, the best answer first', async () => {
  const copy = join(temporaryFolder(), 'sampled');
  cpSync(run, copy, { recursive: true });
  const answer = { file: 'sums.jsonl', row: 2, prompt: 'What is 3 + 4?', ended: true, advantage: 0, ids: [5, 6] };
  const given = [
    { ...answer, answer: 0, text: 'It is\n8.', reward: 0.25, rewards: { numeric: 0.25 }, logps: [-1, -2] },
    { ...answer, answer: 1, text: '7', ended: false, reward: 1, rewards: { numeric: 1 }, logps: [-1, null] },
  ];
  writeAnswers(copy, 3, given);
  const anneal = annealIn(project);
  const list = await anneal('runs', 'answers', copy, '3');
  expect(list.stdout.split('\n').filter(Boolean)).toEqual([
    'step 3: 2 answers to one prompt, mean reward 0.625',
    'sums.jsonl:2  What is 3 + 4?',
    'REWARD  ADVANTAGE  TOKENS  ANSWER',
    ' 1.000      0.000       2  7 (cut)',
    ' 0.250      0.000       2  It is\\n8.',
  ]);
  expect((await anneal('runs', 'answers', copy, '3', '--full')).stdout).toContain('\nIt is\n8.\n');
  const told = JSON.parse((await anneal('runs', 'answers', copy, '3', '--json')).stdout);
  const { advantage, rewards, text } = told[0];
  expect({ advantage, rewards, text }).toEqual({ advantage: 0, rewards: { numeric: 0.25 }, text: 'It is\n8.' });
  expect(told.map(({ tokens }: { tokens: number }) => tokens)).toEqual([2, 2]);
  const missing = await anneal('runs', 'answers', copy, '4');
  expect(missing.code).toBe(2);
  expect(missing.stderr).toContain('no answers of step 4 are kept');
});
