import { homedir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { USUAL_ROLES } from '../datasets/formats/roles.ts';
import { combinationFindings } from './combinations.ts';
import { InvalidRecipe } from './problem.ts';
import { parseRecipe } from './read.ts';
import { resolveRecipe } from './resolve.ts';
import type { Recipe } from './schema.ts';
import { optimizerNames } from './sections/optimizers.ts';
import { scheduleNames } from './sections/schedule.ts';
import { checkSupported } from './support.ts';
import { toYaml } from './toYaml.ts';

const minimal: Recipe = { base_model: 'org/model', datasets: [{ path: 'data.jsonl' }] };
const options = { baseDirectory: '/project', exists: (path: string) => path !== '/project/org/model' };
const resolve = (recipe: Partial<Recipe>) => resolveRecipe({ ...minimal, ...recipe }, options);

function dataset(written: Partial<Recipe['datasets'][number]>) {
  return resolve({ datasets: [{ path: 'data.jsonl', ...written }] }).datasets[0];
}

const some = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: undefined });

describe('defaults', () => {
  it('are those of the field for an adapter', () => {
    expect(resolve({})).toMatchObject({
      adapter: 'lora',
      lora_r: 16,
      lora_alpha: 16,
      lora_target_linear: true,
      lora_target_modules: null,
      learning_rate: 2e-4,
      num_epochs: 1,
      max_steps: null,
      warmup_ratio: 0.03,
      warmup_steps: null,
      seed: 3407,
    });
  });

  it('follow from other keys', () => {
    expect(resolve({ adapter: null })).toMatchObject({ lora_r: null, load_in_4bit: false, learning_rate: 2e-5 });
    expect(resolve({ adapter: 'qlora' })).toMatchObject({ load_in_4bit: true });
    expect(resolve({ lora_target_modules: ['q_proj'] })).toMatchObject({ lora_target_linear: false });
    expect(resolve({ lora_model_dir: 'adapter', lora_alpha: 8 })).toMatchObject({
      lora_r: null,
      lora_alpha: 8,
      lora_target_linear: null,
    });
    expect(resolve({ max_steps: 5, num_epochs: 3 })).toMatchObject({ max_steps: 5, num_epochs: null });
    expect(resolve({ warmup_steps: 5 })).toMatchObject({ warmup_steps: 5, warmup_ratio: null });
    expect(resolve({ lr_scheduler: 'constant' })).toMatchObject({ warmup_steps: 0, warmup_ratio: null });
    expect(resolve({ eval_steps: 5 })).toMatchObject({ eval_steps: 5, evals_per_epoch: null, saves_per_epoch: 1 });
    expect(resolve({ early_stopping_patience: 2, val_set_size: 0.1 }).load_best_model_at_end).toBe(true);
  });

  it("are transformers' for the schedule", () => {
    expect(resolve({}).lr_scheduler_kwargs).toEqual({ num_cycles: 0.5 });
    expect(resolve({ lr_scheduler: 'linear', lr_scheduler_kwargs: {} }).lr_scheduler_kwargs).toBeNull();
    expect(resolve({ lr_scheduler: 'polynomial', lr_scheduler_kwargs: { power: 2 } }).lr_scheduler_kwargs).toEqual({
      lr_end: 1e-7,
      power: 2,
    });
    const decay: Partial<Recipe> = { lr_scheduler: 'warmup_stable_decay', lr_scheduler_kwargs: { num_decay_steps: 9 } };
    expect(resolve(decay).lr_scheduler_kwargs).toEqual({
      num_decay_steps: 9,
      num_stable_steps: null,
      warmup_type: 'linear',
      decay_type: 'cosine',
      min_lr_ratio: 0,
      num_cycles: 0.5,
    });
  });

  it('are those of the optimizer, and null where it does not read them', () => {
    expect(resolve({})).toMatchObject({ adam_beta1: 0.9, adam_beta2: 0.999, adam_epsilon: 1e-8 });
    expect(resolve({ optimizer: 'lion_32bit', adam_beta1: 0.95 })).toMatchObject({
      optimizer: 'lion',
      adam_beta1: 0.95,
      adam_beta2: 0.99,
      adam_epsilon: null,
    });
  });

  it('without a schedule the rate stays level', () => {
    const recipe = { optimizer: 'schedule_free_adamw' } as const;
    expect(resolve(recipe).lr_scheduler).toBe('constant_with_warmup');
    expect(resolve({ ...recipe, lr_scheduler: 'linear' }).lr_scheduler).toBe('linear');
  });

  it('a schedule ends below its peak', () => {
    const ends = [
      { lr_scheduler: 'polynomial', learning_rate: 1e-7 },
      { lr_scheduler: 'cosine_with_min_lr', lr_scheduler_kwargs: { min_lr: 2e-4 } },
    ] as const;
    for (const changes of ends) expect(() => resolve(changes)).toThrow(/not below the peak/);
  });

  it('have one spelling', () => {
    expect(resolve({ optimizer: 'adamw_torch_fused', lr_scheduler: 'linear_with_warmup' })).toMatchObject({
      optimizer: 'adamw_torch',
      lr_scheduler: 'linear',
    });
    expect(resolve({ optimizer: 'adamw_bnb_8bit' }).optimizer).toBe('adamw_8bit');
  });
});

