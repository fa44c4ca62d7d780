import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../../../scripts/testing/temporaryFolder.ts';
import { UserError } from '../../errors.ts';
import { parseRecipe } from '../read.ts';
import { resolveRecipe } from '../resolve.ts';
import { recipeSchema } from '../schema.ts';
import { axolotlRules, fromAxolotl } from './axolotl.ts';
import { importRecipe, importRecipeFile } from './index.ts';
import { fromLlamaFactory, llamaFactoryRules } from './llamaFactory.ts';
import { type Input, isMapping, type Translation } from './translate.ts';
import { fromUnsloth, unslothRules, unslothSections } from './unsloth.ts';

const fixtures = new URL('fixtures/', import.meta.url);

async function imported(name: string) {
  const info = JSON.parse(await readFile(new URL('dataset_info.json', fixtures), 'utf8')) as Input;
  return importRecipe(await readFile(new URL(name, fixtures), 'utf8'), name, info);
}

const untranslatedKeys = (translation: Translation) => translation.untranslated.map(({ key }) => key);
const impliedKeys = (translation: Translation) => translation.implied.map(({ key }) => key);

describe('Axolotl', () => {
  it('QLoRA on Alpaca', async () => {
    const result = await imported('axolotl-qlora.yml');
    expect(result).toMatchObject({ kind: 'axolotl', problems: [], untranslated: [] });
    expect(impliedKeys(result)).toEqual(['excess_length_strategy']);
    expect(result.recipe).toEqual({
      base_model: 'NousResearch/Meta-Llama-3-8B',
      adapter: 'qlora',
      load_in_4bit: true,
      lora_r: 32,
      lora_alpha: 16,
      lora_dropout: 0.05,
      lora_target_linear: true,
      datasets: [{ path: 'aaditya/alpaca_subset_1', type: 'alpaca', split: 'train' }],
      val_set_size: 0.05,
      sequence_len: 4096,
      excess_length_strategy: 'drop',
      sample_packing: true,
      micro_batch_size: 2,
      gradient_accumulation_steps: 4,
      num_epochs: 4,
      learning_rate: 2e-4,
      lr_scheduler: 'cosine',
      warmup_ratio: 0.1,
      optimizer: 'adamw_torch',
      weight_decay: 0,
      logging_steps: 1,
      evals_per_epoch: 4,
      saves_per_epoch: 1,
      bf16: 'auto',
      activations: 'recompute',
      output_dir: './outputs/out/qlora-llama3',
    });
  });

  it('LoRA on conversations, with much that has no counterpart', async () => {
    const result = await imported('axolotl-chat.yml');
    expect(result.problems).toEqual([]);
    expect(untranslatedKeys(result)).toEqual([
      'load_in_8bit',
      'deepspeed',
      'special_tokens',
      'made_up_key',
      'test_datasets.0.split',
    ]);
    expect(result.recipe).toMatchObject({
      adapter: 'lora',
      chat_template: 'chatml',
      sequence_len: 512,
      excess_length_strategy: 'drop',
      gradient_accumulation_steps: 4,
      evals_per_epoch: 4,
      saves_per_epoch: 1,
      activations: 'offload',
      train_on_inputs: false,
      datasets: [
        {
          type: 'chat_template',
          message_property_mappings: { role: 'from', content: 'value' },
          roles_to_train: ['assistant'],
        },
        { path: 'data/facts.txt', type: 'completion', field: 'body' },
      ],
    });
    expect(result.recipe).not.toHaveProperty('warmup_steps');
    expect(result.text).toContain('#  made_up_key: 3 (not a setting that this translator knows)');
  });

  it('full fine-tuning on text', async () => {
    const result = await imported('axolotl-full.yml');
    expect(result).toMatchObject({ problems: [], untranslated: [] });
    expect(result.recipe).toMatchObject({
      adapter: null,
      revision: '4e53f736cbb20a9a0f56b4c4bf378d0f306ff915',
      shuffle: false,
      max_steps: 200,
      weight_decay: 0.1,
      micro_batch_size: 1,
    });
    expect(result.recipe).not.toHaveProperty('lora_r');
  });

  it('a bare adapter takes the targets that PEFT would take', () => {
    expect(fromAxolotl({ base_model: 'm', adapter: 'lora' }).recipe.lora_target_modules).toEqual(['q_proj', 'v_proj']);
  });

  it.each([
    [{ lora_target_linear: true, lora_target_modules: ['q_proj'], adapter: 'lora' }, { lora_target_linear: true }],
    [
      { load_in_4bit: true, adapter: 'lora' },
      { adapter: 'qlora', load_in_4bit: true },
    ],
    [{ warmup_steps: 5, warmup_ratio: 0.1 }, { warmup_steps: 5 }],
    [{ warmup_steps: 0, warmup_ratio: 0.1 }, { warmup_ratio: 0.1 }],
    [
      { eval_steps: 0.5, num_epochs: 2 },
      { num_epochs: 2, evals_per_epoch: 1 },
    ],
    [{ eval_strategy: 'epoch', eval_steps: 100 }, { evals_per_epoch: 1 }],
    [{ gradient_checkpointing: 'unsloth' }, { activations: 'offload' }],
    [
      { optimizer: 'lion_pytorch', adam_epsilon: 1e-8 },
      { optimizer: 'lion', adam_beta2: 0.999 },
    ],
    [{ optimizer: 'adafactor', adam_beta1: 0.9 }, { optimizer: 'adafactor' }],
    [
      { lora_target_parameters: 'mlp.experts.down_proj', adapter: 'lora' },
      { lora_target_parameters: ['mlp.experts.down_proj'] },
    ],
    [{ noisy_embedding_alpha: 5 }, { neftune_noise_alpha: 5 }],
    [{ embedding_lr: 0.001 }, { embedding_lr: 0.001 }],
    [{ embedding_lr_scale: 0.5, learning_rate: 0.002 }, { embedding_lr: 0.001 }],
    [{ peft_init_lora_weights: 'pissa_niter_4', adapter: 'lora' }, { peft_init_lora_weights: 'pissa' }],
    [
      { peft_trainable_token_indices: { embed_tokens: [1, 2] }, adapter: 'lora' },
      { peft_trainable_token_indices: [1, 2] },
    ],
    [{ lr_scheduler: 'inverse_sqrt' }, { lr_scheduler: 'inverse_sqrt' }],
    [{ lr_scheduler_kwargs: { num_cycles: 2 } }, { lr_scheduler_kwargs: { num_cycles: 2 } }],
    [
      { lr_scheduler: 'polynomial', lr_scheduler_kwargs: '{"power": 2}' },
      { lr_scheduler: 'polynomial', lr_scheduler_kwargs: { power: 2 } },
    ],
    [
      { pretraining_dataset: [{ path: 'c4', text_column: 'body' }] },
      { datasets: [{ path: 'c4', field: 'body', type: 'completion' }] },
    ],
    [
      { datasets: [{ path: 'a', type: { field_output: 'o' } }] },
      { datasets: [{ path: 'a', type: 'alpaca', field_output: 'o' }] },
    ],
  ])('%j becomes %j', (input, ours) => {
    const { recipe, translated, untranslated } = fromAxolotl(input as Input);
    expect(untranslated).toEqual([]);
    expect(translated.length).toBeGreaterThan(0);
    expect(recipe).toMatchObject(ours);
    for (const key of ['lora_target_modules', 'warmup_ratio', 'warmup_steps', 'eval_steps']) {
      if (!(key in ours) && key in input) expect(recipe).not.toHaveProperty(key);
    }
  });

  it.each([
    [{ eval_steps: 0.3, num_epochs: 2 }, 'eval_steps'],
    [{ optimizer: 'lion_8bit' }, 'optimizer'],
    [{ lr_scheduler: 'rex' }, 'lr_scheduler'],
    [{ lr_scheduler: 'linear', lr_scheduler_kwargs: { power: 2 } }, 'lr_scheduler_kwargs'],
    [{ lr_scheduler: 'polynomial', lr_scheduler_kwargs: { power: 'x' } }, 'lr_scheduler_kwargs'],
    [{ lr_scheduler_kwargs: '{' }, 'lr_scheduler_kwargs'],
    [{ lora_target_modules: '.*q_proj', adapter: 'lora' }, 'lora_target_modules'],
    [{ peft_trainable_token_indices: { lm_head: [1] }, adapter: 'lora' }, 'peft_trainable_token_indices'],
    [{ batch_size: 5, micro_batch_size: 2 }, 'batch_size'],
    [{ learning_rate: 'fast' }, 'learning_rate'],
    [{ bf16: true, bfloat16: true, lora_r: -1, adapter: 'lora' }, 'lora_r'],
    [{ saves_per_epoch: 2, save_strategy: 'epoch' }, 'save_strategy'],
    [
      { datasets: [{ path: 'a', type: { field_instruction: 'q', no_input_format: '{instruction}' } }] },
      'datasets.0.type',
    ],
    [{ datasets: [{ path: 'a', split: 'train[:10%]' }] }, 'datasets.0.split'],
    [{ datasets: 7 }, 'datasets'],
  ])('%j is reported', (input, key) => {
    expect(untranslatedKeys(fromAxolotl(input as Input))).toEqual([key]);
  });

  it.each([{ rl: 'grpo' }, { adapter: 'llama-adapter' }])('%j is refused', (input) => {
    expect(() => fromAxolotl(input)).toThrow(UserError);
  });
});

