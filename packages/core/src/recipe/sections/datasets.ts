import * as z from 'zod';
import { USUAL_ROLES } from '../../datasets/formats/roles.ts';
import { derived, optional, required } from '../key.ts';

/** A prompt written out by hand; its key names are those of Axolotl's custom prompts. */
export const promptSchema = z.strictObject({
  format: required(
    z.string().min(1),
    'The prompt, with `{instruction}` and `{input}` where those columns belong. The answer begins at `{output}` (or at `{thinking}` before it); without `{output}` it follows at the end. The EOS token is added. A brace is written `{{` or `}}`.',
  ),
  no_input_format: optional(
    z.string().min(1),
    null,
    'The prompt of rows whose input is empty. Without it `format` serves, with nothing in the place of `{input}`.',
  ),
  system_format: optional(z.string(), '{system}', 'What stands before the prompt where there is a system text.'),
  system_prompt: optional(z.string(), '', 'The system text of rows that have none. Empty: none.'),
  field_instruction: optional(z.string().min(1), 'instruction', 'Column for `{instruction}`.'),
  field_input: optional(z.string().min(1), 'input', 'Column for `{input}`; may be missing or empty in a row.'),
  field_output: optional(z.string().min(1), 'output', 'Column for `{output}`.'),
  field_thinking: optional(
    z.string().min(1),
    'thinking',
    'Column for `{thinking}`: what is thought before the output. Trained with it.',
  ),
  field_system: optional(z.string().min(1), null, 'Column with a system text.'),
});

