/** Each rule on what it is for, and none on a healthy run; every change that is advised leads to a valid recipe. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { temporaryFolder } from '../../../../scripts/testing/temporaryFolder.ts';
import type { DataReport } from '../protocol/data.ts';
import { RUN_FINDINGS, type RunFinding, type RunFindingCode } from '../protocol/diagnoses.ts';
import type { EventOf } from '../protocol/events.ts';
import { parseRecipe } from '../recipe/read.ts';
import { resolveRecipe } from '../recipe/resolve.ts';
import { diagnose } from './diagnose.ts';
import type { Evidence } from './evidence.ts';
import { RecordedSteps } from './recordedSteps.ts';
import { loopAtEnd } from './rules/answers.ts';

let folder: string;
beforeAll(() => {
  folder = temporaryFolder('diagnose');
  writeFileSync(join(folder, 'rows.jsonl'), '{"text": "a"}\n');
  writeFileSync(join(folder, 'reward.ts'), 'export default () => [1];\n');
});

const lines = ['base_model: smollm2-135m', 'adapter: lora', 'datasets:', '  - path: rows.jsonl', 'val_set_size: 0.1'];
const recipeText = (...more: string[]) => [...lines, ...more, ''].join('\n');

type Step = EventOf<'step'>;
type Curve = (t: number) => number | null;

/** As noisy as a real one, and always the same. */
const noise = (i: number): number => 0.1 * Math.sin(i * 12.9898) * Math.cos(i * 4.1414);
/** From 2.5 down to 1.2. */
const falling: Curve = (t) => 1.2 + 1.3 * Math.exp(-4 * t);

function recorded(events: readonly Step[]): RecordedSteps {
  const steps = new RecordedSteps();
  for (const event of events) steps.add(event);
  return steps;
}

const stepsOf = (...curve: Parameters<typeof stepEvents>): RecordedSteps => recorded(stepEvents(...curve));

function stepEvents(curve: Curve, more: (t: number) => Partial<Step> = () => ({}), count = 200, epochs = 3): Step[] {
  return Array.from({ length: count }, (_, i) => {
    const t = i / count;
    const loss = curve(t);
    return {
      type: 'step',
      seq: i + 1,
      time: '',
      step: i + 1,
      epoch: ((i + 1) / count) * epochs,
      loss: loss === null ? null : loss + noise(i) * Math.min(1, loss),
      gradNorm: 1,
      learningRate: 2e-4,
      tokens: 100,
      targetTokens: 50,
      tokensPerSecond: 1,
      milliseconds: 1,
      ...more(t),
    };
  });
}

const evaluationsOf = (...losses: number[]): Evidence['evaluations'] =>
  losses.map((loss, i) => ({ step: 40 * (i + 1), loss }));

const samplesOf = (...texts: string[]): Evidence['samples'] =>
  texts.map((text, i) => ({ type: 'sample', seq: i + 1, time: '', step: 200, prompt: `question ${i}`, text }));

type Changes = Partial<Omit<DataReport, 'summary'>> & { summary?: Partial<DataReport['summary']> };

function dataOf({ summary, ...more }: Changes = {}): DataReport {
  return {
    summary: {
      rows: 1000,
      kept: 990,
      truncated: 0,
      dropped: 10,
      droppedBy: { empty: 10 },
      leftOut: {},
      tokens: 100_000,
      targetTokens: 40_000,
      trainDocuments: 890,
      validationDocuments: 100,
      longest: 700,
      duplicates: 12,
      histogram: { width: 1, open: false, total: [], supervised: [] },
      files: [],
      ...summary,
    },
    sequenceLen: 2048,
    packing: { bins: 1, efficiency: 1, unpacked: 1 },
    nearDuplicates: { compared: 1000, pairs: 20, examples: [] },
    leakage: { exact: 0, near: 0 },
    warnings: [],
    ...more,
  };
}

const answer = 'The ferry leaves at nine in the morning, and comes back when the tide is high again. '.repeat(2);