describe('LLaMA-Factory', () => {
  it('LoRA', async () => {
    const result = await imported('llama-factory-lora.yaml');
    expect(result).toMatchObject({ kind: 'llama-factory', problems: [] });
    expect(untranslatedKeys(result)).toEqual(['trust_remote_code']);
    expect(result.recipe).toMatchObject({
      base_model: 'meta-llama/Meta-Llama-3-8B-Instruct',
      adapter: 'lora',
      lora_r: 8,
      lora_alpha: 16,
      lora_target_linear: true,
      sequence_len: 2048,
      excess_length_strategy: 'truncate',
      learning_rate: 1e-4,
      num_epochs: 3,
      weight_decay: 0,
      eval_steps: 500,
      datasets: [
        { path: 'data/identity.json', type: 'alpaca', max_samples: 1000 },
        { path: 'data/alpaca_en_demo.json', max_samples: 1000 },
      ],
    });
  });

  it('QLoRA on conversations that dataset_info.json describes', async () => {
    const result = await imported('llama-factory-qlora.yaml');
    expect(result.problems).toEqual([]);
    expect(untranslatedKeys(result)).toEqual(['mask_history', 'metric_for_best_model']);
    expect(result.recipe).toMatchObject({
      adapter: 'qlora',
      load_in_4bit: true,
      lora_r: 16,
      lora_alpha: 32,
      lora_target_modules: ['q_proj', 'v_proj'],
      peft_use_rslora: true,
      chat_template_kwargs: { enable_thinking: false },
      sample_packing: true,
      excess_length_strategy: 'drop',
      optimizer: 'adamw_8bit',
      lr_scheduler: 'cosine_with_min_lr',
      lr_scheduler_kwargs: { min_lr_rate: 0.1 },
      warmup_steps: 50,
      saves_per_epoch: 0,
      learning_rate: 5e-5,
      datasets: [
        { path: 'my_data/glaive_toolcall_en_demo.json', field_tools: 'tools', field_messages: 'conversations' },
        {
          field_system: 'persona',
          roles: { user: ['customer'], assistant: ['agent'], function_call: ['function_call'] },
        },
      ],
      test_datasets: [{ path: 'my_data/held_out.json' }],
    });
  });

  it('pre-training on text', async () => {
    const result = await imported('llama-factory-pretrain.yaml');
    expect(result.problems).toEqual([]);
    expect(untranslatedKeys(result)).toEqual(['deepspeed']);
    expect(result.recipe).toMatchObject({
      adapter: null,
      sample_packing: true,
      shuffle: false,
      activations: 'keep',
      lr_scheduler: 'constant',
      num_epochs: 3,
      datasets: [
        { path: 'data/wiki_demo.txt', type: 'completion', field: 'text' },
        { path: 'data/c4_demo.jsonl', type: 'completion', field: 'text' },
      ],
    });
    expect(result.recipe).not.toHaveProperty('warmup_ratio');
  });

  it('the balance loss of routers', () => {
    expect(fromLlamaFactory({ moe_aux_loss_coef: 0.01 }).recipe).toMatchObject({ router_aux_loss_coef: 0.01 });
  });

  it.each([
    [{ stage: 'dpo', pref_loss: 'kto_pair' }, 'Anneal imports'],
    [{ stage: 'ppo' }, 'Anneal imports'],
    [{ finetuning_type: 'freeze' }, 'Anneal imports'],
  ])('%j is refused', (input, next) => {
    expect(() => fromLlamaFactory(input)).toThrow(expect.objectContaining({ next: expect.stringContaining(next) }));
  });

  it('finds dataset_info.json beside the recipe', async () => {
    const folder = temporaryFolder('import');
    await writeFile(join(folder, 'dataset_info.json'), '{"mine": {"file_name": "rows.csv"}}');
    const path = join(folder, 'recipe.yaml');
    await writeFile(path, 'model_name_or_path: m\ndataset: mine\ndataset_dir: .\n');
    expect((await importRecipeFile(path)).recipe.datasets?.[0]).toMatchObject({ path: 'rows.csv', type: 'alpaca' });
    await writeFile(join(folder, 'dataset_info.json'), '{');
    await expect(importRecipeFile(path)).rejects.toMatchObject({ code: 'invalid_json' });
  });
});

