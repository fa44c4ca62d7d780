import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { temporaryFolder } from '../../../../scripts/testing/temporaryFolder.ts';
import { UserError } from '../errors.ts';
import { InvalidRecipe } from './problem.ts';
import { checkRecipe, parseRecipe, readRecipe } from './read.ts';
import { sections } from './schema.ts';

const minimal = 'base_model: smollm2-135m\ndatasets: [{path: data.jsonl}]\n';

function problems(text: string, overrides: string[] = []) {
  const checked = checkRecipe(text, 'recipe.yaml', overrides);
  return checked.ok ? [] : checked.problems;
}

/** `where code | next` of the only problem of the minimal recipe with some lines added. */
function only(lines: string): string {
  const found = problems(minimal + lines);
  expect(found).toHaveLength(1);
  return `${found[0]?.where} ${found[0]?.code} | ${found[0]?.next}`;
}

describe('a fix', () => {
  it.each([
    ['lora_rr: 8', 'lora_r: 8'],
    ['cutoff_len: 512', 'sequence_len: 512'],
    ['lr_scheduler: cosin # half', 'lr_scheduler: cosine # half'],
    ['sample_packing: "yes"', 'sample_packing: true'],
    ['seed: "1_000"', 'seed: 1000'],
  ])('stands where the mistake is: %s', (line, mended) => {
    const text = minimal + line;
    const [problem] = problems(text);
    const { line: row = 0, column = 0, endLine, endColumn = 0, fix } = problem ?? {};
    expect(endLine).toBe(row);
    const wrong = text.split('\n')[row - 1] ?? '';
    expect(wrong.slice(0, column - 1) + fix + wrong.slice(endColumn - 1)).toBe(mended);
    expect(problems(minimal + mended)).toEqual([]);
  });

  it('is not offered where it would say something twice, or where several things may be meant', () => {
    expect(problems(`${minimal}lora_r: 8\nlora_rr: 8\n`)[0]).not.toHaveProperty('fix');
    expect(problems(`${minimal}lora_target: q_proj\n`)[0]).not.toHaveProperty('fix');
  });
});

describe('a valid recipe', () => {
  it('is what was written, without defaults', () => {
    const { recipe, text } = parseRecipe(`${minimal}learning_rate: 2e-4\n`, 'recipe.yaml');
    expect(recipe).toEqual({ base_model: 'smollm2-135m', datasets: [{ path: 'data.jsonl' }], learning_rate: 2e-4 });
    expect(text).toBe(`${minimal}learning_rate: 2e-4\n`);
  });

  it('reads numbers with an exponent and keeps words of YAML 1.1 as text', () => {
    const { recipe } = parseRecipe(`${minimal}learning_rate: 1e-4\nadam_epsilon: 1.0E-08\nrevision: no\n`, 'r.yaml');
    expect(recipe).toMatchObject({ learning_rate: 1e-4, adam_epsilon: 1e-8, revision: 'no' });
  });

  it('takes null as not written', () => {
    const { recipe } = parseRecipe(`${minimal}max_steps: null\nwarmup_steps:\n`, 'recipe.yaml');
    expect(recipe).toMatchObject({ max_steps: null, warmup_steps: null });
  });

  it('follows anchors', () => {
    const text = 'base_model: m\ndatasets:\n  - &rows {path: a.jsonl}\ntest_datasets: [*rows]\n';
    expect(parseRecipe(text, 'recipe.yaml').recipe.test_datasets).toEqual([{ path: 'a.jsonl' }]);
  });
});

