import { roleNames } from '../datasets/formats/roles.ts';
import { optimizerFindings } from './optimizerCombinations.ts';
import { preferenceFindings } from './preferenceCombinations.ts';
import type { Finding, KeyPath } from './problem.ts';
import { isPrompt, promptFindings } from './promptCombinations.ts';
import { rolloutFindings } from './rolloutCombinations.ts';
import { scheduleFindings } from './scheduleCombinations.ts';
import type { Dataset, Recipe, RecipeKey } from './schema.ts';
import { promptSchema } from './sections/datasets.ts';

/** The data set keys that only one type reads. */
export const fieldsOfType = {
  chat_template: ['field_messages', 'message_property_mappings'],
  alpaca: ['field_instruction', 'field_input', 'field_output'],
  completion: ['field'],
} as const satisfies Record<string, readonly (keyof Dataset)[]>;

export type FieldType = keyof typeof fieldsOfType;

const adapterKeys = [
  'lora_r',
  'lora_alpha',
  'lora_dropout',
  'lora_target_linear',
  'lora_target_modules',
  'lora_target_parameters',
  'peft_use_rslora',
  'peft_use_dora',
  'peft_lora_bias',
  'peft_init_lora_weights',
  'lora_modules_to_save',
  'peft_trainable_token_indices',
  'peft_bias',
  'lora_model_dir',
] as const satisfies readonly RecipeKey[];

/**
 * Keys that are each right but do not go together. Takes the sound part of a recipe, so that all mistakes show at once.
 * @param unsound keys that are written, and wrong: nobody is told that they are missing
 */
export function combinationFindings(recipe: Partial<Recipe>, unsound: ReadonlySet<string> = new Set()): Finding[] {
  const found: Finding[] = [];
  const clash = (key: RecipeKey, what: string, next: string, removable: readonly RecipeKey[] = []) =>
    found.push(combination([key], what, next, ...removable.map((each) => [each])));
  const both = (a: RecipeKey, b: RecipeKey) => {
    if (isSet(recipe[a]) && isSet(recipe[b])) {
      clash(b, `\`${a}\` and \`${b}\` are both written`, `keep one of them and remove the other or set it to null`, [
        a,
        b,
      ]);
    }
  };

  if (recipe.adapter === null) {
    for (const key of adapterKeys) {
      if (isSet(recipe[key])) {
        clash(key, `\`${key}\` has no meaning with \`adapter: null\``, 'remove it, or set adapter to lora or qlora', [
          key,
        ]);
      }
    }
  }
  if (recipe.load_in_4bit === true && recipe.adapter !== 'qlora') {
    clash(
      'load_in_4bit',
      'weights in 4 bits cannot be trained themselves',
      'set adapter: qlora, or load_in_4bit: false',
      ['load_in_4bit'],
    );
  }
  if (recipe.load_in_4bit === false && recipe.adapter === 'qlora') {
    clash('load_in_4bit', '`adapter: qlora` means weights in 4 bits', 'remove load_in_4bit, or set adapter: lora', [
      'load_in_4bit',
    ]);
  }
  if (recipe.peft_use_dora === true && recipe.lora_dropout) {
    clash(
      'lora_dropout',
      'DoRA has no dropout here: PEFT drops inputs of the frozen weight then, too',
      'set lora_dropout: 0, or remove peft_use_dora',
      ['lora_dropout', 'peft_use_dora'],
    );
  }
  if (recipe.peft_use_dora === true && recipe.peft_lora_bias === true) {
    clash('peft_lora_bias', 'DoRA has no bias of its own', 'remove peft_lora_bias, or peft_use_dora', [
      'peft_lora_bias',
      'peft_use_dora',
    ]);
  }
  if (recipe.peft_init_lora_weights) {
    const key = 'peft_init_lora_weights';
    const wanted = recipe.peft_init_lora_weights === 'loftq' ? 'qlora' : 'lora';
    if ((recipe.adapter ?? 'lora') !== wanted && recipe.adapter !== null) {
      const next =
        wanted === 'lora' ? 'set adapter: lora, or loftq for weights in 4 bits' : 'set adapter: qlora, or pissa';
      clash(key, `\`${key}: ${recipe[key]}\` goes with \`adapter: ${wanted}\``, next, [key]);
    }
    for (const other of [
      'peft_use_dora',
      'peft_lora_bias',
      'lora_target_parameters',
      'lora_model_dir',
      'rl',
    ] as const) {
      if (!recipe[other]) continue;
      const why = other === 'rl' ? 'the base without the adapter is another model then' : `not with \`${other}\``;
      clash(key, `the adapter cannot begin as a part of the weights: ${why}`, `remove ${key} or ${other}`, [
        key,
        other,
      ]);
    }
  }
  const ids = recipe.peft_trainable_token_indices ?? [];
  const twice = ids.find((id, i) => ids.indexOf(id) < i);
  if (twice !== undefined) clash('peft_trainable_token_indices', `token ${twice} is listed twice`, 'list it once');
  if (isSet(recipe.lora_target_parameters)) {
    for (const key of ['lora_dropout', 'peft_use_dora', 'peft_lora_bias'] as const) {
      if (!recipe[key]) continue;
      clash(key, `adapters on experts have no \`${key}\`, as in PEFT`, `remove ${key} or lora_target_parameters`, [
        key,
        'lora_target_parameters',
      ]);
    }
  }
  if (recipe.lora_target_linear === true) both('lora_target_linear', 'lora_target_modules');
  const listed = isSet(recipe.lora_target_modules) || isSet(recipe.lora_target_parameters);
  if (recipe.lora_target_linear === false && recipe.adapter !== null && !listed) {
    clash(
      'lora_target_linear',
      'no layer gets an adapter',
      'list the layers in lora_target_modules, or experts in lora_target_parameters',
    );
  }

  both('warmup_ratio', 'warmup_steps');
  both('eval_steps', 'evals_per_epoch');
  both('save_steps', 'saves_per_epoch');
  if (recipe.max_steps && recipe.warmup_steps && recipe.warmup_steps >= recipe.max_steps) {
    clash('warmup_steps', 'the warm-up is as long as the run', `write fewer than max_steps = ${recipe.max_steps}`);
  }

  const mayValidate = unsound.has('val_set_size') || unsound.has('test_datasets');
  const validates = mayValidate || recipe.val_set_size || isSet(recipe.test_datasets);
  if (recipe.val_set_size && isSet(recipe.test_datasets)) both('test_datasets', 'val_set_size');
  for (const key of ['early_stopping_patience', 'load_best_model_at_end'] as const) {
    if (recipe[key] && !validates) {
      clash(key, `\`${key}\` needs a validation loss`, 'set val_set_size or test_datasets', [key]);
    }
  }
  for (const list of ['datasets', 'test_datasets'] as const) {
    for (const [i, dataset] of (recipe[list] ?? []).entries()) found.push(...datasetFindings(dataset, [list, i]));
    found.push(...percentFindings(recipe[list] ?? [], list));
  }
  found.push(
    ...promptFindings(recipe),
    ...(unsound.has('rl') ? [] : preferenceFindings(recipe)),
    ...(unsound.has('rl') || unsound.has('trl') ? [] : rolloutFindings(recipe)),
    ...scheduleFindings(recipe),
    ...optimizerFindings(recipe),
  );
  return found;
}