describe('Unsloth', () => {
  it('what its studio saves, which names neither model nor data', async () => {
    const result = await imported('unsloth-studio.yaml');
    expect(result).toMatchObject({ kind: 'unsloth', untranslated: [] });
    expect(result.problems.map(({ path }) => path.join('.'))).toEqual(['base_model', 'datasets']);
    expect(impliedKeys(result)).toEqual(['adapter', 'excess_length_strategy']);
    expect(result.recipe).toEqual({
      adapter: 'qlora',
      sequence_len: 4096,
      excess_length_strategy: 'truncate',
      num_epochs: 2,
      learning_rate: 1e-4,
      micro_batch_size: 4,
      gradient_accumulation_steps: 8,
      warmup_steps: 5,
      saves_per_epoch: 0,
      evals_per_epoch: 5,
      weight_decay: 0.001,
      seed: 3407,
      sample_packing: true,
      train_on_inputs: false,
      activations: 'auto',
      optimizer: 'adamw_8bit',
      lr_scheduler: 'linear',
      lora_r: 16,
      lora_alpha: 32,
      lora_dropout: 0.05,
      lora_target_modules: ['q_proj', 'v_proj'],
      lora_modules_to_save: ['embed_tokens'],
      peft_use_rslora: true,
    });
  });

  it('what `unsloth train` reads, with its defaults', async () => {
    const result = await imported('unsloth-train.yaml');
    expect(result).toMatchObject({ kind: 'unsloth', problems: [], untranslated: [] });
    expect(result.recipe).toMatchObject({
      base_model: 'unsloth/Qwen2.5-0.5B',
      datasets: [{ path: 'tatsu-lab/alpaca', type: 'alpaca' }],
      adapter: 'qlora',
      load_in_4bit: true,
      lora_r: 64,
      lora_alpha: 16,
      lora_target_modules: ['q_proj', 'k_proj', 'v_proj', 'o_proj'],
      peft_init_lora_weights: 'loftq',
      max_steps: 100,
      save_steps: 50,
      micro_batch_size: 2,
      train_on_inputs: true,
      activations: 'recompute',
      warmup_steps: 5,
      optimizer: 'adamw_8bit',
      output_dir: 'outputs',
    });
    expect(result.recipe).not.toHaveProperty('num_epochs');
    expect(result.text).not.toContain('hf_of_somebody');
  });

  it.each([
    [{ training: { training_type: 'full', load_in_4bit: true }, lora: { lora_r: 8 } }, { adapter: null }],
    [{ training: { load_in_4bit: false } }, { adapter: 'lora' }],
    [{ lora: { target_modules: '' } }, { lora_target_linear: true }],
    [{ lora: { target_modules: 'all-linear' } }, { lora_target_linear: true }],
    [{ training: { gradient_checkpointing: 'none' } }, { activations: 'keep' }],
    [{ training: { eval_steps: 0 } }, { evals_per_epoch: 0 }],
    [{ training: { warmup_ratio: 0.1 } }, { warmup_ratio: 0.1 }],
    [
      { training: { embedding_learning_rate: 1e-5 }, lora: { target_modules: ['q_proj', 'lm_head'] } },
      { embedding_lr: 1e-5, lora_modules_to_save: ['lm_head'] },
    ],
    [
      { model: 'm', data: { local_dataset: ['a.jsonl', 'b.jsonl'], format_type: 'chatml' } },
      {
        datasets: [
          { path: 'a.jsonl', type: 'chat_template' },
          { path: 'b.jsonl', type: 'chat_template' },
        ],
      },
    ],
    [{ training: {}, inference: { temperature: 0.7 } }, { adapter: 'qlora' }],
  ])('%j becomes %j', (input, ours) => {
    const { recipe, untranslated } = fromUnsloth(input as Input);
    expect(untranslated).toEqual([]);
    expect(recipe).toMatchObject(ours);
  });

  it.each([
    [{ training: { optim: 'sgd' } }, 'training.optim'],
    [{ training: { vision_image_size: 512 } }, 'training.vision_image_size'],
    [{ training: { trust_remote_code: true } }, 'training.trust_remote_code'],
    [{ lora: { finetune_mlp_modules: false } }, 'lora.finetune_mlp_modules'],
    [{ training: { made_up: 1 } }, 'training.made_up'],
    [{ training: 7 }, 'training'],
    [{ made_up: 7 }, 'made_up'],
  ])('%j is reported', (input, key) => {
    expect(untranslatedKeys(fromUnsloth(input as Input))).toEqual([key]);
  });

  it('another way of training is refused', () => {
    expect(() => fromUnsloth({ training: { training_type: 'Continued Pretraining' } })).toThrow(UserError);
  });
});

