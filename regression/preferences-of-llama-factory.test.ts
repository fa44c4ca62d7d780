/** Recipes of LLaMA-Factory with `stage: dpo` or `stage: kto` were refused by `init --from`, although Anneal trains both. */
import { importRecipe } from '@anneal/core/recipe/import/index';
import { describe, expect, it } from 'vitest';

const columns = { prompt: 'ask', query: 'more', chosen: 'good', rejected: 'bad' };
const info = {
  pairs: { file_name: 'pairs.json', ranking: true, columns },
  turns: { hf_hub_url: 'org/turns', ranking: true, formatting: 'sharegpt', columns: { messages: 'conversations' } },
  judged: { file_name: 'judged.json', formatting: 'sharegpt', columns: { messages: 'messages', kto_tag: 'liked' } },
};

function translated(lines: string, dataset = 'pairs') {
  const start = `model_name_or_path: org/model\ndataset: ${dataset}\n`;
  const result = importRecipe(start + lines, 'recipe.yaml', info);
  expect(result.problems).toEqual([]);
  const note = result.translated.find(({ from }) => from === 'dataset')?.note;
  return { ...result, note, without: result.untranslated.map(({ key }) => key) };
}

describe('each loss has its kind and its numbers', () => {
  it.each([
    ['stage: dpo', { rl: 'dpo' }],
    [
      'stage: dpo\npref_loss: sigmoid\npref_beta: 0.2\npref_ftx: 0.5\ndpo_label_smoothing: 0.1',
      { rl: 'dpo', dpo_loss_type: 'sigmoid', rl_beta: 0.2, rpo_alpha: 0.5, dpo_label_smoothing: 0.1 },
    ],
    ['stage: dpo\npref_loss: hinge', { rl: 'dpo', dpo_loss_type: 'hinge' }],
    ['stage: dpo\npref_loss: ipo\npref_beta: 0.3', { rl: 'ipo', rl_beta: 0.3 }],
    ['stage: dpo\npref_loss: orpo\npref_beta: 0.3', { rl: 'orpo', orpo_alpha: 0.3 }],
    ['pref_loss: simpo\nstage: dpo', { rl: 'simpo', rl_beta: 0.1, simpo_gamma: 0.5 }],
    ['pref_loss: simpo\nstage: dpo\npref_ftx: 0.2', { rl: 'simpo', cpo_alpha: 0.2 }],
    [
      'stage: kto\npref_beta: 0.2\nkto_chosen_weight: 2\nkto_rejected_weight: 0.5',
      { rl: 'kto', rl_beta: 0.2, kto_desirable_weight: 2, kto_undesirable_weight: 0.5 },
    ],
  ])('%j', (lines, ours) => {
    const { recipe, without } = translated(lines);
    expect(recipe).toMatchObject(ours);
    expect(without).toEqual([]);
  });
});

it('what is not here is listed, what has no effect is not', () => {
  expect(translated('stage: kto\npref_ftx: 1\nref_model: org/other').without).toEqual(['pref_ftx', 'ref_model']);
  expect(translated('stage: dpo\nld_alpha: 0.5\npref_bco_weight: 1').without).toEqual(['ld_alpha', 'pref_bco_weight']);
  const { recipe } = translated('stage: dpo\ntrain_on_prompt: true\nmask_history: true\npacking: true');
  expect(recipe).toMatchObject({ excess_length_strategy: 'truncate' });
  expect(recipe).not.toHaveProperty('train_on_inputs');
  expect(recipe).not.toHaveProperty('sample_packing');
  expect(translated('stage: sft\npref_beta: 0.1\npref_loss: simpo').recipe).not.toHaveProperty('rl_beta');
});

it('both answers are found where dataset_info.json says', () => {
  const { recipe, note } = translated('stage: dpo', 'pairs,turns');
  expect(note).toBe('turns lies on a hub: fetch it with anneal pull --data org/turns');
  expect(recipe.datasets).toMatchObject([
    {
      path: 'data/pairs.json',
      type: 'alpaca',
      field_instruction: 'ask',
      field_input: 'more',
      field_chosen: 'good',
      field_rejected: 'bad',
    },
    { path: 'org/turns', type: 'chat_template', field_chosen: 'chosen', field_rejected: 'rejected' },
  ]);
});

it('a label under another name, and pairs in supervised training, are said', () => {
  expect(translated('stage: kto', 'judged').note).toContain('rename the column "liked"');
  expect(translated('stage: sft').note).toContain('from which supervised training learns nothing');
});
