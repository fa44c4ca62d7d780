import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openSafetensors } from '@anneal/formats/safetensors/read';
import { describe, expect, onTestFinished, test } from 'vitest';
import { loadLoraWeights } from '../src/models/adapters/loadLora.ts';
import { tokensOfBase } from '../src/models/adapters/tokens.ts';
import { openModel } from '../src/models/open.ts';
import { resolveRecipe } from '../src/recipe/resolve.ts';
import type { Recipe } from '../src/recipe/schema.ts';
import { fitOf } from '../src/trainer/fit.ts';
import { createJob } from '../src/trainer/job.ts';
import { RunDirectory } from '../src/trainer/runDirectory.ts';
import { openSession } from '../src/trainer/session.ts';
import { temporaryFolder, writeTinyModel } from './fixtures.ts';
import {
  checkpointPath,
  continueHere,
  createRun,
  eventsOf,
  lossesOf,
  tinyRecipe,
  trainHere,
  weightsHash,
} from './runs.ts';

const fullFineTuning = { adapter: null, lora_r: undefined, lora_alpha: undefined } as const;

describe('going on', () => {
  // Without shuffling every epoch is the same six steps.
  const level = { lr_scheduler: 'constant', shuffle: false, save_steps: 6, max_steps: 12 } as const;

  test('lora_model_dir starts where the adapter was', async () => {
    const recipe = tinyRecipe(temporaryFolder(), level);
    const first = await trainHere(recipe);
    const second = await trainHere({ ...recipe, lora_model_dir: checkpointPath(first, 6) });
    expect(lossesOf(second)[0]).toBe(lossesOf(first)[6]);
    // The optimizer begins anew, so the runs part.
    expect(lossesOf(second)[2]).not.toBe(lossesOf(first)[8]);
  });

  test.each<[string, Partial<Recipe>, string]>([
    ['LoRA', { lora_dropout: 0.1 }, 'adapter_model.safetensors'],
    ['DoRA', { peft_use_dora: true }, 'adapter_model.safetensors'],
    ['a bias on every B', { peft_lora_bias: true }, 'adapter_model.safetensors'],
    ['PiSSA', { peft_init_lora_weights: 'pissa', lora_r: 4 }, 'adapter_model.safetensors'],
    ['LoftQ', { peft_init_lora_weights: 'loftq', adapter: 'qlora', lora_r: 4 }, 'adapter_model.safetensors'],
    [
      'rows of some tokens, by averages',
      { peft_trainable_token_indices: [40, 7], optimizer: 'schedule_free_adamw' },
      'adapter_model.safetensors',
    ],
    ['rows of some tokens', { peft_trainable_token_indices: [40, 7], save_steps: 5 }, 'adapter_model.safetensors'],
    ['an embedding in full', { lora_modules_to_save: ['embed_tokens', 'norm'] }, 'adapter_model.safetensors'],
    ['full fine-tuning', { ...fullFineTuning, learning_rate: 0.005 }, 'model.safetensors'],
    [
      'between the floor and a restart',
      { lr_scheduler: 'cosine_with_restarts', lr_scheduler_kwargs: { num_cycles: 3 } },
      'adapter_model.safetensors',
    ],
    ['Adafactor', { optimizer: 'adafactor' }, 'adapter_model.safetensors'],
    ['Adafactor of everything', { ...fullFineTuning, optimizer: 'adafactor' }, 'model.safetensors'],
    ['Muon', { ...fullFineTuning, optimizer: 'muon' }, 'model.safetensors'],
    ['noise on the embeddings', { neftune_noise_alpha: 5 }, 'adapter_model.safetensors'],
    ['without a schedule', { optimizer: 'schedule_free_adamw' }, 'adapter_model.safetensors'],
    ['a moving average of the weights', { ema_decay: 0.9 }, 'adapter_model.safetensors'],
    [
      'an average of rows of some tokens, with moments in 8 bits',
      { ema_decay: 0.9, peft_trainable_token_indices: [40, 7], lora_r: 128, optimizer: 'adamw_8bit' },
      'adapter_model.safetensors',
    ],
    ['Lion', { optimizer: 'lion', learning_rate: 0.001 }, 'adapter_model.safetensors'],
    ['moments in 8 bits', { ...fullFineTuning, learning_rate: 0.005, optimizer: 'adamw_8bit' }, 'model.safetensors'],
    ['an adapter with moments in 8 bits', { lora_r: 128, optimizer: 'adamw_8bit' }, 'adapter_model.safetensors'],
  ])('resume_from_checkpoint continues with the same bits: %s', async (_, changes, file) => {
    const recipe = tinyRecipe(temporaryFolder(), { save_steps: 5, max_steps: 12, ...changes });
    const first = await trainHere(recipe);
    const second = await trainHere({ ...recipe, resume_from_checkpoint: checkpointPath(first, 5) });
    expect(eventsOf(second, 'step')[0]?.step).toBe(6);
    expect(weightsHash(second, 12, file)).toBe(weightsHash(first, 12, file));
  });

  test('resume_from_checkpoint continues with the same bits: experts', async () => {
    const folder = temporaryFolder();
    const recipe = tinyRecipe(folder, {
      save_steps: 2,
      max_steps: 4,
      base_model: writeTinyModel(folder, 'qwen3-moe'),
      lora_target_linear: false,
      lora_target_parameters: ['gate_up_proj', 'down_proj'],
      lora_r: 2,
    });
    const first = await trainHere(recipe);
    const second = await trainHere({ ...recipe, resume_from_checkpoint: checkpointPath(first, 2) });
    const [hash, again] = [first, second].map((run) => weightsHash(run, 4, 'adapter_model.safetensors'));
    expect(again).toBe(hash);
    const dropping = { ...recipe, lora_target_parameters: null, lora_dropout: 0.1, lora_target_linear: true };
    await expect(trainHere({ ...dropping, lora_model_dir: checkpointPath(first, 2) })).rejects.toThrow(
      'is on experts, where nothing is dropped',
    );
  });

  test.each([
    ['DoRA', 'peft_use_dora', /DoRA/],
    ['biases', 'peft_lora_bias', /has (no )?biases/],
  ] as const)('an adapter with %s does not begin a run without, nor the other way round', async (_, key, message) => {
    const recipe = tinyRecipe(temporaryFolder(), { ...level, save_steps: 1, max_steps: 1 });
    for (const on of [true, false]) {
      const run = await trainHere({ ...recipe, [key]: on });
      const other = { ...recipe, [key]: !on };
      const checkpoint = checkpointPath(run, 1);
      await expect(trainHere({ ...other, lora_model_dir: checkpoint })).rejects.toThrow(message);
      await expect(trainHere({ ...other, resume_from_checkpoint: checkpoint })).rejects.toThrow(/the checkpoint has/);
    }
  });

  test('averages take the place of the weights in evaluations, samples and checkpoints, and nowhere else', async () => {
    const folder = temporaryFolder();
    const recipe = tinyRecipe(folder, { ...fullFineTuning, optimizer: 'schedule_free_adamw', saves_per_epoch: 0 });
    const alone = await trainHere(recipe);
    const watched = await trainHere({
      ...recipe,
      saves_per_epoch: null,
      save_steps: 5,
      test_datasets: recipe.datasets,
      eval_steps: 2,
      sample_prompts: ['Capital of France?'],
      sample_max_tokens: 2,
    });
    expect(weightsHash(watched, 12, 'model.safetensors')).toBe(weightsHash(alone, 12, 'model.safetensors'));
    expect(lossesOf(watched)).toEqual(lossesOf(alone));
    const [memory, model] = ['optimizer', 'model'].map((name) => {
      const source = openSafetensors(join(checkpointPath(alone, 12), `${name}.safetensors`));
      onTestFinished(() => source.close());
      return source;
    });
    const average = model?.float32('model.embed_tokens.weight') ?? [];
    // What lies in the average's place is y, between z and the average.
    const [y = [], z = []] = ['x', 'z'].map((part) => memory?.float32(`optimizer/embed.${part}`));
    expect(y).not.toEqual(average);
    const between = Array.from(average, (value, i) => 0.1 * (z[i] as number) + 0.9 * value);
    expect(between.reduce((most, value, i) => Math.max(most, Math.abs(value - (y[i] as number))), 0)).toBeLessThan(
      1e-6,
    );
  });

  test('what a checkpoint remembers and a recipe does not read is refused: its weights are averages', async () => {
    const recipe = tinyRecipe(temporaryFolder(), { ...level, ema_decay: 0.9, max_steps: 1 });
    const first = await trainHere(recipe);
    const going = trainHere({
      ...recipe,
      ema_decay: 0,
      max_steps: 2,
      resume_from_checkpoint: checkpointPath(first, 1),
    });
    await expect(going).rejects.toThrow(/the checkpoint's optimizer\/.*\.ema is nothing that this recipe's optimizer/);
  });

  test('a moving average begins as the weights, follows by less in the first steps, and is what a checkpoint has', async () => {
    const recipe = tinyRecipe(temporaryFolder(), {
      ...fullFineTuning,
      ema_decay: 0.5,
      learning_rate: 0.01,
      max_steps: 2,
    });
    const changes = { lr_scheduler: 'constant', warmup_steps: undefined, bf16: false, save_steps: 1 } as const;
    const run = await trainHere({ ...recipe, ...changes });
    const name = 'model.layers.0.mlp.up_proj.weight';
    let average = tensorIn(recipe.base_model, name);
    for (const step of [1, 2]) {
      const folder = checkpointPath(run, step);
      // The two have changed their places.
      const weights = tensorIn(folder, 'optimizer/layers.0.up.ema', 'optimizer.safetensors');
      const share = 1 - (1 + step) / (10 + step);
      average = average.map((value, i) => value + share * ((weights[i] as number) - value));
      const saved = tensorIn(folder, name);
      expect(saved).not.toEqual(weights);
      expect(Math.max(...saved.map((value, i) => Math.abs(value - (average[i] as number))))).toBeLessThan(1e-6);
    }
  });

  test('tokens: their rows alone change, and an adapter goes on with the same ones only', async () => {
    const recipe = tinyRecipe(temporaryFolder(), { ...level, peft_trainable_token_indices: [40, 7] });
    const first = await trainHere(recipe);
    const lora_model_dir = checkpointPath(first, 6);
    expect(lossesOf(await trainHere({ ...recipe, max_steps: 1, lora_model_dir }))[0]).toBe(lossesOf(first)[6]);
    const other = { ...recipe, peft_trainable_token_indices: [7] };
    await expect(trainHere({ ...other, lora_model_dir })).rejects.toThrow(
      'has tokens 40, 7 trained, this recipe tokens 7',
    );
    await expect(trainHere({ ...other, resume_from_checkpoint: lora_model_dir })).rejects.toThrow(
      'the checkpoint has tokens',
    );
    await expect(trainHere({ ...recipe, peft_trainable_token_indices: [5000] })).rejects.toThrow('names token 5000');
    await expect(trainHere({ ...recipe, lora_modules_to_save: ['lm_head'] })).rejects.toThrow(
      'every row of the embedding',
    );
    const model = openModel(recipe.base_model);
    onTestFinished(() => model.close());
    const { tokens } = await loadLoraWeights(lora_model_dir, model);
    expect(tokens?.ids).toEqual([40, 7]);
    const base = tokensOfBase(model, [40, 7]).values;
    expect(tokens?.values.filter((value, i) => value !== base[i]).length).toBeGreaterThan(base.length / 2);
  });

  test('an adapter goes on with what was trained in full beside it, and nothing else', async () => {
    const folder = temporaryFolder();
    const recipe = tinyRecipe(folder, {
      ...level,
      base_model: writeTinyModel(folder, 'qwen2'),
      lora_target_modules: ['q_proj'],
    });
    const full: Recipe = { ...recipe, lora_modules_to_save: ['lm_head', 'input_layernorm'], peft_bias: 'all' };
    const first = await trainHere(full);
    const lora_model_dir = checkpointPath(first, 6);
    expect(lossesOf(await trainHere({ ...full, max_steps: 1, lora_model_dir }))[0]).toBe(lossesOf(first)[6]);
    for (const other of [recipe, { ...full, peft_bias: 'lora_only' as const }]) {
      await expect(trainHere({ ...other, lora_model_dir })).rejects.toThrow(
        /has embed, .*layers.1.v_bias trained in full/,
      );
    }
    await expect(trainHere({ ...recipe, resume_from_checkpoint: lora_model_dir })).rejects.toThrow(
      /the checkpoint has embed, .* trained in full, this recipe nothing/,
    );
  });

  test.each<[string, Partial<Recipe>]>([
    ['a matrix that is embedding and head twice', { lora_modules_to_save: ['embed_tokens'] }],
    ['of an embedding the trained rows alone', { peft_trainable_token_indices: [7, 40] }],
    ['of an output layer the adapter alone', { lora_target_modules: ['layers.0.self_attn.q_proj', 'lm_head'] }],
  ])('the disk for a checkpoint is known, though PEFT has %s', async (_, changes) => {
    const recipe = tinyRecipe(temporaryFolder(), {
      max_steps: 1,
      lora_target_modules: ['layers.0.self_attn.q_proj'],
      ...changes,
    });
    const run = await trainHere(recipe);
    const session = await openSession(createJob(resolveRecipe(recipe, { baseDirectory: '/' })), {
      dataFolder: temporaryFolder(),
    });
    const { checkpoint } = fitOf(session, run.path).disk;
    await session.close();
    const written = ['adapter_model.safetensors', 'optimizer.safetensors'].map((file) => {
      const source = openSafetensors(join(checkpointPath(run, 1), file));
      source.close();
      return [...source.tensors.values()].reduce((sum, { shape }) => sum + 4 * shape.reduce((n, d) => n * d, 1), 0);
    });
    // Variables are aligned, tensors in files are not; the embedding takes 20 kB.
    const padding = checkpoint - written.reduce((sum, bytes) => sum + bytes);
    expect(padding).toBeGreaterThanOrEqual(0);
    expect(padding).toBeLessThan(10_000);
  });

  test('a run that was asked to stop saves, and goes on with the same bits', async () => {
    const recipe = tinyRecipe(temporaryFolder(), { max_steps: 12, saves_per_epoch: 0 });
    const undisturbed = await trainHere(recipe);

    const run = await createRun(recipe);
    const signal = Object.assign(signalAt(run, { stop: 5 }), { stopReason: 'asked' as const });
    const stopped = await continueHere(run, { signal });
    await run.close();
    expect(eventsOf(stopped, 'checkpoint').at(-1)).toMatchObject({ step: 5, why: 'stop' });
    expect(stopped.steps).toEqual([5]);
    expect(stopped.events.at(-1)).toMatchObject({ type: 'stopped', step: 5, why: 'asked' });

    await using again = await RunDirectory.open(run.path);
    const finished = await continueHere(again);
    expect(eventsOf(finished, 'resumed')).toMatchObject([{ fromStep: 5 }]);
    expect(lossesOf(finished)).toEqual(lossesOf(undisturbed));
    expect(weightsHash(finished, 12)).toBe(weightsHash(undisturbed, 12));
    expect(readFileSync(join(finished.path, 'losses.bin'))).toEqual(readFileSync(join(undisturbed.path, 'losses.bin')));
  });

  test('a run that was asked to save does so once and trains on', async () => {
    await using run = await createRun(tinyRecipe(temporaryFolder(), { max_steps: 6, saves_per_epoch: 0 }));
    const finished = await continueHere(run, { signal: signalAt(run, { save: 2 }) });
    expect(finished.steps).toEqual([2, 6]);
  });

  test.each(['data', 'model', 'template'] as const)('a run whose %s changed is not continued', async (what) => {
    const recipe = tinyRecipe(temporaryFolder(), { max_steps: 12, saves_per_epoch: 0 });
    const run = await createRun(recipe);
    await continueHere(run, { signal: signalAt(run, { stop: 3 }) });
    await run.close();
    if (what === 'data') appendFileSync(recipe.datasets[0]?.path ?? '', readFileSync(recipe.datasets[0]?.path ?? ''));
    if (what === 'model') {
      const path = join(recipe.base_model, 'model.safetensors');
      const bytes = readFileSync(path);
      bytes[bytes.length - 2] = (bytes.at(-2) ?? 0) ^ 1;
      writeFileSync(path, bytes);
    }
    if (what === 'template') {
      const path = join(recipe.base_model, 'tokenizer_config.json');
      writeFileSync(path, readFileSync(path, 'utf8').replace("'<|im_end|>\\n'", "'<|im_end|>\\n\\n'"));
    }
    await using again = await RunDirectory.open(run.path);
    await expect(continueHere(again)).rejects.toMatchObject({ code: 'run_inputs_changed' });
    expect((await again.checkpoints()).map(({ step }) => step)).toEqual([3]);
  });
});

test('a loss that is not a number ends the run; the checkpoint before stays', async () => {
  await using run = await createRun(tinyRecipe(temporaryFolder(), { save_steps: 4, max_steps: 12 }));
  const changes = { scheduleFor: () => (step: number) => (step === 5 ? 1e38 : 0.001) };
  await expect(continueHere(run, { changes })).rejects.toMatchObject({ code: 'loss_not_finite' });
  expect((await run.checkpoints()).map(({ step }) => step)).toEqual([4]);
  // The step is on record, so that a chart shows where it was.
  expect(run.status).toMatchObject({ step: 7, loss: null });
});

/** Asks for something as soon as a step is on record. */
function signalAt(run: RunDirectory, { stop, save }: { stop?: number; save?: number }) {
  let saved = false;
  return {
    get stopRequested() {
      return stop !== undefined && (run.status.step ?? 0) >= stop;
    },
    get saveRequested() {
      return save !== undefined && !saved && (run.status.step ?? 0) >= save;
    },
    set saveRequested(_: boolean) {
      saved = true;
    },
  };
}

function tensorIn(folder: string, name: string, file = 'model.safetensors'): Float32Array {
  const source = openSafetensors(join(folder, file));
  onTestFinished(() => source.close());
  return source.float32(name);
}