describe('text', () => {
  it.each([
    ['learning_rate: 1', 'import_unknown_format'],
    ['- a', 'import_unknown_format'],
    ['base_model: [', 'yaml_syntax'],
    ['schema_version: 1\nbase_model: m', 'import_own_recipe'],
  ])('%j is refused', (text, code) => {
    expect(() => importRecipe(text, 'x.yaml')).toThrow(expect.objectContaining({ code }));
  });

  it('is read as Python reads it', () => {
    const { recipe } = importRecipe('base_model: m\nsample_packing: yes\ntrain_on_inputs: Off\n', 'x.yaml');
    expect(recipe).toMatchObject({ sample_packing: true, train_on_inputs: false });
  });

  it.each([
    'axolotl-qlora.yml',
    'axolotl-chat.yml',
    'axolotl-full.yml',
    'llama-factory-lora.yaml',
    'llama-factory-qlora.yaml',
    'llama-factory-pretrain.yaml',
    'unsloth-train.yaml',
  ])('of %s becomes a recipe that resolves', async (name) => {
    const { text, recipe } = await imported(name);
    const read = parseRecipe(text, 'recipe.yaml').recipe;
    expect(read).toEqual({ schema_version: 1, ...recipe });
    expect(resolveRecipe(read, { baseDirectory: '/project', exists: () => true }).seed).toBeGreaterThan(0);
  });
});

