import { posix } from 'node:path';
import { type Account, type Input, isMapping, shown } from './translate.ts';

/** `dataset_info.json`: name of a data set → where and what it is. */
export type DatasetInfo = Readonly<Record<string, unknown>>;

/** The data sets behind a list of names, `identity,alpaca_en_demo`. */
export function llamaFactoryDatasets(account: Account, input: Input, key: string, info?: DatasetInfo): Input[] {
  if (!(key in input)) return [];
  const value = input[key];
  if (value === null || value === '') {
    account.translated.push({ from: key, to: 'nothing', note: 'empty' });
    return [];
  }
  const names = (Array.isArray(value) ? value : String(value).split(',')).map((name) => String(name).trim());
  const directory = typeof input['dataset_dir'] === 'string' ? input['dataset_dir'] : 'data';
  const notes: string[] = [];
  const datasets = names.map((name) => {
    const entry = info !== undefined && Object.hasOwn(info, name) ? info[name] : undefined;
    const { note, ...dataset } = isMapping(entry) ? described(entry, directory, name) : guessed(directory, name);
    if (note !== '') notes.push(note);
    return input['stage'] === 'pt' ? plainText(dataset) : dataset;
  });
  const to = datasets.map((dataset) => shown({ path: dataset['path'] })).join(', ');
  account.translated.push({ from: key, to, ...(notes.length > 0 ? { note: notes.join('; ') } : {}) });
  return datasets;
}

function guessed(directory: string, name: string): Input & { note: string } {
  return {
    path: posix.join(directory, `${name}.json`),
    note: `dataset_info.json does not describe ${name}; check the path, its type is found from the rows`,
  };
}

const tags = { role_tag: 'role', content_tag: 'content' } as const;
const roleTags = {
  user_tag: 'user',
  assistant_tag: 'assistant',
  observation_tag: 'tool',
  function_tag: 'assistant',
  system_tag: 'system',
} as const;
const usualTags: Record<string, string> = {
  user_tag: 'human',
  assistant_tag: 'gpt',
  observation_tag: 'observation',
  function_tag: 'function_call',
  system_tag: 'system',
};

function described(entry: Input, directory: string, name: string): Input & { note: string } {
  const columns = isMapping(entry['columns']) ? entry['columns'] : {};
  const notes: string[] = [];
  const file = entry['file_name'];
  if (typeof file !== 'string') notes.push(`${name} lies on a hub; download it and correct the path`);
  if (entry['ranking'] === true) notes.push(`${name} holds preference pairs, which Anneal does not train`);
  for (const column of ['history', 'chosen', 'rejected', 'kto_tag', 'images', 'videos', 'audios']) {
    if (column in columns) notes.push(`${name}: the column "${column}" is not read`);
  }
  for (const key of ['num_samples', 'subset', 'folder'])
    if (key in entry) notes.push(`${name}: ${key} has no counterpart`);

  const path = posix.join(directory, typeof file === 'string' ? file : name);
  const texts = Object.fromEntries(
    Object.entries({ field_system: columns['system'], field_tools: columns['tools'] }).filter(([, column]) => column),
  );
  const dataset =
    entry['formatting'] === 'sharegpt' || entry['formatting'] === 'openai'
      ? { path, type: 'chat_template', ...texts, ...conversation(entry, columns) }
      : {
          path,
          type: 'alpaca',
          ...texts,
          field_instruction: columns['prompt'] ?? 'instruction',
          field_input: columns['query'] ?? 'input',
          field_output: columns['response'] ?? 'output',
        };
  return { ...dataset, note: notes.join('; ') };
}

function conversation(entry: Input, columns: Input): Input {
  const given = isMapping(entry['tags']) ? entry['tags'] : {};
  const openai = entry['formatting'] === 'openai';
  const usual = openai ? { role: 'role', content: 'content' } : { role: 'from', content: 'value' };
  const message_property_mappings: Input = { ...usual };
  for (const [tag, part] of Object.entries(tags)) if (given[tag]) message_property_mappings[part] = given[tag];
  const roles: Record<string, string[]> = {};
  if (Object.keys(roleTags).some((tag) => given[tag])) {
    for (const [tag, role] of Object.entries(roleTags)) (roles[role] ??= []).push(String(given[tag] ?? usualTags[tag]));
  }
  return {
    field_messages: columns['messages'] ?? (openai ? 'messages' : 'conversations'),
    message_property_mappings,
    ...(Object.keys(roles).length > 0 ? { roles } : {}),
  };
}

/** In stage `pt` only the text is read: the column of the prompt. */
function plainText(dataset: Input): Input {
  const field = dataset['field_instruction'];
  return { path: dataset['path'], type: 'completion', ...(field && field !== 'instruction' ? { field } : {}) };
}