describe('a mistake', () => {
  it.each([
    ['lora_rr: 8', 'recipe.yaml:3:1 unknown_key | did you mean `lora_r`?'],
    ['learning_rte: 8', 'recipe.yaml:3:1 unknown_key | did you mean `learning_rate`?'],
    ['lora-alpha: 8', 'recipe.yaml:3:1 unknown_key | did you mean `lora_alpha`?'],
    ['cutoff_len: 8', 'recipe.yaml:3:1 unknown_key | did you mean `sequence_len`?'],
    ['wibble: 8', 'recipe.yaml:3:1 unknown_key | remove it if it is not needed; `anneal schema` lists every key'],
    ['__proto__: 8', 'recipe.yaml:3:1 unknown_key | remove it if it is not needed; `anneal schema` lists every key'],
    ['test_datasets: [{pth: a}, {path: b}]', 'did you mean `path`?'],
    ['lora_r: 0', 'recipe.yaml:3:9 out_of_range | write a number from 1 on'],
    ['lora_r: 8.5', 'recipe.yaml:3:9 wrong_type | write a whole number'],
    ['lora_r: "16"', 'recipe.yaml:3:9 wrong_type | write 16, without quotes'],
    ['seed: 1_000', 'recipe.yaml:3:7 wrong_type | write 1000, without quotes'],
    ['lora_dropout: 1', 'recipe.yaml:3:15 out_of_range | write a number below 1'],
    ['learning_rate: .nan', 'recipe.yaml:3:16 wrong_type | write a number'],
    ['sample_packing: yes', 'recipe.yaml:3:17 wrong_type | write true: in YAML 1.2'],
    ['shuffle: off', 'recipe.yaml:3:10 wrong_type | write false: in YAML 1.2'],
    ['bf16: "true"', 'recipe.yaml:3:7 wrong_type | write true without quotes'],
    ['revision: 1234567', 'recipe.yaml:3:11 wrong_type | put it in quotes'],
    ['lora_target_modules: q_proj', 'recipe.yaml:3:22 wrong_type | write it as a list: [q_proj]'],
    ['lora_target_modules: []', 'recipe.yaml:3:22 empty_value'],
    ['lr_scheduler: cosin', 'recipe.yaml:3:15 unknown_choice | did you mean `cosine`?'],
    ['adapter: lorra', 'recipe.yaml:3:10 unknown_choice | did you mean `lora`?'],
    ['schema_version: 2', 'recipe.yaml:3:17 unknown_choice | write 1'],
    ['val_set_size: 1.5', 'recipe.yaml:3:15 wrong_type | write a share below 1 or a whole number of rows'],
    ['sample_prompts: [hi, [{role: user}]]', 'recipe.yaml:3:23 missing_key'],
    ['lr_scheduler: greedy', 'recipe.yaml:3:15 not_supported | choose one of cosine, linear'],
    ['lr_scheduler_kwargs: {num_cycle: 2}', 'recipe.yaml:3:23 unknown_key | did you mean `num_cycles`?'],
    ['lr_scheduler_kwargs: {power: 0}', 'recipe.yaml:3:30 out_of_range | write a number above 0'],
    ['lr_scheduler_kwargs: {decay_type: sqrt}', 'recipe.yaml:3:35 unknown_choice |'],
    ['lr_scheduler_kwargs: [2]', 'recipe.yaml:3:22 wrong_type | write a mapping of keys'],
    ['sample_prompts: [3]', 'recipe.yaml:3:18 wrong_type | write a text or a mapping of keys or a list'],
  ])('%s', (line, expected) => {
    if (line.startsWith('test_datasets')) {
      expect(problems(minimal + line).map((problem) => `${problem.where} ${problem.next}`)).toEqual([
        expect.stringContaining('recipe.yaml:3:17'),
        `recipe.yaml:3:18 ${expected}`,
      ]);
    } else expect(only(line)).toContain(expected);
  });

  it('does not hide the others', () => {
    const found = problems('base_model: 3\nlora_r: x\nwibble: 1\nadapter: qlora\nload_in_4bit: false\n');
    expect(found.map((problem) => `${problem.line} ${problem.code}`)).toEqual([
      '1 missing_key',
      '1 wrong_type',
      '2 wrong_type',
      '3 unknown_key',
      '5 impossible_combination',
    ]);
  });

  it('is told whole by the error, which lists every place', () => {
    const error = grab(() => parseRecipe('base_model: m\nlora_r: x\n', 'recipe.yaml'));
    expect(error).toBeInstanceOf(InvalidRecipe);
    expect(error.code).toBe('invalid_recipe');
    expect(error.message).toContain('recipe.yaml:2:9');
    expect(error.message).toContain('`datasets` is missing');
    expect((error as InvalidRecipe).toJSON().problems).toHaveLength(2);
  });
});

