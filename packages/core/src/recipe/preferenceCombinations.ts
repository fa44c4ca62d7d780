import type { Finding, KeyPath } from './problem.ts';
import type { Recipe, RecipeKey } from './schema.ts';
import { preference, preferenceDefaults } from './sections/preference.ts';

/** Kinds that compare with the model before training. */
const compared = ['dpo', 'ipo', 'kto'];

/** Keys of preferences that do not go with the kind of training, or with the rest of a recipe. */
export function preferenceFindings(recipe: Partial<Recipe>): Finding[] {
  const found: Finding[] = [];
  const clash = (path: KeyPath, what: string, next: string) =>
    found.push({ path, part: 'key', code: 'impossible_combination', what, next });
  const { rl } = recipe;
  const read: readonly string[] = rl ? ['rl', ...Object.keys(preferenceDefaults[rl])] : ['rl'];
  for (const key of Object.keys(preference) as RecipeKey[]) {
    if (read.includes(key) || !isSet(recipe[key])) continue;
    const readers = Object.entries(preferenceDefaults).flatMap(([kind, keys]) => (key in keys ? [kind] : []));
    const what = rl ? `\`rl: ${rl}\` does not read \`${key}\`` : `\`${key}\` has no meaning without \`rl\``;
    clash([key], what, `remove it, or set rl to ${readers.join(' or ')}`);
  }
  const lists = (['datasets', 'test_datasets'] as const).flatMap((list) =>
    (recipe[list] ?? []).map((dataset, i) => ({ dataset, path: [list, i] as KeyPath })),
  );
  for (const { dataset, path } of rl === 'reward' ? [] : lists) {
    if (!isSet(dataset.field_margin)) continue;
    clash([...path, 'field_margin'], 'margins are of reward models', 'set rl: reward, or remove it');
  }
  if (!rl || rl === 'grpo') {
    for (const { dataset, path } of lists) {
      for (const key of ['field_chosen', 'field_rejected'] as const) {
        if (!isSet(dataset[key])) continue;
        const what = rl ? `\`rl: ${rl}\` does not read \`${key}\`` : `\`${key}\` has no meaning without \`rl\``;
        clash([...path, key], what, 'set rl: dpo, or remove it');
      }
    }
    if (!rl) return found;
  }
  if (compared.includes(rl) && recipe.adapter === null && !recipe.dpo_reference_free) {
    clash(
      ['rl'],
      `\`rl: ${rl}\` compares with the model before training, of which nothing is left with \`adapter: null\``,
      rl === 'kto'
        ? 'set adapter: lora'
        : 'set adapter: lora, dpo_reference_free: true, or rl: orpo, simpo or cpo, which compare with nothing',
    );
  }
  const { micro_batch_size: rows, gradient_accumulation_steps: batches } = recipe;
  if (
    rl === 'kto' &&
    recipe.kto_loss_type !== 'apo_zero_unpaired' &&
    rows === 1 &&
    batches === 1 &&
    !recipe.sample_packing
  ) {
    clash(
      ['micro_batch_size'],
      'KTO measures how far the model is from its reference on each prompt with the answer of another row, and a step has one row',
      'set micro_batch_size or gradient_accumulation_steps to 2 or more',
    );
  }
  if (rl === 'cpo' && recipe.dpo_loss_type === 'robust') {
    clash(['dpo_loss_type'], 'only `rl: dpo` has the loss `robust`', 'write sigmoid or hinge');
  }
  if (rl === 'reward' && recipe.sample_prompts && recipe.sample_prompts.length > 0) {
    clash(['sample_prompts'], 'a reward model gives scores, and answers no prompts', 'remove it');
  }
  if (recipe.dpo_loss_type === 'hinge' && recipe.dpo_label_smoothing) {
    clash(['dpo_label_smoothing'], '`dpo_loss_type: hinge` smooths no labels', 'remove it, or write sigmoid');
  }
  if (recipe.train_on_inputs) {
    clash(['train_on_inputs'], 'preferences are about answers only', 'remove it, or remove rl');
  }
  for (const { dataset, path } of lists) {
    if (dataset.type !== 'completion') continue;
    clash(
      [...path, 'type'],
      'a plain text is no answer to a prompt',
      'choose chat_template, sharegpt or alpaca, or remove rl',
    );
  }
  return found;
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null;
}