/** Keys as the lists name them: those of the entries of data set lists are dotted. */
function keysOf(input: Input, lists: readonly string[]): string[] {
  return Object.entries(input).flatMap(([key, list]) => {
    if (!lists.includes(key) || list === null) return [key];
    const entries: unknown[] = Array.isArray(list) ? list : [list];
    const mappings = entries.map((entry) => (typeof entry === 'string' ? { path: entry } : entry));
    if (entries.length === 0 || !mappings.every(isMapping)) return [key];
    return mappings.flatMap((entry, i) => Object.keys(entry).map((inner) => `${key}.${i}.${inner}`));
  });
}

/** As `keysOf`, of a file in sections. */
function keysOfSections(input: Input): string[] {
  return Object.entries(input).flatMap(([name, inner]) =>
    unslothSections.some((each) => each === name) && isMapping(inner)
      ? Object.keys(inner).map((key) => `${name}.${key}`)
      : [name],
  );
}

/** @param keys of the input, each as the account names it */
function check(translate: (input: Input) => Translation, input: Input, keys: readonly string[]): void {
  let result: Translation;
  try {
    result = translate(input);
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return;
  }
  const named = [...result.translated.map(({ from }) => from), ...untranslatedKeys(result)];
  expect(named.sort()).toEqual([...keys].sort());
  for (const [key, ours] of Object.entries(result.recipe)) {
    const shape: Record<string, { safeParse: (value: unknown) => { success: boolean } }> = recipeSchema.shape;
    if (!['datasets', 'test_datasets'].includes(key)) expect(shape[key]?.safeParse(ours).success, key).toBe(true);
  }
}

