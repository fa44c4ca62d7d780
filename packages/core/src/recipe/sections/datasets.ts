import * as z from 'zod';
import { derived, optional, required } from '../key.ts';

/** One source of rows. The `field*` keys of a type that is not used stay null. */
export const datasetSchema = z.strictObject({
  path: required(
    z.string().min(1),
    'A file (.jsonl, .ndjson, .json, .csv, .tsv, .parquet, .txt) or a folder of such files. A relative path starts at the recipe.',
  ),
  type: optional(
    z.enum(['auto', 'chat_template', 'sharegpt', 'alpaca', 'completion']),
    'auto',
    '`chat_template`: rows hold a list of messages. `sharegpt`: the same with `conversations`, `from` and `value`. `alpaca`: instruction, input and output. `completion`: plain text, all of it trained. `auto` finds out from the fields of the first rows.',
  ),
  data_files: optional(
    z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]),
    null,
    'Only these files of the folder `path`.',
  ),
  split: optional(
    z.string().min(1),
    null,
    'Only the files of the folder `path` whose name starts with this, such as `train`.',
  ),
  weight: optional(
    z.number().positive().max(1000),
    1,
    'How often an epoch passes through this data set: 0.25 takes a quarter of its rows (chosen by the seed), 2 takes every row twice.',
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
    'system: [system], user: [user, human], assistant: [assistant, gpt, function_call], tool: [tool, observation]',
    "Names of the roles in the data: the template's role on the left, a list of the data's names on the right. Roles that are not listed keep their default.",
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
  roles_to_train: optional(
    z.array(z.string().min(1)).min(1),
    ['assistant'],
    'Whose messages the loss counts. Everything else is read but not learnt.',
  ),
  train_on_eos: optional(
    z.enum(['turn', 'all', 'last', 'none']),
    'turn',
    'Which end-of-turn tokens the loss counts: those of trained turns, of all turns, only the last one, or none. Without any the model never learns to stop.',
  ),
  message_field_training: optional(
    z.string().min(1),
    'train',
    'A boolean in a message that overrules `roles_to_train` for it: true trains the message, false does not.',
  ),
});

const datasetList = z.array(datasetSchema).min(1);

/** The rows that are trained and the rows that are only measured. */
export const data = {
  datasets: required(
    datasetList,
    'The rows to train on. Several data sets are mixed; `weight` says how much of each goes into an epoch.',
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
