import { closest } from '../closest.ts';
import { placeholders } from '../synthesis/prompt.ts';
import type { Finding, KeyPath } from './problem.ts';
import type { Recipe } from './schema.ts';
import { judgeRewardSchema, rewardSchema } from './sections/rollouts.ts';
import { endpointOf } from './synthesis/endpoint.ts';
import { endpointFindings, promptFindings } from './synthesis/soundness.ts';

/** What `micro_batch_size` and `gradient_accumulation_steps` are where nothing is said, as in sections/batches.ts. */
const usual = { rows: 2, batches: 4, generations: 8, completion: 256, sequence: 2048 };

const rewardTypes = rewardSchema.options.map(({ shape }) => shape.type.value);

/** Keys of `rl: grpo` that do not go with each other, or with the rest of a recipe. */
export function rolloutFindings(recipe: Partial<Recipe>): Finding[] {
  const found: Finding[] = [];
  const clash = (path: KeyPath, what: string, next: string) =>
    found.push({ path, part: 'key', code: 'impossible_combination', what, next });
  const { rl, trl } = recipe;
  if (rl !== 'grpo') {
    if (trl) clash(['trl'], '`trl` has no meaning without `rl: grpo`', 'set rl: grpo, or remove it');
    return found;
  }
  if (!trl) {
    clash(
      ['rl'],
      '`rl: grpo` does not say what judges an answer',
      'add trl with reward_funcs; docs/grpo.md has examples',
    );
    return found;
  }
  const generations = trl.num_generations ?? usual.generations;
  const answers = (recipe.micro_batch_size ?? usual.rows) * (recipe.gradient_accumulation_steps ?? usual.batches);
  if (answers % generations !== 0) {
    clash(
      ['trl', 'num_generations'],
      `a step has micro_batch_size × gradient_accumulation_steps = ${answers} answers, which are not whole groups of ${generations}`,
      'let the product be a multiple of num_generations: each prompt of a step has so many answers',
    );
  }
  const atOnce = trl.generation_batch_size;
  if (atOnce && atOnce % generations !== 0) {
    clash(
      ['trl', 'generation_batch_size'],
      `${atOnce} answers are not whole groups of ${generations}`,
      'write a multiple of num_generations',
    );
  }
  const completion = trl.max_completion_length ?? usual.completion;
  const sequence = recipe.sequence_len ?? usual.sequence;
  if (completion >= sequence) {
    clash(
      ['trl', 'max_completion_length'],
      `answers of ${completion} tokens leave no room for a prompt in sequence_len ${sequence}`,
      'lower it, or raise sequence_len',
    );
  }
  if (trl.reward_weights && trl.reward_weights.length !== trl.reward_funcs.length) {
    clash(
      ['trl', 'reward_weights'],
      `${trl.reward_weights.length} weights for ${trl.reward_funcs.length} reward functions`,
      'write one for each of reward_funcs',
    );
  }
  for (const [i, reward] of trl.reward_funcs.entries())
    found.push(...rewardFindings(reward, ['trl', 'reward_funcs', i]));
  if (trl.beta && recipe.adapter === null) {
    clash(
      ['trl', 'beta'],
      '`beta` compares with the model before training, of which nothing is left with `adapter: null`',
      'set adapter: lora, or beta: 0',
    );
  }
  if (recipe.neftune_noise_alpha) {
    clash(
      ['neftune_noise_alpha'],
      'noise on the embeddings would make the model that is trained another than the one that answered',
      'remove it',
    );
  }
  if (recipe.sample_packing) {
    clash(['sample_packing'], 'answers lie beside each other without it', 'remove it, or remove rl');
  }
  if (recipe.excess_length_strategy === 'truncate') {
    clash(
      ['excess_length_strategy'],
      'a prompt that is cut at its end asks for something else',
      'choose raise or drop, or raise sequence_len',
    );
  }
  return found;
}

function wrong(path: KeyPath, what: string, next: string): Finding[] {
  return [{ path, part: 'value', code: 'wrong_value', what, next }];
}

function rewardFindings(reward: NonNullable<Recipe['trl']>['reward_funcs'][number], path: KeyPath): Finding[] {
  if (typeof reward === 'string') {
    if (/\.m?ts$/.test(reward)) return [];
    const meant = closest(reward, rewardTypes);
    const namesModel = reward.includes('/') || reward.startsWith('.');
    const next = namesModel
      ? `a reward model is {type: reward_model, model: ${reward}}`
      : meant
        ? `write {type: ${meant}, …}`
        : `write {type: …} with one of ${rewardTypes.join(', ')}`;
    return wrong(path, `${JSON.stringify(reward)} is no TypeScript file`, `name a file that ends in .ts, or ${next}`);
  }
  if (reward.type === 'judge') {
    const { type: _, prompt, field: __, ...endpoint } = judgeRewardSchema.parse(reward);
    return [
      ...endpointFindings(endpointOf(endpoint), path),
      ...(prompt === null ? [] : promptFindings([...path, 'prompt'], prompt, placeholders.reward)),
    ];
  }
  const patterns = {
    pattern: 'pattern' in reward ? reward.pattern : null,
    extract: 'extract' in reward ? reward.extract : null,
  };
  return Object.entries(patterns).flatMap(([key, pattern]) => {
    if (!pattern) return [];
    try {
      return RegExp(pattern, 'flags' in reward ? (reward.flags ?? '') : '') && [];
    } catch (error) {
      return wrong([...path, key], (error as Error).message, 'write a regular expression as in JavaScript');
    }
  });
}