describe('data sets', () => {
  it('get the columns of their type', () => {
    expect(dataset({})).toMatchObject({
      type: 'auto',
      field_messages: null,
      field: null,
      roles_to_train: ['assistant'],
    });
    expect(dataset({ type: 'chat_template' })).toMatchObject({ field_messages: 'messages' });
    expect(dataset({ type: 'alpaca', field_output: 'answer' })).toMatchObject({
      field_instruction: 'instruction',
      field_input: 'input',
      field_output: 'answer',
    });
    expect(dataset({ type: 'sharegpt' })).toMatchObject({
      type: 'chat_template',
      field_messages: 'conversations',
      message_property_mappings: { role: 'from', content: 'value' },
    });
    expect(dataset({ field: 'body' })).toMatchObject({ type: 'completion', field: 'body' });
  });

  it('merge written roles and message parts with the usual ones', () => {
    const { roles = {} } = dataset({ roles: { user: ['customer'], assistant: ['caller', 'observation'] } }) ?? {};
    expect(roles.user).toEqual([...(USUAL_ROLES.user ?? []), 'customer']);
    expect(roles.assistant).toEqual([...(USUAL_ROLES.assistant ?? []), 'caller', 'observation']);
    expect(roles.tool).toEqual(USUAL_ROLES.tool?.filter((name) => name !== 'observation'));
    expect(roles.system).toEqual(USUAL_ROLES.system);
    expect(
      dataset({ type: 'chat_template', message_property_mappings: { content: 'text' } })?.message_property_mappings,
    ).toEqual({ role: 'role', content: 'text' });
  });
});

describe('paths', () => {
  it('become absolute, names of a hub stay', () => {
    expect(resolve({}).base_model).toBe('org/model');
    expect(resolve({ base_model: './model' }).base_model).toBe('/project/model');
    expect(resolve({ base_model: 'weights.GGUF' }).base_model).toBe('/project/weights.GGUF');
    expect(resolve({ base_model: '~/m' }).base_model).toBe(join(homedir(), 'm'));
    expect(resolve({ base_model: 'here/model' }).base_model).toBe('/project/here/model');
    expect(resolve({ output_dir: '../runs' }).output_dir).toBe('/runs');
    expect(resolve({}).datasets[0]?.path).toBe('/project/data.jsonl');
  });

  it('that lead nowhere are all reported where they were written', () => {
    const text =
      'base_model: ./m\ndatasets: [{path: a.jsonl, data_files: b}]\nchat_template: c.jinja\nlora_model_dir: l\nresume_from_checkpoint: c\n';
    const { recipe, locate } = parseRecipe(text, 'recipe.yaml');
    try {
      resolveRecipe(recipe, { baseDirectory: '/project', locate, exists: () => false });
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(InvalidRecipe);
      const { problems } = error as InvalidRecipe;
      expect(problems.map((problem) => `${problem.where} ${problem.code}`).sort()).toEqual([
        'recipe.yaml:1:13 missing_file',
        'recipe.yaml:2:19 missing_file',
        'recipe.yaml:2:40 missing_file',
        'recipe.yaml:3:16 missing_file',
        'recipe.yaml:4:17 missing_file',
        'recipe.yaml:5:25 missing_file',
      ]);
    }
  });
});

