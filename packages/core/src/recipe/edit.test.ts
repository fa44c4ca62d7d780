import { describe, expect, it } from 'vitest';
import { appendItem, applyEdit, parseText, readValue, removeValue, setValue, sourceOf, type TextEdit } from './edit.ts';

const text = `# How it begins
base_model: "model" # ours
lora_r: 16 # rank

# The rows
datasets:
  - path: a.jsonl # first
    type: auto
    # a word about the second
  - {path: b.jsonl, roles_to_train: [user, assistant]}
sample_prompts:
  - Who are you?
seed: 1
`;
const order = ['base_model', 'adapter', 'lora_r', 'lora_alpha', 'datasets', 'sample_prompts', 'seed'];
const inDataset = ['path', 'type', 'weight', 'roles_to_train'];

function edited(edit: TextEdit | undefined, before = text): string {
  if (!edit) throw new Error('refused');
  return applyEdit(before, edit);
}

/** The lines that are different, as `-old` and `+new`. */
function changed(edit: TextEdit | undefined): string[] {
  const [before, after] = [text.split('\n'), edited(edit).split('\n')];
  return [
    ...before.filter((line) => !after.includes(line)).map((line) => `-${line}`),
    ...after.filter((line) => !before.includes(line)).map((line) => `+${line}`),
  ];
}

describe('edits of a recipe through its syntax tree', () => {
  it('begins a block on the line after its key', () => {
    const before = 'trl:\n  reward_funcs: []\nseed: 1\n';
    const edit = setValue(before, ['trl', 'reward_funcs'], '\n    - reward.ts', []);
    expect(edited(edit, before)).toBe('trl:\n  reward_funcs:\n    - reward.ts\nseed: 1\n');
  });

  it('replaces a value alone, and keeps comments and quotes', () => {
    expect(changed(setValue(text, ['lora_r'], '32', order))).toEqual(['-lora_r: 16 # rank', '+lora_r: 32 # rank']);
    const like = readValue(parseText(text), ['base_model'])?.source;
    expect(changed(setValue(text, ['base_model'], sourceOf('other', like), order))).toEqual([
      '-base_model: "model" # ours',
      '+base_model: "other" # ours',
    ]);
    expect(setValue(text, ['seed'], '2', order)).toEqual({ at: text.indexOf('seed: 1') + 6, remove: 1, insert: '2' });
  });

  it('puts a new key where the schema has it', () => {
    const at = (key: string, edit: TextEdit | undefined) =>
      edited(edit)
        .split('\n')
        .findIndex((line) => line.trim().startsWith(`${key}:`));
    expect(at('adapter', setValue(text, ['adapter'], 'null', order))).toBe(2);
    expect(at('lora_alpha', setValue(text, ['lora_alpha'], '8', order))).toBe(3);
    expect(at('weight', setValue(text, ['datasets', 0, 'weight'], '2', inDataset))).toBe(8);
    expect(edited(setValue(text, ['datasets', 1, 'weight'], '2', inDataset))).toContain(
      '{path: b.jsonl, roles_to_train: [user, assistant], weight: 2}',
    );
    expect(edited(setValue('seed: 1', ['base_model'], 'x', order), 'seed: 1')).toBe('base_model: x\nseed: 1');
    expect(edited(setValue('# nothing', ['seed'], '2', order), '# nothing')).toBe('# nothing\nseed: 2\n');
    expect(edited(setValue('seed:', ['seed'], '2', order), 'seed:')).toBe('seed: 2');
  });

  it('takes a key out with its line, and no other comment', () => {
    expect(changed(removeValue(text, ['lora_r']))).toEqual(['-lora_r: 16 # rank']);
    expect(changed(removeValue(text, ['datasets', 0, 'type']))).toEqual(['-    type: auto']);
    expect(changed(removeValue(text, ['datasets', 1, 'roles_to_train']))).toContain('+  - {path: b.jsonl}');
    expect(changed(removeValue(text, ['datasets', 0, 'path']))).toContain('+  - type: auto');
    expect(changed(removeValue(text, ['datasets', 0]))).not.toContain('-# The rows');
  });

  it('lengthens lists in both of their forms', () => {
    expect(changed(appendItem(text, ['sample_prompts'], sourceOf('a: b')))).toEqual(['+  - "a: b"']);
    expect(changed(appendItem(text, ['datasets'], 'path: c.jsonl'))).toEqual(['+  - path: c.jsonl']);
    expect(edited(appendItem(text, ['datasets', 1, 'roles_to_train'], 'tool'))).toContain('[user, assistant, tool]');
  });

  it('changes messages of conversations, in brackets and below each other', () => {
    const before =
      'sample_prompts:\n  - - role: user # asks\n      content: hi\n  - [{role: user, content: ""}]\nseed: 1\n';
    const message = sourceOf({ role: 'assistant', content: 'yes, "so"' });
    const longer = edited(appendItem(before, ['sample_prompts', 0], message), before);
    expect(longer).toContain(
      '  - - role: user # asks\n      content: hi\n    - {role: assistant, content: \'yes, "so"\'}\n',
    );
    const content = ['sample_prompts', 1, 0, 'content'];
    const two = edited(setValue(longer, content, sourceOf('a\nb', '""'), []), longer);
    expect(readValue(parseText(two), content)?.value).toBe('a\nb');
    const roles = edited(setValue(two, ['sample_prompts', 0, 0, 'role'], 'system', []), two);
    expect(roles).toContain('  - - role: system # asks\n');
    const fewer = edited(removeValue(roles, ['sample_prompts', 0]), roles);
    expect(fewer).toBe('sample_prompts:\n  - [{role: user, content: "a\\nb"}]\nseed: 1\n');
  });

  it('writes texts that look like something else in quotes', () => {
    expect([sourceOf('true'), sourceOf('2e-4'), sourceOf('a, b'), sourceOf('plain'), sourceOf(['a', 'b'])]).toEqual([
      '"true"',
      '"2e-4"',
      '"a, b"',
      'plain',
      '[a, b]',
    ]);
  });

  it.each([
    ['a value that stands for others, too', 'seed: &s 1\nlora_r: *s\n', ['seed'], '2'],
    ['an alias', 'seed: &s 1\nlora_r: *s\n', ['lora_r'], '2'],
    ['a block', text, ['datasets'], '[]'],
    ['a text that is not YAML', 'seed: [1\n', ['seed'], '2'],
    ['a value that is more than a value', text, ['seed'], '2\nlora_alpha: 3'],
  ])('refuses to change %s', (_, before, path, source) => {
    expect(() => {
      const edit = setValue(before, path, source, order);
      if (edit) throw new Error(applyEdit(before, edit));
    }).not.toThrow();
  });
});
