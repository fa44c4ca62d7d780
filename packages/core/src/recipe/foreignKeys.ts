import { UserError } from '../errors.ts';
import { axolotlRules } from './import/axolotl.ts';
import { axolotlDatasetRules } from './import/axolotlDatasets.ts';
import { belowTrlRules } from './import/grpo.ts';
import { llamaFactoryRules } from './import/llamaFactory.ts';
import { type Input, type Outcome, type Rules, shown } from './import/translate.ts';
import { trlRules } from './import/trl.ts';

/** What is said about a key of another trainer that stands in a recipe of ours. */
export interface ForeignKey {
  code: 'foreign_key' | 'not_supported';
  what: string;
  next: string;
}

/** The mappings of a recipe in which keys of other trainers are known. */
export type KnownMapping = 'recipe' | 'datasets' | 'trl';

/** Tools in the order in which their keys are looked up; ours are named after the first. */
const toolsOf: Readonly<Record<KnownMapping, readonly (readonly [string, Rules])[]>> = {
  recipe: [
    ['Axolotl', axolotlRules],
    ['LLaMA-Factory', llamaFactoryRules],
    ['TRL, PEFT or Unsloth', trlRules],
  ],
  datasets: [['Axolotl', axolotlDatasetRules]],
  trl: [['TRL, Axolotl or Unsloth', belowTrlRules]],
};
const withImporter = new Set(['Axolotl', 'LLaMA-Factory']);

/** Keys that choose a way of training: without them a recipe trains something else. */
const methods = new Set(['rl', 'reward_model', 'process_reward_model', 'relora', 'stage', 'finetuning_type']);
const oursToo = new Set<unknown>(['sft', 'pt', 'lora', 'full']);

/** Keys that belong to ways of training that the importers refuse as a whole. */
const partsOfMethods =
  /^((dpo|kto|orpo|simpo|cpo|ppo|grpo|ipo|bco|pref|rl|kd|relora|reward|ref_model)_.*|ref_model|.*_reward_model.*)$/;

/** Choices of other trainers that are written otherwise here. */
const ourWords: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  adapter: {
    dora: '`adapter: lora` and `peft_use_dora: true`',
    qdora: '`adapter: qlora` and `peft_use_dora: true`',
  },
  stage: { dpo: '`rl: dpo`', kto: '`rl: kto`', rm: '`rl: reward`' },
  reward_model: { true: '`rl: reward`' },
  scale_rewards: { true: '`scale_rewards: group` below `trl`', false: '`scale_rewards: none` below `trl`' },
  pref_loss: {
    sigmoid: '`rl: dpo`',
    hinge: '`rl: dpo` and `dpo_loss_type: hinge`',
    ipo: '`rl: ipo`',
    orpo: '`rl: orpo`',
    simpo: '`rl: simpo`',
  },
};

/** What says the same here as this choice of another trainer; undefined where nothing does. */
export function ourWordsFor(key: string, value: unknown): string | undefined {
  const choices = Object.hasOwn(ourWords, key) ? ourWords[key] : undefined;
  return choices && Object.hasOwn(choices, String(value)) ? choices[String(value)] : undefined;
}

/** Values that other trainers know and that only look like a misspelling of ours. */
const foreignValues: Readonly<Record<string, readonly string[]>> = {
  adapter: ['ia3', 'loha', 'lokr', 'vera', 'oft', 'boft', 'adalora', 'lisa', 'galore', 'llama-adapter'],
  rl: ['gdpo', 'ebft', 'bco', 'ppo', 'rloo'],
  loss_type: ['cispo', 'sapo', 'luspo', 'vespo', 'dppo'],
  importance_sampling_level: ['sequence_token'],
  optimizer: ['adamw', 'adam', 'adafactor', 'lion_8bit', 'paged_lion_32bit', 'sgd', 'rmsprop', 'muon', 'sophia']
    .concat(['adamw_anyprecision', 'ao_adamw_4bit', 'ao_adamw_8bit', 'adopt_adamw', 'came_pytorch', 'galore_adamw'])
    .concat([
      'galore_adamw_8bit',
      'schedule_free_radam',
      'schedule_free_sgd',
      'adamw_hf',
      'adamw_apex_fused',
      'adamw_torch_8bit',
    ])
    .concat(['adamw_torch_4bit', 'paged_adamw', 'paged_adamw_32bit', 'paged_adamw_8bit']),
  lr_scheduler: ['reduce_lr_on_plateau', 'greedy', 'one_cycle', 'rex', 'log_sweep'],
};