describe('a resolved recipe', () => {
  const word = fc.constantFrom('a', 'b.jsonl', 'c/d', '1e5', 'null', 'yes', '# x', 'ü: "q"', '- z');
  const datasetRecord = fc.record({
    path: fc.constantFrom('b.jsonl', '# x', '- z'),
    type: some(fc.constantFrom('auto', 'chat_template', 'sharegpt', 'alpaca', 'completion')),
    weight: some(fc.double({ min: 1e-6, max: 1000, noNaN: true })),
    data_files: some(fc.oneof(word, fc.array(word, { minLength: 1, maxLength: 3 }))),
    field_system: some(word),
    roles: some(fc.constantFrom({ user: ['customer', 'tool'] }, { assistant: ['bot', 'user', 'human'] }, { x: ['y'] })),
    roles_to_train: some(fc.constantFrom(['assistant'], ['user', 'assistant'])),
  });
  const recipe = fc
    .record({
      base_model: word,
      datasets: fc.oneof(
        fc.array(datasetRecord, { minLength: 1, maxLength: 3 }),
        datasetRecord.map((mixed) => [75, 25].map((percent) => ({ ...mixed, weight: undefined, percent }))),
      ),
      adapter: some(fc.constantFrom('lora', 'qlora', null)),
      learning_rate: some(fc.double({ min: 2e-7, max: 1, noNaN: true })),
      lr_scheduler: some(fc.constantFrom(...scheduleNames)),
      lr_scheduler_kwargs: some(
        fc.constantFrom(
          {},
          { num_cycles: 3 },
          { min_lr_rate: 0.5 },
          { lr_end: 0 },
          { num_decay_steps: 3, timescale: null },
        ),
      ),
      optimizer: some(fc.constantFrom(...optimizerNames)),
      max_steps: some(fc.integer({ min: 1, max: 1000 })),
      num_epochs: some(fc.double({ min: 0.01, max: 10, noNaN: true })),
      val_set_size: some(fc.constantFrom(0, 0.05, 100)),
      early_stopping_patience: some(fc.constantFrom(null, 3)),
      save_steps: some(fc.integer({ min: 1, max: 10 })),
      eval_steps: some(fc.integer({ min: 1, max: 10 })),
      sample_prompts: some(fc.array(fc.oneof(word, fc.constant([{ role: 'user', content: 'line\nline: #' }])))),
      chat_template_kwargs: some(fc.constantFrom({}, { enable_thinking: false, tools: [{ a: [1] }] })),
      bf16: some(fc.constantFrom(true, false, 'auto' as const)),
    })
    .map((written) => JSON.parse(JSON.stringify(written)) as Recipe)
    .filter((written) => combinationFindings(written).length === 0);
  const there = { baseDirectory: '/project', exists: (path: string) => path !== '/project/c/d' };

  it('resolves to itself, and its text reads back as the same', () => {
    fc.assert(
      fc.property(recipe, (written) => {
        const resolved = resolveRecipe(written, there);
        expect(resolveRecipe(resolved, there)).toEqual(resolved);
        for (const text of [toYaml(resolved), toYaml(resolved, written)]) {
          expect(parseRecipe(text, 'recipe.resolved.yaml').recipe).toEqual(resolved);
        }
      }),
      { numRuns: 300, seed: 7 },
    );
  });

  it('marks what was not written', () => {
    const written: Recipe = { ...minimal, lora_r: 16, datasets: [{ path: 'data.jsonl', type: 'chat_template' }] };
    const lines = toYaml(resolveRecipe(written, options), written).split('\n');
    expect(lines).toContain('lora_r: 16');
    expect(lines).toContain('lora_alpha: 16 # default');
    expect(lines).toContain('    type: chat_template');
    expect(lines).toContain('    field_messages: messages # default');
    expect(lines).toContain('    roles_to_train: [assistant] # default');
    expect(lines).toContain('# Adapter');
  });
});

describe('what the CPU does not have', () => {
  it('is refused', () => {
    const recipe = resolve({ activations: 'offload' });
    try {
      checkSupported(recipe, 'cpu');
      expect.unreachable();
    } catch (error) {
      expect((error as InvalidRecipe).problems.map((problem) => problem.where)).toEqual(['activations']);
    }
    expect(() => checkSupported(resolve({}), 'cpu')).not.toThrow();
    expect(() => checkSupported(recipe, 'cuda')).not.toThrow();
  });
});