function evidenceOf(more: Partial<Omit<Evidence, 'recipe'>> = {}, text = recipeText()): Evidence {
  return {
    recipe: resolveRecipe(parseRecipe(text, 'recipe.yaml').recipe, { baseDirectory: folder }),
    steps: stepsOf(falling),
    evaluations: evaluationsOf(1.6, 1.45, 1.41, 1.4, 1.41),
    samples: samplesOf(answer, 'At nine.', 'No.'),
    data: dataOf(),
    endings: { documents: 800, ended: 790 },
    template: { hasOwn: true, isOwn: true },
    ...more,
  };
}

/** The only finding, whose changes make a valid recipe of the text. */
function findingOf(more: Partial<Omit<Evidence, 'recipe'>>, text = recipeText()): RunFinding {
  const findings = diagnose(evidenceOf(more, text));
  expect(findings.map(({ code }) => code)).toHaveLength(1);
  const [finding] = findings as [RunFinding];
  const settings = Object.entries(finding.set).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  const changed = parseRecipe(text, 'recipe.yaml', settings).recipe;
  resolveRecipe(changed, { baseDirectory: folder });
  return finding;
}

test('a healthy run has no finding, nor one of which little is known', () => {
  expect(diagnose(evidenceOf())).toEqual([]);
  expect(
    diagnose(
      evidenceOf({ steps: recorded([]), evaluations: [], samples: [], data: null, endings: null, template: null }),
    ),
  ).toEqual([]);
  expect(diagnose(evidenceOf({ steps: stepsOf(falling, undefined, 12), evaluations: [] }))).toEqual([]);
});

const rollouts = ['rl: grpo', 'trl:', '  reward_funcs: [reward.ts]', '  num_generations: 8'];
const unlearned = { evaluations: evaluationsOf(2.4, 2.4, 2.39) };