describe('text that is not a mapping', () => {
  it.each([
    ['', 'recipe_empty', 1],
    ['# nothing\n', 'recipe_empty', 1],
    ['- a\n', 'wrong_type', 1],
    ['just words', 'wrong_type', 1],
    ['base_model: [a\n', 'yaml_syntax', 2],
    ['base_model: a\nbase_model: b\n', 'yaml_syntax', 2],
    ['base_model: a\ndatasets:\n\t- path: x\n', 'yaml_syntax', 3],
    ['base_model: !!python/object a\n', 'yaml_syntax', 1],
    ['a: 1\n---\nb: 2\n', 'yaml_syntax', 2],
  ])('%j', (text, code, line) => {
    expect(problems(text)[0]).toMatchObject({ code, line, column: expect.any(Number) });
  });

  it('refuses aliases that grow exponentially', () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x]'];
    for (let i = 1; i < 9; i++)
      lines.push(`a${i}: &a${i} [${Array.from({ length: 9 }, () => `*a${i - 1}`).join(', ')}]`);
    expect(problems(lines.join('\n'))[0]).toMatchObject({ code: 'recipe_aliases' });
  });

  it('refuses deep nesting and absurd sizes', () => {
    const brackets = `base_model: ${'['.repeat(20_000)}${']'.repeat(20_000)}`;
    expect(problems(brackets)[0]).toMatchObject({ code: 'yaml_syntax', next: expect.stringContaining('brackets') });
    expect(grab(() => checkRecipe(' '.repeat(2 ** 21), 'recipe.yaml')).code).toBe('recipe_too_large');
  });
});