/** One source of rows. The `field*` keys of a type that is not used stay null. */
export const datasetSchema = z.strictObject({
  path: required(
    z.string().min(1),
    'A file (.jsonl, .ndjson, .json, .csv, .tsv, .parquet, .txt) or a folder of such files; a relative path starts at the recipe. Otherwise the name of a data set at the Hugging Face Hub or ModelScope, `owner/name`, which `anneal pull --data` fetches.',
  ),
  name: optional(z.string().min(1), null, 'Of a data set of a hub: its subset, where it has several.'),
  revision: optional(
    z.string().min(1),
    null,
    'Of a data set of a hub: commit, tag or branch. A run records the commit.',
  ),
  type: optional(
    z.union([z.enum(['auto', 'chat_template', 'sharegpt', 'alpaca', 'completion']), promptSchema]),
    'auto',
    '`chat_template`: rows hold a list of messages. `sharegpt`: the same with `conversations`, `from` and `value`. `alpaca`: instruction, input and output. `completion`: plain text, all of it trained. `auto` finds out from the fields of the first rows. A mapping writes the prompt out: see below.',
  ),
  data_files: optional(
    z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]),
    null,
    'Only these files of the folder `path`; of a data set of a hub also patterns such as `data/*.parquet`, in the place of its splits.',
  ),
  split: optional(
    z.string().min(1),
    null,
    'Only the files of this split in the folder `path`: `train`, `validation` or `test`, as their names tell, or files whose name starts with this; of a data set of a hub the split as its page names it. Needed where there is more than one split.',
  ),
  weight: derived(
    z.number().positive().max(1000),
    '1 unless `percent` is written',
    'How often an epoch passes through this data set: 0.25 takes a quarter of its rows (chosen by the seed), 2 takes every row twice.',
  ),
  percent: optional(
    z.number().positive().max(100),
    null,
    "This data set's share of the rows of an epoch, such as 75 beside 25. Written for all data sets or for none; together 100. The epoch is as long as it can be without taking a row twice. Instead of `weight`.",
  ),
  max_samples: optional(
    z.int().min(1).max(1_000_000_000),
    null,
    'Take at most so many rows of this data set (chosen by the seed).',
  ),
  field_messages: derived(
    z.string().min(1),
    '`messages` with `type: chat_template`, found with `auto`',
    'Column that holds the list of messages.',
  ),
  message_property_mappings: derived(
    z.record(z.string(), z.string().min(1)),
    '`{role: role, content: content}` with `type: chat_template`, found with `auto`',
    "Where a message keeps its parts: our name on the left, the data's on the right, such as `{role: from, content: value}`.",
  ),
  roles: derived(
    z.record(z.string(), z.array(z.string().min(1)).min(1)),
    Object.entries(USUAL_ROLES)
      .map(([role, names]) => `${role}: [${names.join(', ')}]`)
      .join(', '),
    "Names of the roles in the data, beside the usual ones: the template's role on the left, a list of the data's names on the right. `function_call` is for turns of the assistant that are a call of a tool, as JSON.",
  ),
  field_system: derived(z.string().min(1), 'found with `auto`, otherwise none', 'Column with a system prompt.'),
  field_tools: derived(
    z.string().min(1),
    'found with `auto`, otherwise none',
    'Column with the tool definitions, as JSON, that the chat template shows to the model.',
  ),
  field_instruction: derived(
    z.string().min(1),
    '`instruction` with `type: alpaca`, found with `auto`',
    'Column with the instruction, which becomes the user message.',
  ),
  field_input: derived(
    z.string().min(1),
    '`input` with `type: alpaca`, found with `auto`',
    'Column with further input, put after the instruction; may be missing or empty in a row.',
  ),
  field_output: derived(
    z.string().min(1),
    '`output` with `type: alpaca`, found with `auto`',
    'Column with the answer, which becomes the assistant message.',
  ),
  field: derived(
    z.string().min(1),
    '`text` with `type: completion`, found with `auto`',
    'Column with the text of a `completion` row.',
  ),
  field_chosen: optional(
    z.string().min(1),
    null,
    'With `rl`: column with the answer that is preferred, a text, a message, messages, or a whole conversation. null takes `chosen`.',
  ),
  field_rejected: optional(
    z.string().min(1),
    null,
    'With `rl`: column with the answer that is not. null takes `rejected`. With `rl: kto` a row may have one answer and a `label` instead, true or false.',
  ),
  field_margin: optional(
    z.string().min(1),
    null,
    "With `rl: reward`: column with a number, by which the chosen answer's score is to be above the other. null reads none. TRL takes `margin` by itself.",
  ),
  roles_to_train: optional(
    z.array(z.string().min(1)).min(1),
    ['assistant'],
    'Whose messages the loss counts. Everything else is read but not learned.',
  ),
  train_on_eos: optional(
    z.enum(['turn', 'all', 'last', 'none']),
    'turn',
    'Which end-of-turn tokens the loss counts: those of trained turns, of all turns, only the last one, or none. Without any the model never learns to stop.',
  ),
  message_field_training: optional(
    z.string().min(1),
    'train',
    'A flag in a message that overrules `roles_to_train` for it: true or 1 trains the message, false or 0 does not. Unless another is named, `weight` and `loss` are such flags too. As a column such a flag holds for the whole row, which false or 0 drops.',
  ),
});

const datasetList = z.array(datasetSchema).min(1);

/** The rows that are trained and the rows that are only measured. */
export const data = {
  datasets: required(
    datasetList,
    'The rows to train on. Several data sets are mixed; `weight` or `percent` says how much of each goes into an epoch.',
  ),
  test_datasets: optional(datasetList, null, 'Rows used only for the validation loss. Instead of `val_set_size`.'),
  val_set_size: derived(
    z
      .number()
      .min(0)
      .max(1_000_000_000)
      .refine((value) => value < 1 || Number.isInteger(value), 'a share below 1 or a whole number of rows'),
    '0',
    'Rows set aside for the validation loss: below 1 a share (0.02 is 2 %), from 1 on a number of rows. 0 measures none.',
  ),
  dataset_exact_deduplication: optional(
    z.boolean(),
    false,
    'Drop rows that equal an earlier one; each is listed in data/dropped.jsonl.',
  ),
  train_on_inputs: optional(
    z.boolean(),
    false,
    'Let the loss count every token, prompts too, whatever `roles_to_train` says.',
  ),
  shuffle: optional(z.boolean(), true, 'A new order of the rows in every epoch, decided by `seed`.'),
};