const cases: [RunFindingCode, Partial<Omit<Evidence, 'recipe'>>, string, Record<string, unknown>][] = [
  [
    'diverged',
    { steps: stepsOf((t) => (t < 0.6 ? falling(t) : 6)) },
    recipeText('learning_rate: 1e-3'),
    { learning_rate: 2.5e-4, warmup_ratio: 0.05 },
  ],
  [
    'diverged',
    { steps: stepsOf((t) => (t < 0.6 ? falling(t) : null)) },
    recipeText('max_grad_norm: 0', 'warmup_steps: 5'),
    { learning_rate: 5e-5, max_grad_norm: 1 },
  ],
  [
    'loss_does_not_fall',
    { steps: stepsOf(() => 2.4), ...unlearned },
    recipeText('learning_rate: 1e-6'),
    { learning_rate: 2e-4 },
  ],
  ['loss_does_not_fall', { steps: stepsOf(() => 2.4), ...unlearned }, recipeText('learning_rate: 2e-4'), {}],
  [
    'loss_does_not_fall',
    { steps: stepsOf(() => 5.4), ...unlearned },
    recipeText('learning_rate: 0.5'),
    { learning_rate: 2e-4 },
  ],
  [
    'loss_does_not_fall',
    { steps: stepsOf(() => 0.69), ...unlearned },
    recipeText('rl: dpo', 'learning_rate: 1e-7'),
    { learning_rate: 2e-5 },
  ],
  // What a recipe of this kind has where it says nothing is not told to be too low.
  ['loss_does_not_fall', { steps: stepsOf(() => 0.69), ...unlearned }, recipeText('rl: dpo'), {}],
  [
    'reward_does_not_rise',
    {
      steps: stepsOf(
        () => 0,
        () => ({ reward: 0.2, equalShare: 0.9 }),
      ),
      evaluations: [],
    },
    recipeText(...rollouts),
    { 'trl.num_generations': 16, gradient_accumulation_steps: 8 },
  ],
  [
    'overfitted',
    { evaluations: evaluationsOf(1.6, 1.4, 1.45, 1.6, 1.8) },
    recipeText(),
    { load_best_model_at_end: true, early_stopping_patience: 2 },
  ],
  [
    'too_few_steps',
    { steps: stepsOf(() => 2.4, undefined, 4, 1), evaluations: [] },
    recipeText('num_epochs: 1', 'micro_batch_size: 8', 'gradient_accumulation_steps: 2'),
    { micro_batch_size: 1, gradient_accumulation_steps: 1 },
  ],
  [
    'too_few_steps',
    { steps: stepsOf(() => 0.7, undefined, 4, 1), evaluations: [] },
    recipeText('rl: kto', 'num_epochs: 1', 'micro_batch_size: 8', 'gradient_accumulation_steps: 2'),
    { micro_batch_size: 2, gradient_accumulation_steps: 1 },
  ],
  [
    'too_few_steps',
    { steps: stepsOf(() => 2.4, undefined, 1, 1), evaluations: [] },
    recipeText('num_epochs: 0.25', 'micro_batch_size: 1', 'gradient_accumulation_steps: 1'),
    { num_epochs: 10 },
  ],
  [
    'known_by_heart',
    { steps: stepsOf((t) => 2.5 * Math.exp(-8 * t)), evaluations: [] },
    recipeText().replace('val_set_size: 0.1\n', ''),
    { val_set_size: 0.05, load_best_model_at_end: true },
  ],
  [
    'leakage',
    { data: dataOf({ leakage: { exact: 30, near: 10 } }) },
    recipeText(),
    { dataset_exact_deduplication: true },
  ],
  [
    'rows_dropped',
    { data: dataOf({ summary: { dropped: 300, droppedBy: { too_long: 290, empty: 10 }, longest: 3000 } }) },
    recipeText(),
    { sequence_len: 4096 },
  ],
  [
    'rows_cut',
    { data: dataOf({ summary: { truncated: 90, longest: 2049 } }) },
    recipeText('excess_length_strategy: truncate'),
    { sequence_len: 4096 },
  ],
  ['nearly_all_masked', { data: dataOf({ summary: { targetTokens: 900 } }) }, recipeText(), {}],
  [
    'end_not_learned',
    { endings: { documents: 800, ended: 3 } },
    recipeText().replace('rows.jsonl', 'rows.jsonl\n    train_on_eos: none'),
    { 'datasets.0.train_on_eos': 'turn' },
  ],
  [
    'foreign_template',
    { template: { hasOwn: true, isOwn: false } },
    recipeText('chat_template: alpaca'),
    { chat_template: null },
  ],
  [
    'duplicates',
    { data: dataOf({ summary: { duplicates: 400 } }) },
    recipeText(),
    { dataset_exact_deduplication: true },
  ],
  [
    'leakage',
    {
      data: dataOf({
        summary: { rows: 1000, validationDocuments: 400, duplicates: 400 },
        leakage: { exact: 400, near: 0 },
      }),
    },
    recipeText('test_datasets: [{path: rows.jsonl}]').replace('val_set_size: 0.1\n', ''),
    { test_datasets: null, val_set_size: 0.05 },
  ],
  [
    'leakage',
    {
      data: dataOf({
        summary: { rows: 1000, validationDocuments: 100, duplicates: 0 },
        leakage: { exact: 90, near: 0 },
      }),
    },
    recipeText(),
    { dataset_exact_deduplication: true },
  ],
  ['duplicates', { data: dataOf({ nearDuplicates: { compared: 1000, pairs: 600, examples: [] } }) }, recipeText(), {}],
  [
    'answers_cut',
    {
      steps: stepsOf(
        () => 0,
        (t) => ({ reward: t, equalShare: 0.1, cutShare: t < 0.5 ? 0.2 : 0.8 }),
      ),
      evaluations: [],
    },
    recipeText(...rollouts, '  max_completion_length: 100', 'sequence_len: 300'),
    { 'trl.max_completion_length': 200, sequence_len: 400 },
  ],
  [
    'answers_loop',
    { samples: samplesOf('Yes. '.repeat(40), 'No.', `I think so. ${'the sea and '.repeat(9)}`) },
    recipeText(),
    {},
  ],
];

test.each(cases)('%s', (code, more, text, set) => {
  const finding = findingOf(more, text);
  expect(finding.code).toBe(code);
  expect(finding.set).toEqual(set);
});