describe('keys that do not go together', () => {
  it.each([
    ['adapter: null\nlora_r: 8', 'recipe.yaml:4:1'],
    ['load_in_4bit: true', 'recipe.yaml:3:1'],
    ['adapter: qlora\nload_in_4bit: false', 'recipe.yaml:4:1'],
    ['lora_target_linear: true\nlora_target_modules: [q_proj]', 'recipe.yaml:4:1'],
    ['lora_target_linear: false', 'recipe.yaml:3:1'],
    ['peft_use_dora: true\npeft_lora_bias: true', 'recipe.yaml:4:1'],
    ['adapter: qlora\npeft_init_lora_weights: pissa', 'recipe.yaml:4:1'],
    ['peft_init_lora_weights: loftq', 'recipe.yaml:3:1'],
    ['peft_use_dora: true\npeft_init_lora_weights: pissa', 'recipe.yaml:4:1'],
    ['rl: dpo\npeft_init_lora_weights: pissa', 'recipe.yaml:4:1'],
    ['peft_lora_bias: true\npeft_init_lora_weights: pissa', 'recipe.yaml:4:1'],
    ['peft_trainable_token_indices: [7, 3, 7]', 'recipe.yaml:3:1'],
    ['lora_target_parameters: [down_proj]\nlora_dropout: 0.1', 'recipe.yaml:4:1'],
    ['warmup_ratio: 0.1\nwarmup_steps: 5', 'recipe.yaml:4:1'],
    ['lr_scheduler: constant\nwarmup_steps: 5', 'recipe.yaml:4:1'],
    ['lr_scheduler: linear\ncosine_min_lr_ratio: 0.1', 'recipe.yaml:4:1'],
    ['optimizer: lion\nadam_epsilon: 1e-8', 'recipe.yaml:4:1'],
    ['optimizer: schedule_free_adamw\nema_decay: 0.9', 'recipe.yaml:4:1'],
    ['optimizer: adafactor\nadam_beta1: 0.9', 'recipe.yaml:4:1'],
    ['lr_scheduler_kwargs: {power: 2}', 'recipe.yaml:3:23'],
    ['lr_scheduler: constant\nlr_scheduler_kwargs: {num_cycles: 2}', 'recipe.yaml:4:23'],
    ['lr_scheduler: cosine_with_min_lr', 'recipe.yaml:3:1'],
    ['lr_scheduler: cosine_with_min_lr\ncosine_min_lr_ratio: 0.1\nlr_scheduler_kwargs: {min_lr: 0}', 'recipe.yaml:4:1'],
    ['lr_scheduler: cosine_warmup_with_min_lr\nlr_scheduler_kwargs: {min_lr: 0, min_lr_rate: 0}', 'recipe.yaml:4:34'],
    ['lr_scheduler: cosine_with_restarts\nlr_scheduler_kwargs: {num_cycles: 1.5}', 'recipe.yaml:4:23'],
    ['lr_scheduler: warmup_stable_decay', 'recipe.yaml:3:1'],
    ['max_steps: 5\nlr_scheduler: warmup_stable_decay\nlr_scheduler_kwargs: {num_decay_steps: 6}', 'recipe.yaml:5:23'],
    ['max_steps: 5\nwarmup_steps: 5', 'recipe.yaml:4:1'],
    ['eval_steps: 5\nevals_per_epoch: 5', 'recipe.yaml:4:1'],
    ['save_steps: 5\nsaves_per_epoch: 5', 'recipe.yaml:4:1'],
    ['val_set_size: 0.1\ntest_datasets: [{path: a}]', 'recipe.yaml:3:1'],
    ['early_stopping_patience: 3', 'recipe.yaml:3:1'],
    ['load_best_model_at_end: true', 'recipe.yaml:3:1'],
    ['test_datasets: [{path: a, type: alpaca, field: body}]', 'recipe.yaml:3:41'],
    ['test_datasets: [{path: a, roles: {user: [x], tool: [x]}}]', 'recipe.yaml:3:46'],
    ['test_datasets: [{path: a, roles_to_train: [gpt]}]', 'recipe.yaml:3:44'],
  ])('%s', (lines, where) => {
    expect(only(lines)).toMatch(new RegExp(`^${where} impossible_combination`));
  });

  it('are fine when one of them is null or off', () => {
    const lines =
      'adapter: null\nlora_r: null\nload_in_4bit: false\nval_set_size: 0\ntest_datasets: [{path: a}]\nwarmup_ratio: 0.1\nwarmup_steps: null\n';
    expect(problems(minimal + lines)).toEqual([]);
  });
});

