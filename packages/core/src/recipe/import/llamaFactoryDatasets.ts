import { posix } from 'node:path';
import { preferenceKind } from './llamaFactoryPreferences.ts';
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
    const { note, ...dataset } = isMapping(entry)
      ? described(entry, directory, name, preferenceKind(input))
      : guessed(directory, name);
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
  function_tag: 'function_call',
  system_tag: 'system',
} as const;
const usualTags: Record<string, string> = {
  user_tag: 'human',
  assistant_tag: 'gpt',
  observation_tag: 'observation',
  function_tag: 'function_call',
  system_tag: 'system',
};

function described(entry: Input, directory: string, name: string, kind?: string): Input & { note: string } {
  const columns = isMapping(entry['columns']) ? entry['columns'] : {};
  const notes: string[] = [];
  const file = entry['file_name'];
  const hub = file === undefined ? (entry['hf_hub_url'] ?? entry['ms_hub_url']) : undefined;
  if (hub !== undefined) notes.push(`${name} lies on a hub: fetch it with anneal pull --data ${String(hub)}`);
  else if (file === undefined) notes.push(`${name} names no file; correct the path`);
  const pairs = pairColumns(entry, columns, kind);
  if (entry['ranking'] === true && kind === undefined) {
    notes.push(`${name} holds preference pairs, from which supervised training learns nothing`);
  }
  const read = new Set(kind === undefined ? [] : ['chosen', 'rejected', ...(kind === 'kto' ? ['kto_tag'] : [])]);
  for (const column of ['history', 'chosen', 'rejected', 'kto_tag', 'images', 'videos', 'audios']) {
    const found = read.has(column) || (column === 'history' && columns[column] === column);
    if (column in columns && !found) notes.push(`${name}: the column "${column}" is not read`);
  }
  const label = columns['kto_tag'];
  if (kind === 'kto' && label !== undefined && !['label', 'kto_tag'].includes(String(label))) {
    notes.push(`${name}: rename the column "${String(label)}", which says whether an answer is good, to "label"`);
  }
  for (const key of ['folder', ...(hub === undefined ? ['subset'] : [])])
    if (key in entry) notes.push(`${name}: ${key} has no counterpart`);
  const { split, num_samples: count } = entry;
  if (hub === undefined && split && split !== 'train') {
    notes.push(`${name}: the whole file is read, not ${String(split)}: prepare a file with these rows`);
  }

  const path = hub === undefined ? posix.join(directory, String(file ?? name)) : String(hub);
  const part = hub === undefined ? {} : { name: entry['subset'], split };
  const fields = { ...part, max_samples: count, field_system: columns['system'], field_tools: columns['tools'] };
  const texts = Object.fromEntries(Object.entries(fields).filter(([, column]) => column));
  const dataset =
    entry['formatting'] === 'sharegpt' || entry['formatting'] === 'openai'
      ? { path, type: 'chat_template', ...texts, ...pairs, ...conversation(entry, columns) }
      : {
          path,
          type: 'alpaca',
          ...texts,
          field_instruction: columns['prompt'] ?? 'instruction',
          field_input: columns['query'] ?? 'input',
          ...('field_chosen' in pairs ? pairs : { field_output: columns['response'] ?? 'output' }),
        };
  return { ...dataset, note: notes.join('; ') };
}

/** The columns of both answers, where there are two. */
function pairColumns(entry: Input, columns: Input, kind?: string): Input {
  if (kind === undefined || entry['ranking'] !== true) return {};
  return { field_chosen: columns['chosen'] ?? 'chosen', field_rejected: columns['rejected'] ?? 'rejected' };
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
  const kept = ['path', 'name', 'split', 'max_samples'].flatMap((key) => (key in dataset ? [[key, dataset[key]]] : []));
  return { ...Object.fromEntries(kept), type: 'completion', ...(field && field !== 'instruction' ? { field } : {}) };
}
