import { datasetSchema } from '../sections/datasets.ts';
import { plain } from './huggingFace.ts';
import {
  type Account,
  becomes,
  cannot,
  elsewhere,
  type Input,
  imply,
  isMapping,
  isOff,
  missing,
  needless,
  nothing,
  type Outcome,
  type Rule,
  type Rules,
  renamed,
  shown,
  translateKeys,
} from './translate.ts';

/** The entries of one of Axolotl's data set lists as ours. */
export function axolotlDatasets(account: Account, input: Input, list: string): Input[] {
  if (!(list in input)) return [];
  const value = input[list];
  if (value === null || (Array.isArray(value) && value.length === 0)) {
    account.translated.push({ from: list, to: 'nothing', note: 'empty' });
    return [];
  }
  const entries = (Array.isArray(value) ? value : [value]).map((entry) =>
    typeof entry === 'string' ? { path: entry } : entry,
  );
  if (!entries.every(isMapping)) {
    account.untranslated.push({ key: list, value, reason: 'not a list of data sets' });
    return [];
  }
  const pretraining = list === 'pretraining_dataset';
  return entries.map((entry, i) => {
    const dataset = translateKeys(
      account,
      entry,
      pretraining ? pretrainingRules : axolotlDatasetRules,
      datasetSchema.shape,
      {
        prefix: `${list}.${i}.`,
      },
    );
    if (pretraining && !('type' in dataset))
      imply(account, dataset, 'type', 'completion', 'pre-training reads plain text');
    return dataset;
  });
}

const alpacaNote =
  "Axolotl wraps the rows in Alpaca's own prompt text; Anneal renders them with the model's chat template";

const type: Rule = (value) => {
  if (isMapping(value)) return customType(value);
  const [kind = '', detail] = String(value).split(/[.:]/, 2);
  switch (kind) {
    case 'chat_template':
      return becomes({ type: 'chat_template' });
    case 'sharegpt':
      return detail === undefined
        ? becomes({ type: 'sharegpt' })
        : cannot(`of ShareGPT only the plain form has a counterpart`);
    case 'alpaca':
      return detail === undefined
        ? becomes({ type: 'alpaca' }, alpacaNote)
        : cannot('of Alpaca only the plain form has a counterpart');
    case 'completion':
      return becomes({ type: 'completion', ...(detail === undefined ? {} : { field: detail }) });
    case 'pretrain':
      return becomes({ type: 'completion' });
    default:
      return cannot('Anneal reads chat_template, sharegpt, alpaca and completion');
  }
};

/** `type: {field_instruction: …, format: …}`: an Alpaca of one's own. */
function customType(value: Input): Outcome {
  const columns = ['field_system', 'field_instruction', 'field_input', 'field_output'];
  const written = Object.fromEntries(Object.entries(value).filter(([, part]) => part !== null && part !== ''));
  if ('format' in written) return becomes({ type: written });
  const others = Object.keys(written).filter((key) => !columns.includes(key));
  if (others.length > 0) return cannot(`${others.join(', ')} without \`format\` write no prompt`);
  const fields = Object.fromEntries(columns.filter((key) => value[key]).map((key) => [key, value[key]]));
  return becomes({ type: 'alpaca', ...fields });
}

const path: Rule = (value) => {
  const hub = /^[\w.-]+\/[\w.-]+$/.test(String(value)) && !/\.(jsonl?|csv|tsv|parquet|txt)$/i.test(String(value));
  return becomes(
    { path: value },
    hub ? 'if this is a data set of the Hugging Face Hub, download it and name the folder' : undefined,
  );
};

const isOneFile = (entry: Input) => /\.\w+$/.test(String(entry['path'])) || 'data_files' in entry;

const split: Rule = (value, entry) => {
  if (!/^[\w.-]+$/.test(String(value))) return cannot('a slice of a split; prepare a file with these rows');
  return isOneFile(entry) ? nothing('a file has only one split') : becomes({ split: value });
};