describe('--set', () => {
  it('overrides, adds, and keeps the comments of the text', () => {
    const { recipe, text } = parseRecipe(`${minimal}lora_r: 8 # small\n`, 'recipe.yaml', [
      'lora_r=32',
      'learning_rate=1e-3',
      'datasets.0.path=x.jsonl',
      'datasets.1={path: y.jsonl, type: alpaca}',
      'datasets.1.weight=0.5',
      'adapter=lora',
    ]);
    expect(recipe).toEqual({
      base_model: 'smollm2-135m',
      datasets: [{ path: 'x.jsonl' }, { path: 'y.jsonl', type: 'alpaca', weight: 0.5 }],
      lora_r: 32,
      learning_rate: 1e-3,
      adapter: 'lora',
    });
    expect(text).toContain('lora_r: 32 # small');
    expect(parseRecipe(text, 'recipe.yaml').recipe).toEqual(recipe);
  });

  it('is checked like the file and named as the place', () => {
    const found = problems(`${minimal}lora_r: 8\n`, ['lora_r=0', 'lerning_rate=1', 'datasets.0.weight=-1']);
    expect(found.map((problem) => `${problem.where} ${problem.code}`).sort()).toEqual([
      '--set datasets.0.weight out_of_range',
      '--set lerning_rate unknown_key',
      '--set lora_r out_of_range',
    ]);
  });

  it('prints no warning about a key that is a list', () => {
    const warned = vi.spyOn(process, 'emitWarning');
    expect(problems(`${minimal}? [a, b]\n: 3\n`)[0]?.code).toBe('unknown_key');
    expect(warned).not.toHaveBeenCalled();
    warned.mockRestore();
  });

  it('makes a mapping that is not written yet', () => {
    const set = ['chat_template_kwargs.enable_thinking=false', 'datasets.0.roles.assistant=[bot]'];
    for (const text of [minimal, `${minimal}chat_template_kwargs: null\n`]) {
      const { recipe } = parseRecipe(text, 'recipe.yaml', set);
      expect(recipe.chat_template_kwargs).toEqual({ enable_thinking: false });
      expect(recipe.datasets[0]?.roles).toEqual({ assistant: ['bot'] });
    }
    expect(problems(minimal, ['dataset.here=x'])[0]?.next).toBe('did you mean `datasets`?');
  });

  it.each([
    ['lora_r', 'override_malformed'],
    ['=3', 'override_malformed'],
    ['a..b=3', 'override_malformed'],
    ['lora_r=[', 'override_malformed'],
    ['datasets.5.path=x', 'override_without_place'],
    ['datasets.first.path=x', 'override_without_place'],
    ['base_model.name=x', 'override_without_place'],
    ['test_datasets.0.path=x', 'override_without_place'],
  ])('%s is refused', (assignment, code) => {
    const text = 'base_model: m\ndatasets: [&rows {path: a}]\ntest_datasets: [*rows]\n';
    expect(grab(() => parseRecipe(text, 'recipe.yaml', [assignment])).code).toBe(code);
  });
});

describe('a file', () => {
  it('is read; one that is missing, binary or no file is refused with its path', async () => {
    const folder = temporaryFolder('recipe');
    const path = join(folder, 'recipe.yaml');
    await writeFile(path, minimal);
    expect((await readRecipe(path, ['lora_r=4'])).recipe.lora_r).toBe(4);
    await writeFile(path, Uint8Array.of(0x62, 0xff, 0xfe));
    await expect(readRecipe(path)).rejects.toMatchObject({ code: 'recipe_not_utf8', where: path });
    await expect(readRecipe(join(folder, 'none.yaml'))).rejects.toMatchObject({ code: 'recipe_missing' });
    await expect(readRecipe(folder)).rejects.toMatchObject({ code: 'not_a_file', where: folder });
  });
});

describe('any text', () => {
  const keys = sections.flatMap((section) => Object.keys(section.keys));
  const yamlish = fc.array(
    fc.oneof(
      fc.constantFrom(...keys, ...keys.map((key) => `\n${key}: `), ...'\n{}[],:-&*!|>#%@`"\'?\t '),
      fc.constantFrom('null', 'true', '1e-4', '.inf', '- ', '<<: *a', '&a ', '*a', '!!binary x', '---', '...'),
      fc.string({ maxLength: 6 }),
    ),
    { maxLength: 40 },
  );

  it('gives a recipe, problems with places, or a UserError; nothing else', () => {
    fc.assert(
      fc.property(yamlish, (parts) => {
        const text = parts.join('');
        try {
          const checked = checkRecipe(text, 'recipe.yaml');
          if (!checked.ok)
            for (const problem of checked.problems) expect(problem.where).toMatch(/^recipe\.yaml:\d+:\d+$/);
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
        }
      }),
      { numRuns: Number(process.env['FUZZ_RUNS'] ?? 3000), seed: 7 },
    );
  });
});

function grab(action: () => unknown): UserError {
  try {
    action();
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
