import { describe, expect, it } from 'vitest';
import type { FormField } from '../protocol/recipeForm.ts';
import { recipeForm } from './form.ts';
import { recipeSchema } from './schema.ts';
import { trlSchema } from './sections/rollouts.ts';

const fields = recipeForm().flatMap((section) => section.fields);
const field = (key: string, among: readonly FormField[] = fields) => among.find((each) => each.key === key);

describe('the form of a recipe', () => {
  it('has every key of the schema once', () => {
    expect(fields.map(({ key }) => key)).toEqual(Object.keys(recipeSchema.shape));
  });

  it('offers choices, with null where it means something', () => {
    expect(field('adapter')?.control).toEqual({ kind: 'choice', options: ['lora', 'qlora', null] });
    expect(field('shuffle')?.control).toEqual({ kind: 'choice', options: [true, false] });
    expect(field('bf16')?.control).toEqual({ kind: 'choice', options: [true, false, 'auto'] });
  });

  it('knows numbers, texts, lists and the fields of a data set', () => {
    expect(field('lora_r')?.control).toEqual({ kind: 'number', isWhole: true, bounds: ['≥ 1', '≤ 1024'] });
    expect(field('val_set_size')?.control.kind).toBe('number');
    expect(field('base_model')).toMatchObject({ control: { kind: 'text' }, isRequired: true });
    expect(field('lora_target_modules')?.control.kind).toBe('names');
    expect(field('sample_prompts')?.control.kind).toBe('prompts');
    expect(field('peft_trainable_token_indices')?.control.kind).toBe('numbers');
    expect(field('chat_template_kwargs')?.control.kind).toBe('other');
    const control = field('datasets')?.control;
    const inside = control?.kind === 'datasets' ? control.fields : [];
    expect(field('type', inside)?.control).toMatchObject({ kind: 'choice' });
    expect(field('data_files', inside)?.control.kind).toBe('names');
    expect(field('message_property_mappings', inside)?.control.kind).toBe('other');
  });

  it('knows the fields of a mapping', () => {
    const control = field('trl')?.control;
    const inside = control?.kind === 'group' ? control.fields : [];
    expect(inside.map(({ key }) => key)).toEqual(Object.keys(trlSchema.shape));
    expect(field('reward_funcs', inside)).toMatchObject({ control: { kind: 'texts' }, isRequired: true });
    expect(field('reward_weights', inside)?.control.kind).toBe('numbers');
    expect(field('num_generations', inside)).toMatchObject({ standard: 8, control: { kind: 'number' } });
  });

  it('says which keys exclude one another, and what a key is by default', () => {
    expect(field('warmup_steps')?.insteadOf).toEqual(['warmup_ratio']);
    expect(field('weight_decay')).toMatchObject({ standard: 0.01, isRequired: false });
    expect(field('learning_rate')).not.toHaveProperty('standard');
  });
});
