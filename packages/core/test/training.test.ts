import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { exportMerged } from '../src/export/merged.ts';
import { openAnswerer } from '../src/generate/answerer.ts';
import { greedy } from '../src/generate/sample.ts';
import { loadLoraWeights } from '../src/models/adapters/loadLora.ts';
import { openModel } from '../src/models/open.ts';
import type { Recipe } from '../src/recipe/schema.ts';
import { RunDirectory } from '../src/trainer/runDirectory.ts';
import { goldenModels, temporaryFolder, writeCapitalsTask, writeTinyModel } from './fixtures.ts';
import { checkpointPath, eventsOf, lossesOf, tinyRecipe, trainHere, weightsHash } from './runs.ts';

const fullFineTuning = { adapter: null, lora_r: undefined, lora_alpha: undefined } as const;

describe.each(goldenModels)('%s learns', (name) => {
  test.each<[string, Partial<Recipe>]>([
    ['with LoRA', {}],
    ['with all its weights', { ...fullFineTuning, learning_rate: 0.005 }],
    ['with moments in 8 bits', { ...fullFineTuning, learning_rate: 0.005, optimizer: 'adamw_8bit' }],
  ])('%s', async (_, changes) => {
    const folder = temporaryFolder();
    const recipe = { base_model: writeTinyModel(folder, name), max_steps: 30, saves_per_epoch: 0, ...changes };
    const losses = lossesOf(await trainHere(tinyRecipe(folder, recipe)));
    expect(losses).toHaveLength(30);
    expect(losses.at(-1)).toBeLessThan(0.75 * (losses[0] as number));
  });
});

test.each<[string, Partial<Recipe>]>([
  ['LoRA', {}],
  ['full fine-tuning', { ...fullFineTuning, learning_rate: 0.005 }],
])('%s in bfloat16 learns what float32 does', async (_, changes) => {
  const recipe = tinyRecipe(temporaryFolder(), { max_steps: 30, saves_per_epoch: 0, ...changes });
  const precise = lossesOf(await trainHere(recipe)) as number[];
  const losses = lossesOf(await trainHere({ ...recipe, bf16: true })) as number[];
  expect(losses).not.toEqual(precise);
  for (const [i, loss] of losses.entries()) expect(Math.abs(loss / (precise[i] as number) - 1)).toBeLessThan(0.03);
});

test('a checkpoint of gpt-oss trained in full, or with its biases, is the model in the order of its files', async () => {
  const folder = temporaryFolder();
  const still = { base_model: writeTinyModel(folder, 'gpt-oss'), max_steps: 1, learning_rate: 1e-30 };
  const base = openModel(still.base_model);
  const full = await trainHere(tinyRecipe(folder, { ...still, ...fullFineTuning }));
  const whole = openModel(checkpointPath(full, 1));
  for (const [name, { float32 }] of base.tensors) expect(whole.tensors.get(name)?.float32(), name).toEqual(float32());
  whole.close();
  const biased = await trainHere(tinyRecipe(folder, { ...still, peft_bias: 'all' }));
  const { full: biases } = await loadLoraWeights(checkpointPath(biased, 1), base);
  expect(biases.has('layers.1.experts_gate_up_bias')).toBe(true);
  for (const [name, values] of biases) expect(values, name).toEqual(base.tensors.get(name)?.float32());
  base.close();
});

test('noise on the embeddings is there while training alone, and follows from the seed', async () => {
  const folder = temporaryFolder();
  // At this rate no weight changes.
  const recipe = tinyRecipe(folder, { learning_rate: 1e-30, max_steps: 2, shuffle: false, eval_steps: 1 });
  const noisy: Recipe = { ...recipe, test_datasets: recipe.datasets, neftune_noise_alpha: 5 };
  const first = await trainHere(noisy);
  const plain = await trainHere({ ...noisy, neftune_noise_alpha: 0 });
  const validation = (run: typeof first) => eventsOf(run, 'evaluated').map(({ loss }) => loss);
  expect(validation(first)).toEqual(validation(plain));
  expect(lossesOf(first)).not.toEqual(lossesOf(plain));
  expect(lossesOf(await trainHere(noisy))).toEqual(lossesOf(first));
  // The adapter changes nothing yet: what differs with the seed is the noise.
  expect(lossesOf(await trainHere({ ...noisy, seed: 4 }))).not.toEqual(lossesOf(first));
});