/** Shares only mean something beside each other. */
function percentFindings(datasets: readonly Dataset[], list: string): Finding[] {
  const shares = datasets.map(({ percent }) => percent);
  if (!shares.some(isSet)) return [];
  const found: Finding[] = [];
  for (const [i, { percent, weight }] of datasets.entries()) {
    if (!isSet(percent))
      found.push(
        combination([list, i], '`percent` is written for some data sets only', 'write it for all, together 100'),
      );
    else if (isSet(weight)) {
      const both = (['percent', 'weight'] as const).map((key) => [list, i, key]);
      found.push(
        combination([list, i, 'weight'], '`percent` and `weight` are both written', 'keep one of them', ...both),
      );
    }
  }
  const sum = shares.reduce<number>((total, share) => total + (share ?? 0), 0);
  if (found.length === 0 && Math.abs(sum - 100) > 0.01) {
    found.push(
      combination([list], `the percents of the data sets are ${Number(sum.toFixed(2))} together`, 'let them be 100'),
    );
  }
  return found;
}

function datasetFindings(dataset: Dataset, path: KeyPath): Finding[] {
  const found: Finding[] = [];
  if (isPrompt(dataset.type)) {
    for (const key of [...Object.values(fieldsOfType).flat(), 'field_system', 'field_tools'] as const) {
      if (!isSet(dataset[key])) continue;
      const next = key in promptSchema.shape ? 'write it inside `type`' : 'remove it';
      found.push(
        combination([...path, key], `a prompt that is written out in \`type\` does not read \`${key}\` here`, next, [
          ...path,
          key,
        ]),
      );
    }
    return found;
  }
  const type = dataset.type === 'sharegpt' ? 'chat_template' : (dataset.type ?? 'auto');
  const kinds = (Object.keys(fieldsOfType) as FieldType[]).filter((kind) =>
    fieldsOfType[kind].some((key) => isSet(dataset[key])),
  );
  for (const kind of kinds) {
    if (type === kind || (type === 'auto' && kinds.length === 1)) continue;
    for (const key of fieldsOfType[kind].filter((each) => isSet(dataset[each]))) {
      const what =
        type === 'auto'
          ? `columns of ${kinds.join(' and ')} are named together`
          : `\`type: ${dataset.type}\` does not read \`${key}\``;
      found.push(combination([...path, key], what, `set type: ${kind}, or remove ${key}`, [...path, key]));
    }
  }
  const templateRole = new Map<string, string>();
  for (const [role, names] of Object.entries(dataset.roles ?? {})) {
    for (const name of names) {
      const other = templateRole.get(name);
      if (other !== undefined && other !== role) {
        found.push(
          combination(
            [...path, 'roles', role],
            `the role "${name}" of the data stands for ${other} and for ${role}`,
            'list it once',
          ),
        );
      }
      templateRole.set(name, role);
    }
  }
  for (const [i, name] of (dataset.roles_to_train ?? []).entries()) {
    const isTemplates = name !== 'function_call' && dataset.roles?.[name] !== undefined;
    const meant = isTemplates ? undefined : roleNames(dataset.roles ?? {})(name)?.role;
    if (meant !== undefined && meant !== name) {
      found.push(
        combination(
          [...path, 'roles_to_train', i],
          `\`roles_to_train\` takes the template's names of roles, and "${name}" is a name of the data`,
          `write ${meant}`,
        ),
      );
    }
  }
  return found;
}

function combination(path: KeyPath, what: string, next: string, ...removable: KeyPath[]): Finding {
  const found: Finding = { path, part: 'key', code: 'impossible_combination', what, next };
  return removable.length > 0 ? { ...found, removable } : found;
}

/** Null is how a recipe says that a key is not set. */
function isSet(value: unknown): boolean {
  return value !== undefined && value !== null;
}