describe('any recipe', () => {
  const value = fc.oneof(
    fc.constantFrom(
      null,
      true,
      false,
      0,
      1,
      4,
      -1,
      0.1,
      'all',
      'no',
      'epoch',
      'cosine',
      'constant',
      'lora',
      'full',
      'x,y',
      '',
    ),
    fc.constantFrom<unknown>([], ['q_proj'], {}, { pad_token: 'x' }, { min_lr_rate: 0.1 }),
    fc.anything({ maxDepth: 1 }),
  );
  const recipeOf = (keys: string[]) =>
    fc.dictionary(
      fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...keys) }, { weight: 1, arbitrary: fc.string() }),
      value,
      {
        maxKeys: 25,
        noNullPrototype: true,
      },
    );
  const dataset = fc.oneof(
    recipeOf(['path', 'type', 'split', 'field', 'roles', 'message_field_role', 'ds_type', 'shards']),
    fc.string(),
  );

  it('of Axolotl: every key is in one of the lists, and every value is sound', () => {
    const lists = ['datasets', 'test_datasets', 'pretraining_dataset'];
    const input = fc
      .tuple(
        recipeOf(Object.keys(axolotlRules)),
        fc.record({ datasets: fc.array(dataset), test_datasets: value }, { requiredKeys: [] }),
      )
      .map(([keys, data]) => ({ ...keys, ...data }));
    fc.assert(
      fc.property(input, (each) => check(fromAxolotl, each, keysOf(each, lists))),
      { numRuns: 2000, seed: 7 },
    );
  });

  it('of LLaMA-Factory likewise', () => {
    const input = recipeOf([...Object.keys(llamaFactoryRules), 'dataset', 'eval_dataset']);
    fc.assert(
      fc.property(input, (each) => check(fromLlamaFactory, each, keysOf(each, []))),
      { numRuns: 2000, seed: 7 },
    );
  });

  it('of Unsloth likewise', () => {
    const section = fc.oneof(
      { weight: 9, arbitrary: recipeOf(Object.keys(unslothRules)) },
      { weight: 1, arbitrary: value },
    );
    const input = fc.dictionary(fc.constantFrom(...unslothSections, 'model', 'other'), section, {
      noNullPrototype: true,
    });
    fc.assert(
      fc.property(input, (each) => check(fromUnsloth, each, keysOfSections(each))),
      { numRuns: 500, seed: 7 },
    );
  });
});