test('accumulation is exact: how a step is cut into micro-batches changes rounding only', async () => {
  const folder = temporaryFolder();
  // Rows of very different length: averaging the means of micro-batches would weigh their tokens unequally.
  const path = join(folder, 'uneven.jsonl');
  const rows = Array.from({ length: 16 }, (_, i) => ({
    messages: [
      { role: 'user', content: 'a' },
      { role: 'assistant', content: 'b'.repeat(1 + 3 * (i % 8)) },
    ],
  }));
  writeFileSync(path, rows.map((row) => JSON.stringify(row)).join('\n'));
  const losses = async (micro: number, accumulation: number) => {
    const changes = { datasets: [{ path }], micro_batch_size: micro, gradient_accumulation_steps: accumulation };
    return lossesOf(await trainHere({ ...tinyRecipe(folder), ...changes, max_steps: 8 })) as number[];
  };
  const whole = await losses(8, 1);
  for (const other of [await losses(1, 8), await losses(2, 4)]) {
    for (const [i, loss] of other.entries()) expect(Math.abs(loss / (whole[i] as number) - 1)).toBeLessThan(1e-4);
  }
});

test('embedding and output layer have a learning rate of their own', async () => {
  const folder = temporaryFolder();
  const changes = { adapter: null, lora_r: undefined, max_steps: 1, lr_scheduler: 'constant', bf16: false } as const;
  const recipe = tinyRecipe(folder, { ...changes, warmup_steps: undefined, learning_rate: 0.01, weight_decay: 0 });
  const [same, tenth] = [await trainHere(recipe), await trainHere({ ...recipe, embedding_lr: 0.001 })];
  const model = openModel(recipe.base_model);
  onTestFinished(() => model.close());
  const moves = [same, tenth].map((run) => {
    const trained = openModel(checkpointPath(run, 1));
    onTestFinished(() => trained.close());
    return (name: string) => {
      const before = model.tensors.get(name)?.float32() ?? [];
      return Float32Array.from(trained.tensors.get(name)?.float32() ?? [], (value, i) => value - (before[i] as number));
    };
  }) as [(name: string) => Float32Array, (name: string) => Float32Array];
  const [far = [], near = []] = moves.map((of) => of('embed'));
  // The first step of AdamW moves each weight that has a gradient by the learning rate.
  expect(Math.max(...far.map(Math.abs))).toBeCloseTo(0.01, 4);
  expect(Math.max(...near.map(Math.abs))).toBeCloseTo(0.001, 5);
  expect(Math.max(...moves[1]('layers.0.up').map(Math.abs))).toBeCloseTo(0.01, 4);
  // Before the data are prepared, which would refuse rows as long as these.
  const adapter = tinyRecipe(folder, { embedding_lr: 0.001, max_steps: 1, sequence_len: 8 });
  await expect(trainHere(adapter)).rejects.toThrow('this run trains neither');
});