/** Whether a choice is one of another trainer's, so that the nearest of ours would be another thing and not a correction. */
export function isForeignValue(key: string, value: unknown): boolean {
  return Object.hasOwn(foreignValues, key) && (foreignValues[key] ?? []).includes(String(value));
}

/**
 * Undefined for a key that no other trainer has. "Remove it" is only advised where nothing else would be trained without the key.
 * @param siblings the key with all that its meaning may depend on: what stands beside it, and for arguments of TRL those of the other place
 * @param mapping where the key stands: in the recipe itself, in an entry of `datasets`, or below `trl`
 */
export function foreignKey(key: string, name: string, siblings: Input, mapping: KnownMapping): ForeignKey | undefined {
  for (const [tool, rules] of toolsOf[mapping]) {
    const rule = Object.hasOwn(rules, key) ? rules[key] : undefined;
    if (rule) return describe(tool, key, name, outcomeOf(siblings, key, rule), siblings[key]);
  }
  if (mapping === 'recipe' && key === 'pretraining_dataset') {
    return {
      code: 'foreign_key',
      what: `\`${name}\` is a key of Axolotl`,
      next: 'write the data set under datasets with `type: completion`, or translate the recipe: anneal init --from <recipe>',
    };
  }
  return methods.has(key) || partsOfMethods.test(key)
    ? describe('other trainers', key, name, { reason: 'it belongs to another kind of training' }, siblings[key])
    : undefined;
}

function outcomeOf(siblings: Input, key: string, rule: NonNullable<Rules[string]>): Outcome {
  const value = siblings[key];
  if (value === null || value === undefined) return { values: {}, note: 'it is empty' };
  try {
    return rule(value, siblings);
  } catch (error) {
    if (error instanceof UserError) return { reason: error.what };
    throw error;
  }
}

function describe(tool: string, key: string, name: string, outcome: Outcome, value: unknown): ForeignKey {
  const ours = ourWordsFor(key, value);
  if (ours !== undefined)
    return { code: 'foreign_key', what: `\`${name}\` is a key of ${tool}`, next: `write ${ours}` };
  if (methods.has(key) && value && !oursToo.has(value)) {
    return {
      code: 'not_supported',
      what: `\`${name}: ${typeof value === 'object' ? '…' : String(value)}\` asks for a kind of training that is not here yet`,
      next: 'without the key something else would be trained: Anneal has supervised fine-tuning, continued pre-training and `rl`: dpo, ipo, orpo, simpo, cpo, kto, reward and grpo',
    };
  }
  if ('reason' in outcome) {
    return {
      code: 'not_supported',
      what: `\`${name}\` is a key of ${tool} without a counterpart here: ${outcome.reason}`,
      next: `without it the run may learn something else than there; remove the key only if that is what you want`,
    };
  }
  const values = shown(outcome.values);
  const byHand = outcome.byHand ?? (values === '' ? null : `write \`${values}\``);
  const orTranslate = withImporter.has(tool) ? ', or translate the whole recipe: anneal init --from <recipe>' : '';
  return {
    code: 'foreign_key',
    what: `\`${name}\` is a key of ${tool}`,
    next:
      byHand === null
        ? `remove it: nothing changes without it (${outcome.note ?? 'Anneal does so anyway'})`
        : `${byHand}${orTranslate}`,
  };
}
