/** `anneal doctor RUN`: silent on a healthy run, and what was spoilt on purpose is found in what the run recorded. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Diagnosing, Diagnosis, RunFindingCode } from '@anneal/core/protocol/diagnoses';
import { beforeAll, expect, test } from 'vitest';
import { writeCapitalsTask, writeTinyModel } from '../../../packages/core/test/fixtures.ts';
import { temporaryFolder } from '../../../scripts/testing/temporaryFolder.ts';
import { exitCodes } from '../src/exitCodes.ts';
import { annealIn } from './helpers/anneal.ts';
import { client, makePlace, paired, recordStep, start, writeRun } from './helpers/daemon.ts';

const recipe = `base_model: ./tiny-smollm2
datasets:
  - path: rows.jsonl
sequence_len: 64
lora_r: 8
learning_rate: 4e-3
micro_batch_size: 4
gradient_accumulation_steps: 1
bf16: false
`;

let folder: string;
let anneal: ReturnType<typeof annealIn>;

beforeAll(() => {
  folder = temporaryFolder('diagnose');
  writeTinyModel(folder);
  writeCapitalsTask(folder, 120);
  writeFileSync(join(folder, 'recipe.yaml'), recipe);
  anneal = annealIn(folder, { ANNEAL_CACHE: join(folder, 'cache') });
});

async function trained(...settings: string[]): Promise<Diagnosis> {
  const options = settings.flatMap((setting) => ['--set', setting]);
  expect((await anneal('train', 'recipe.yaml', ...options)).code).toBe(exitCodes.done);
  const { code, stdout } = await anneal('doctor', 'latest', '--json');
  const diagnosis = JSON.parse(stdout) as Diagnosis;
  expect(code).toBe(diagnosis.findings.length > 0 ? exitCodes.failed : exitCodes.done);
  return diagnosis;
}

const codesOf = ({ findings }: Diagnosis): RunFindingCode[] => findings.map(({ code }) => code);

test('a healthy run has no finding, and what was not looked at is said', async () => {
  const diagnosis = await trained('val_set_size=20', 'evals_per_epoch=4');
  expect(codesOf(diagnosis)).toEqual([]);
  expect(diagnosis.unchecked).toEqual([
    { code: 'answers', what: 'answers', why: 'the recipe has no sample_prompts', values: {} },
  ]);
  const { stdout } = await anneal('doctor', 'latest');
  expect(stdout).toContain(`ok  ${diagnosis.id}: nothing looks wrong\nnot looked at: answers:`);
});

test('a learning rate that is far too small; the change that is advised is one that train takes', async () => {
  const [finding] = (await trained('learning_rate=1e-8')).findings;
  expect(finding).toMatchObject({ code: 'loss_does_not_fall', set: { learning_rate: 2e-4 } });
  const { stdout } = await anneal('doctor', 'latest');
  const change = /with {2}--set '?([^\s']+)'?$/m.exec(stdout)?.[1] ?? '';
  expect((await anneal('train', 'recipe.yaml', '--set', change, '--dry-run')).code).toBe(exitCodes.done);
});

test('rows that are learned by heart', async () => {
  const few = writeCapitalsTask(folder, 16, 'few.jsonl');
  const diagnosis = await trained(
    `datasets.0.path=${few}`,
    'val_set_size=8',
    'num_epochs=40',
    'learning_rate=1e-2',
    'save_steps=100',
  );
  expect(codesOf(diagnosis)).toEqual(['overfitted']);
});

test('rows that are equal, cut, left out, and without an end', async () => {
  const rows = readFileSync(join(folder, 'rows.jsonl'), 'utf8').trim().split('\n');
  const long = Array.from({ length: 20 }, (_, i) =>
    JSON.stringify({
      messages: [
        { role: 'user', content: `question ${i}` },
        { role: 'assistant', content: 'a word '.repeat(30 + i) },
      ],
    }),
  );
  const empty = Array<string>(20).fill('{"messages": []}');
  const path = join(folder, 'spoilt.jsonl');
  writeFileSync(path, [...rows, ...rows.slice(0, 60), ...long, ...empty, ''].join('\n'));
  const diagnosis = await trained(
    `datasets.0.path=${path}`,
    'datasets.0.train_on_eos=none',
    'excess_length_strategy=truncate',
    'val_set_size=60',
  );
  expect(codesOf(diagnosis)).toEqual(['rows_dropped', 'rows_cut', 'end_not_learned', 'duplicates']);
});

test('marks around turns that the model has never seen', async () => {
  const template = join(folder, 'other.jinja');
  writeFileSync(
    template,
    '{% for m in messages %}[{{ m.role }}] {{ m.content }}{{ eos_token }}\n{% endfor %}[assistant] ',
  );
  const diagnosis = await trained(`chat_template=${template}`);
  expect(codesOf(diagnosis)).toEqual(['foreign_template']);
  expect(diagnosis.findings[0]?.set).toEqual({ chat_template: null });
});

test('rows and model that are gone keep nobody from looking at the rest', async () => {
  const gone = mkdtempSync(join(folder, 'gone-'));
  writeTinyModel(gone);
  writeCapitalsTask(gone, 40);
  writeFileSync(join(gone, 'recipe.yaml'), recipe);
  const there = annealIn(gone, { ANNEAL_CACHE: join(folder, 'cache') });
  expect((await there('train', 'recipe.yaml', '--set', 'max_steps=2', '--set', 'val_set_size=0')).code).toBe(
    exitCodes.done,
  );
  for (const name of ['rows.jsonl', 'tiny-smollm2']) rmSync(join(gone, name), { recursive: true });
  const { unchecked } = JSON.parse((await there('doctor', 'latest', '--json')).stdout) as Diagnosis;
  expect(unchecked.map(({ what }) => what)).toContain('template and end tokens');
});

test('an agent tells how far it is, and then what it has found', async () => {
  const place = makePlace();
  const run = await writeRun(place);
  run.recordStart({ totalSteps: 9, fromStep: 0 });
  recordStep(run, 1);
  const text = recipe.replace('./tiny', join(folder, 'tiny')).replace('rows.jsonl', join(folder, 'rows.jsonl'));
  writeFileSync(join(run.path, 'recipe.resolved.yaml'), text);
  const daemon = await start(place);
  const { api } = client(daemon, await paired(daemon));
  const told: (Diagnosing | Diagnosis)[] = [];
  await new Promise<void>((resolve, reject) => {
    api.runs.diagnose.subscribe(
      { run: `project/runs/${run.id}` },
      { onData: (news) => told.push(news), onError: reject, onComplete: resolve },
    );
  });
  expect(told.slice(0, -1).every((news) => 'phase' in news)).toBe(true);
  expect(told.at(-1)).toMatchObject({ id: run.id, unchecked: expect.arrayContaining([]) });
});

test('a run is not looked at together with what doctor does without one', async () => {
  const { code, stderr } = await anneal('doctor', 'latest', '--bundle');
  expect(code).toBe(exitCodes.badInput);
  expect(stderr).toContain('a run to look at is given with --bundle');
  expect((await anneal('doctor', 'nothing')).stderr).toContain('there is no run "nothing"');
});