describe('an adapter that begins as a part of the weights', () => {
  const changes = { max_steps: 2, save_steps: 1, lora_r: 4, lora_target_modules: ['q_proj', 'down_proj'] };

  test('of PiSSA: it changes nothing yet, learns another way, and its checkpoints are adapters of the whole base', async () => {
    // Without shuffling every epoch is the same six steps.
    const recipe = tinyRecipe(temporaryFolder(), {
      ...changes,
      bf16: false,
      shuffle: false,
      max_steps: 7,
      save_steps: 6,
    });
    const [pissa, plain] = [
      await trainHere({ ...recipe, peft_init_lora_weights: 'pissa' }),
      await trainHere(recipe),
    ].map((run) => ({ run, losses: lossesOf(run) as number[] }));
    if (!pissa || !plain) throw new Error('both were trained');
    expect(pissa.losses[0]).toBeCloseTo(plain.losses[0] as number, 5);
    expect(pissa.losses[1]).not.toBeCloseTo(plain.losses[1] as number, 5);
    const config = JSON.parse(readFileSync(join(checkpointPath(pissa.run, 6), 'adapter_config.json'), 'utf8'));
    expect(config).toMatchObject({ r: 8, init_lora_weights: true });
    const next = await trainHere({ ...recipe, max_steps: 1, lora_model_dir: checkpointPath(pissa.run, 6) });
    expect(lossesOf(next)[0]).toBeCloseTo(pissa.losses[6] as number, 4);
    await expect(trainHere({ ...recipe, resume_from_checkpoint: checkpointPath(pissa.run, 6) })).rejects.toThrow(
      'of rank 8',
    );
  });

  test('of LoftQ: the base stays in 4 bits, also for PEFT and in exports', async () => {
    const recipe = tinyRecipe(temporaryFolder(), {
      ...changes,
      adapter: 'qlora',
      peft_init_lora_weights: 'loftq',
    });
    const run = await trainHere(recipe);
    const lora_model_dir = checkpointPath(run, 1);
    const config = JSON.parse(readFileSync(join(lora_model_dir, 'adapter_config.json'), 'utf8'));
    expect(config).toMatchObject({ init_lora_weights: 'loftq', loftq_config: { loftq_bits: 4, loftq_iter: 1 } });
    await expect(trainHere({ ...recipe, peft_init_lora_weights: null, lora_model_dir })).rejects.toThrow('is of LoftQ');
  });
});

describe('adapters on embedding and output layer', () => {
  const on = { lora_target_modules: ['q_proj', 'embed_tokens', 'lm_head'], max_steps: 4, save_steps: 2, eval_steps: 4 };

  test.each(['llama3', 'smollm2'] as const)('of %s learn, and go on with the same bits', async (name) => {
    const folder = temporaryFolder();
    const rows = writeCapitalsTask(folder, 6, 'held-out.jsonl');
    const recipe: Recipe = {
      ...tinyRecipe(folder, { base_model: writeTinyModel(folder, name), ...on }),
      test_datasets: [{ path: rows }],
    };
    const whole = await trainHere(recipe);
    const resumed = await trainHere({ ...recipe, resume_from_checkpoint: checkpointPath(whole, 2) });
    const losses = lossesOf(whole);
    expect(losses.at(-1)).toBeLessThan(losses[0] as number);
    expect(lossesOf(resumed)).toEqual(losses.slice(2));
    expect(weightsHash(resumed, 4)).toBe(weightsHash(whole, 4));
    const [evaluated, again] = [whole, resumed].map((run) => eventsOf(run, 'evaluated').map(({ loss }) => loss));
    expect(again?.at(-1)).toBe(evaluated?.at(-1));
  });

  test.each<[Partial<Recipe>, string]>([
    [{ lora_dropout: 0.1 }, 'lora_dropout is not implemented for an adapter on lm_head'],
    [{ peft_use_dora: true }, 'peft_use_dora is for linear layers of the blocks'],
    [{ peft_init_lora_weights: 'pissa' }, 'peft_init_lora_weights is for linear layers'],
    [{ lora_modules_to_save: ['lm_head'] }, 'puts an adapter on lm_head, of which this recipe trains rows in full'],
    [{ peft_trainable_token_indices: [7] }, 'puts an adapter on embed, of which'],
  ])('%j is refused beside them', async (changes, message) => {
    const folder = temporaryFolder();
    const recipe = tinyRecipe(folder, { base_model: writeTinyModel(folder, 'llama3'), ...on, ...changes });
    await expect(trainHere(recipe)).rejects.toThrow(message);
  });

  test.each<Partial<Recipe>>([{ lora_modules_to_save: ['embed_tokens'] }, { peft_trainable_token_indices: [7] }])(
    'of the output layer alone, with %j, is refused where these are one matrix',
    async (changes) => {
      const recipe = tinyRecipe(temporaryFolder(), { ...on, lora_target_modules: ['q_proj', 'lm_head'], ...changes });
      await expect(trainHere(recipe)).rejects.toThrow('puts an adapter on lm_head, of which this recipe trains rows');
    },
  );

  test('cannot be merged where these are one matrix: warned of, and refused', async () => {
    const folder = temporaryFolder();
    const run = await trainHere(tinyRecipe(folder, { ...on, max_steps: 1, save_steps: 1 }));
    expect(eventsOf(run, 'warning')).toMatchObject([{ code: 'adapter_not_mergeable' }]);
    const model = openModel(join(folder, 'tiny-smollm2'));
    onTestFinished(() => model.close());
    const adapter = await loadLoraWeights(checkpointPath(run, 1), model);
    await expect(exportMerged(join(folder, 'merged'), { model, adapter, dtype: 'F32' })).rejects.toThrow(
      'it is on embed and lm_head, and embedding and lm_head are one matrix',
    );
  });
});