test('every finding has a case', () => {
  expect(new Set(cases.map(([code]) => code))).toEqual(new Set(RUN_FINDINGS));
});

test('near misses are silent', () => {
  const silent: Partial<Omit<Evidence, 'recipe'>>[] = [
    // What steps say is lost in the noise of their rows; held-out rows are the same each time.
    { steps: stepsOf(() => 2.4), evaluations: evaluationsOf(3.1, 2.3) },
    // It rises a little at the end, or by one measurement.
    { evaluations: evaluationsOf(1.6, 1.4, 1.41, 1.42, 1.43) },
    { evaluations: evaluationsOf(1.6, 1.5, 1.4, 1.8) },
    // It is at its beginning; it is short, and learns all the same.
    { steps: stepsOf(() => 2.4, undefined, 4, 0.1), evaluations: [] },
    { steps: stepsOf((t) => 2.5 - 2 * t, undefined, 12, 1), evaluations: [] },
    // One bad step.
    { steps: recorded(stepEvents(falling).map((step) => (step.step === 150 ? { ...step, loss: 9 } : step))) },
    {
      samples: samplesOf(
        'Yes. Yes. Yes.',
        '1. A boat\n2. A seal\n3. A gull\n4. A crab\n5. A star\n6. A wave\n7. A rope',
      ),
    },
    { data: dataOf({ summary: { truncated: 49 }, leakage: { exact: 0, near: 0 } }) },
  ];
  for (const more of silent) expect(diagnose(evidenceOf(more))).toEqual([]);
  const best = recipeText('load_best_model_at_end: true');
  expect(diagnose(evidenceOf({ evaluations: evaluationsOf(1.6, 1.4, 1.45, 1.6, 1.8) }, best))).toEqual([]);
});

test('a long run is looked at as a short one is', () => {
  expect(diagnose(evidenceOf({ steps: stepsOf(falling, undefined, 300_000) }))).toEqual([]);
  const steps = stepsOf((t) => (t < 0.6 ? falling(t) : 6), undefined, 300_000);
  expect(diagnose(evidenceOf({ steps })).map(({ code }) => code)).toEqual(['diverged']);
});

test('what follows from another fault is not told besides', () => {
  const steps = stepsOf((t) => (t < 0.5 ? falling(t) : 9));
  const codes = diagnose(evidenceOf({ steps, evaluations: evaluationsOf(1.6, 1.4, 5, 8, 9) })).map(({ code }) => code);
  expect(codes).toEqual(['diverged']);
  const few = { steps: stepsOf(() => 2.4, undefined, 4, 1), evaluations: [] };
  const data = dataOf({ summary: { kept: 30, dropped: 970, droppedBy: { empty: 970 } } });
  const fewLeft = diagnose(evidenceOf({ ...few, data }, recipeText('num_epochs: 1'))).map(({ code }) => code);
  expect(fewLeft).toEqual(['rows_dropped']);
});

test('rows that are there several times are the cause of held-out ones among the trained', () => {
  const data = dataOf({
    leakage: { exact: 0, near: 80 },
    nearDuplicates: { compared: 1000, pairs: 600, examples: [] },
  });
  expect(diagnose(evidenceOf({ data })).map(({ code }) => code)).toEqual(['duplicates', 'leakage']);
});

test('rows that are cut look alike, and that is all that is told', () => {
  const data = dataOf({
    summary: { truncated: 400 },
    leakage: { exact: 0, near: 30 },
    nearDuplicates: { compared: 1000, pairs: 600, examples: [] },
  });
  expect(diagnose(evidenceOf({ data })).map(({ code }) => code)).toEqual(['rows_cut']);
});

test('a loop is found by what it repeats', () => {
  expect(loopAtEnd(`Well: ${'the sea, '.repeat(12)}the`)).toMatch(/^[the sea,]{9}$/);
  expect(loopAtEnd('\n'.repeat(200))).toBeUndefined();
  expect(loopAtEnd(`${'-'.repeat(70)}`)).toBe('-');
  expect(loopAtEnd('海'.repeat(80))).toBe('海');
  expect(loopAtEnd(answer.slice(0, 100))).toBeUndefined();
});