const rolesToTrain: Rule = (value) => {
  const names: Record<string, string> = { gpt: 'assistant', human: 'user' };
  const roles = (Array.isArray(value) ? value : [value]).map((role) => names[String(role)] ?? role);
  return becomes({ roles_to_train: [...new Set(roles)] });
};

/** The old names of one entry of `message_property_mappings`. */
const messagePart =
  (part: 'role' | 'content'): Rule =>
  (value, entry) =>
    isMapping(entry['message_property_mappings'])
      ? nothing('message_property_mappings decides')
      : becomes({
          message_property_mappings: {
            role: entry['message_field_role'] ?? 'role',
            content: entry['message_field_content'] ?? 'content',
            [part]: value,
          },
        });

const trainOnEos: Rule = (value) =>
  becomes({ train_on_eos: value === true ? 'turn' : value === false ? 'none' : value });

/** A message's own name of what was thought, and the template's. */
const thoughts: Rule = (value) =>
  ['reasoning_content', 'thinking', 'reasoning'].includes(String(value))
    ? nothing('found by this name')
    : cannot('what was thought is found as reasoning_content, thinking or reasoning of a message');

/** Of a prompt that is written out. */
const withinType =
  (key: string): Rule =>
  (value) =>
    elsewhere(
      'it belongs to a prompt that is written out',
      `write it within type: \`type: {${shown({ [key]: value })}}\``,
    );

export const axolotlDatasetRules: Rules = {
  ...plain([
    'data_files',
    'name',
    'revision',
    'field_messages',
    'message_property_mappings',
    'message_field_training',
    'roles',
    'field',
    'field_system',
    'field_instruction',
    'field_input',
    'field_output',
    'field_tools',
    'field_chosen',
    'field_rejected',
  ]),
  path,
  type,
  split,
  roles_to_train: rolesToTrain,
  train_on_eos: trainOnEos,
  train_on_eot: trainOnEos,
  message_field_role: messagePart('role'),
  message_field_content: messagePart('content'),
  ...needless('the ending of the file tells', ['ds_type']),
  ...missing('Anneal runs no program of a data set, and reads files and hubs', [
    'trust_remote_code',
    'storage_options',
  ]),
  ...missing('prepare a file with the rows to train', ['shards', 'shards_idx', 'preprocess_shards', 'skip']),
  chat_template: (value) =>
    value === 'tokenizer_default'
      ? nothing('as the whole recipe')
      : cannot('one chat template serves all data sets; set it for the recipe'),
  conversation: isOff(() => cannot("a template of FastChat; Anneal renders with the model's chat template")),
  ...missing('it changes what is learned, and Anneal does not have it', [
    'message_field_training_detail',
    'drop_system_message',
    'split_thinking',
    'eot_tokens',
    'logprobs_field',
    'temperature',
  ]),
  ...Object.fromEntries(
    ['format', 'no_input_format', 'system_prompt', 'system_format'].map((key) => [key, withinType(key)]),
  ),
  field_label: (value) =>
    value === 'label'
      ? nothing('as in Anneal')
      : cannot('rename the column that says whether an answer is good to label'),
  ...missing('a prompt of your own is written out in `type: {format: …}`, for supervised training', [
    'input_format',
    'prompt_format',
    'chosen_format',
    'rejected_format',
    'completion_format',
  ]),
  ...missing('it changes what is learned, and Anneal does not have it', [
    'input_transform',
    'chat_template_jinja',
    'step_separator',
    'train_on_last_step_only',
  ]),
  field_prompt: renamed('field_instruction'),
  field_completion: renamed('field_output'),
  field_thinking: thoughts,
  template_thinking_key: thoughts,
  field_human: renamed('field_instruction'),
  field_model: renamed('field_output'),
};

const pretrainingRules: Rules = { ...axolotlDatasetRules, text_column: renamed('field') };