test('an adapter whose biases nothing could be merged into is warned of', async () => {
  const folder = temporaryFolder();
  const changes = { max_steps: 1, peft_lora_bias: true, lora_target_modules: ['q_proj'] };
  const warned = await trainHere(tinyRecipe(folder, changes));
  expect(eventsOf(warned, 'warning')).toMatchObject([{ code: 'adapter_not_mergeable' }]);
  const model = writeTinyModel(folder, 'qwen2');
  expect(eventsOf(await trainHere(tinyRecipe(folder, { ...changes, base_model: model })), 'warning')).toEqual([]);
});

describe('the length of a run', () => {
  test('of one step that the warm-up takes is warned of', async () => {
    const changes = { max_steps: 1, warmup_steps: undefined };
    const warned = await trainHere(tinyRecipe(temporaryFolder(), changes));
    expect(eventsOf(warned, 'warning')).toMatchObject([{ code: 'nothing_learned' }]);
    const trained = await trainHere(tinyRecipe(temporaryFolder(), { max_steps: 1 }));
    expect(eventsOf(trained, 'warning')).toEqual([]);
  });

  test.each<[Partial<Recipe>, number, number]>([
    [{ max_steps: 7 }, 7, 7 / 6],
    [{ max_steps: null, num_epochs: 2 }, 12, 2],
    [{ max_steps: null, num_epochs: 0.5 }, 3, 0.5],
    [{ max_steps: 2, num_epochs: 5 }, 2, 2 / 6],
  ])('%o is %i steps', async (changes, steps, epochs) => {
    const run = await trainHere(tinyRecipe(temporaryFolder(), changes));
    const recorded = eventsOf(run, 'step');
    expect(recorded.map(({ step }) => step)).toEqual(Array.from({ length: steps }, (_, i) => i + 1));
    expect(recorded.at(-1)?.epoch).toBeCloseTo(epochs, 10);
    expect(eventsOf(run, 'finished')).toMatchObject([{ step: steps, loss: recorded.at(-1)?.loss }]);
    expect(run.steps.at(-1)).toBe(steps);
  });
});

describe('evaluation', () => {
  test('measures what training measures', async () => {
    const folder = temporaryFolder();
    const rows = writeCapitalsTask(folder);
    const recipe = tinyRecipe(folder, {
      test_datasets: [{ path: rows }],
      gradient_accumulation_steps: 12,
      learning_rate: 1e-12,
      max_steps: 1,
    });
    const run = await trainHere(recipe);
    const [evaluated] = eventsOf(run, 'evaluated');
    expect(evaluated?.loss).toBeCloseTo(lossesOf(run)[0] as number, 5);
    expect(evaluated?.perplexity).toBeCloseTo(Math.exp(evaluated?.loss as number), 8);
  });

  test('sets rows aside that are not trained', async () => {
    const run = await trainHere(tinyRecipe(temporaryFolder(), { val_set_size: 0.25, eval_steps: 4, max_steps: 10 }));
    expect(eventsOf(run, 'data_prepared')).toMatchObject([{ rows: 24, validationRows: 6 }]);
    expect(eventsOf(run, 'evaluated').map(({ step }) => step)).toEqual([4, 8, 10]);
    // 18 rows, four a step: the fifth step of an epoch has two.
    expect(eventsOf(run, 'step')[4]?.epoch).toBe(1);
  });

  test('stops early, and the best checkpoint outlives the limit', async () => {
    const recipe = tinyRecipe(temporaryFolder(), {
      val_set_size: 4,
      eval_steps: 2,
      early_stopping_patience: 4,
      save_total_limit: 1,
      learning_rate: 0.5,
      lr_scheduler: 'constant',
      max_steps: 40,
    });
    const run = await trainHere(recipe);
    const evaluated = eventsOf(run, 'evaluated');
    const losses = evaluated.map(({ loss }) => loss as number);
    const best = evaluated[losses.indexOf(Math.min(...losses))];
    const last = evaluated.at(-1);
    expect(eventsOf(run, 'early_stopped')).toMatchObject([
      { step: last?.step, bestStep: best?.step, bestLoss: best?.loss },
    ]);
    expect(losses.length - 1 - losses.indexOf(Math.min(...losses))).toBe(4);
    expect(last?.step).toBeLessThan(40);
    expect(run.steps).toEqual([best?.step, last?.step]);
    await using opened = await RunDirectory.open(run.path);
    expect((await opened.bestCheckpoint())?.step).toBe(best?.step);
  });
});

test('save_total_limit keeps the newest checkpoints', async () => {
  const run = await trainHere(tinyRecipe(temporaryFolder(), { save_steps: 3, save_total_limit: 2, max_steps: 10 }));
  const saved = eventsOf(run, 'checkpoint').map(({ step, why }) => [step, why]);
  expect(saved).toEqual([
    [3, 'cadence'],
    [6, 'cadence'],
    [9, 'cadence'],
    [10, 'end'],
  ]);
  expect(run.steps).toEqual([9, 10]);
});

describe('answers', () => {
  const prompts = ['ant bee', 'fox hen', 'kite ant', 'eel', 'lynx gnu', 'a'];

  test('of the adapter, of the merged weights and of the samples while training are the same', async () => {
    const folder = temporaryFolder();
    const recipe = tinyRecipe(folder, {
      sample_prompts: prompts,
      sample_max_tokens: 16,
      save_steps: 15,
      max_steps: 30,
      peft_use_rslora: true,
    });
    const run = await trainHere(recipe);
    const samples = eventsOf(run, 'sample');
    expect(samples.map(({ step, prompt }) => [step, prompt])).toEqual(
      [0, 15, 30].flatMap((step) => prompts.map((prompt) => [step, prompt])),
    );
    const lines = readFileSync(join(run.path, 'samples.jsonl'), 'utf8').trim().split('\n');
    expect(lines.map((line) => JSON.parse(line).text)).toEqual(samples.map(({ text }) => text));

    const merged = join(folder, 'merged');
    const model = openModel(recipe.base_model);
    const adapter = await loadLoraWeights(checkpointPath(run, 30), model);
    await exportMerged(merged, { model, adapter, dtype: 'F32' });
    model.close();

    const tuned = samples.filter(({ step }) => step === 30).map(({ text }) => text);
    expect(new Set(tuned).size).toBeGreaterThan(1);
    expect(await answersOf(recipe.base_model, checkpointPath(run, 30))).toEqual(tuned);
    expect(await answersOf(merged, null)).toEqual(tuned);
    const before = samples.filter(({ step }) => step === 0).map(({ text }) => text);
    expect(await answersOf(recipe.base_model, null)).toEqual(before);
    expect(before).not.toEqual(tuned);
    expect(await answersSideBySide(recipe.base_model, checkpointPath(run, 30))).toEqual({ tuned, before });
  });

  test('a checkpoint of full fine-tuning is a whole model', async () => {
    const recipe = { ...fullFineTuning, learning_rate: 0.005, sample_prompts: prompts, sample_max_tokens: 16 };
    const run = await trainHere(tinyRecipe(temporaryFolder(), recipe));
    const tuned = eventsOf(run, 'sample').filter(({ step }) => step === 12);
    expect(await answersOf(checkpointPath(run, 12), null)).toEqual(tuned.map(({ text }) => text));
  });

  /** Of one loaded model with and without its adapter, both at once. */
  async function answersSideBySide(modelPath: string, adapterFolder: string): Promise<object> {
    const options = { modelPath, adapterFolder, weightType: 'f32', contextLength: 128, sideBySide: true } as const;
    const answerer = await openAnswerer(options);
    const answer = async (content: string, adapter: boolean): Promise<string> => {
      let text = '';
      const how = { sampling: greedy, maxNewTokens: 16, seed: 0, adapter };
      for await (const piece of answerer.answer([{ role: 'user', content }], how)) text += piece.text;
      return text;
    };
    const tuned: string[] = [];
    const before: string[] = [];
    for (const content of prompts) {
      const [one, other] = await Promise.all([answer(content, true), answer(content, false)]);
      tuned.push(one);
      before.push(other);
    }
    await answerer.close();
    return { tuned, before };
  }

  async function answersOf(modelPath: string, adapterFolder: string | null): Promise<string[]> {
    const answerer = await openAnswerer({ modelPath, adapterFolder, weightType: 'f32', contextLength: 128 });
    const answers: string[] = [];
    for (const content of prompts) {
      let text = '';
      const how = { sampling: greedy, maxNewTokens: 16, seed: 0 };
      for await (const piece of answerer.answer([{ role: 'user', content }], how)) text += piece.text;
      answers.push(text);
    }
    await answerer.close();
    return answers;
  }
});

describe('plain text', () => {
  const text = 'the keeper lights the lamp at dusk and puts it out at dawn. '.repeat(20);

  test.each(['txt', 'jsonl'])('of a .%s file is learned whole, in rows of sequence_len', async (ending) => {
    const folder = temporaryFolder();
    const path = join(folder, `text.${ending}`);
    writeFileSync(path, ending === 'txt' ? `${text}\n` : `${JSON.stringify({ text })}\n`);
    const changes = { ...fullFineTuning, learning_rate: 0.005, datasets: [{ path }], max_steps: 30 };
    const run = await trainHere(tinyRecipe(folder, changes));
    const [prepared] = eventsOf(run, 'data_prepared');
    expect(prepared).toMatchObject({ rows: 1, dropped: 0, truncated: 0 });
    expect(prepared?.tokens).toBeGreaterThanOrEqual(text.trim().length);
    expect(prepared?.targetTokens).toBeGreaterThan(0.97 * text.length);
    const losses = lossesOf(run);
    expect(losses.at(-1)).toBeLessThan(0.6 * (losses[0] as number));
  });
});

describe('a row longer than sequence_len', () => {
  test('raise: the run does not start', async () => {
    await expect(trainHere(withLongRow('raise'))).rejects.toMatchObject({ code: 'rows_too_long' });
  });

  test.each([
    { strategy: 'drop', dropped: 1, truncated: 0, listed: { verdict: 'dropped', reason: 'too_long' } },
    { strategy: 'truncate', dropped: 0, truncated: 1, listed: { verdict: 'truncated', from: 125 } },
  ] as const)('$strategy: it is listed', async ({ strategy, dropped, truncated, listed }) => {
    const run = await trainHere(withLongRow(strategy));
    expect(eventsOf(run, 'data_prepared')).toMatchObject([{ rows: 25, dropped, truncated }]);
    const lines = readFileSync(join(run.path, 'data', 'dropped.jsonl'), 'utf8')
      .trim()
      .split('\n');
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ row: 25, ...listed }]);
  });
});

/** Its 25th row has 125 tokens. */
function withLongRow(strategy: 'raise' | 'drop' | 'truncate'): Recipe {
  const folder = temporaryFolder();
  const recipe = tinyRecipe(folder, { excess_length_strategy: strategy, max_steps: 2 });
  const long = { role: 'assistant', content: 'LONG '.repeat(20) };
  appendFileSync(
    recipe.datasets[0]?.path ?? '',
    `${JSON.stringify({ messages: [{ role: 'user', content: 'long' }, long] })}\n`,
  );
  return recipe;
}
