import { isAbsolute, join } from 'node:path';
import type * as z from 'zod';
import { isDataFile } from '../datasets/dataFiles.ts';
import { withUsualRoles } from '../datasets/formats/roles.ts';
import { findPulled, isDatasetId } from '../hub/datasets/cache.ts';
import type { DatasetSelection } from '../hub/datasets/select.ts';
import { type FieldType, fieldsOfType } from './combinations.ts';
import type { KeyPath } from './problem.ts';
import type { datasetSchema } from './sections/datasets.ts';

type Filled = z.output<typeof datasetSchema>;

/** A data set with nothing left to a default. With `type: auto` the reader of the data finds the columns that are null. */
export type ResolvedDataset = Omit<Filled, 'type' | 'data_files' | 'roles'> & {
  type: 'auto' | FieldType | Exclude<Filled['type'], string>;
  data_files: string[] | null;
  /** The template's role → the data's names of it. */
  roles: Record<string, string[]>;
};

type Columns = Pick<ResolvedDataset, (typeof fieldsOfType)[FieldType][number]>;

const noColumns: Columns = {
  field_messages: null,
  message_property_mappings: null,
  field_instruction: null,
  field_input: null,
  field_output: null,
  field: null,
};

/** What the rows of each type look like unless the recipe says otherwise. */
const usualColumns: Record<'chat_template' | 'sharegpt' | 'alpaca' | 'completion', Partial<Columns>> = {
  chat_template: { field_messages: 'messages', message_property_mappings: { role: 'role', content: 'content' } },
  sharegpt: { field_messages: 'conversations', message_property_mappings: { role: 'from', content: 'value' } },
  alpaca: { field_instruction: 'instruction', field_input: 'input', field_output: 'output' },
  completion: { field: 'text' },
};

/** What looks at the disk, and records what does not fit. */
export interface DatasetPlace {
  /** Whether something is there. */
  exists(path: string): boolean;
  /** The absolute path; records it when nothing is there. */
  existing(path: string, key: KeyPath, next: string): string;
  refuse(key: KeyPath, what: string, next: string): void;
}

/** Of a data set of a hub what is fetched, and so where it lies; null for files of this machine. */
export function hubSelection({
  path,
  revision,
  name,
  split,
  data_files,
}: Pick<ResolvedDataset, 'path' | 'revision' | 'name' | 'split' | 'data_files'>): DatasetSelection | null {
  return isAbsolute(path) ? null : { revision, name, split, dataFiles: data_files };
}

export function resolveDataset(filled: Filled, key: KeyPath, place: DatasetPlace): ResolvedDataset {
  const written =
    typeof filled.type === 'object'
      ? 'prompt'
      : filled.type === 'auto'
        ? (typeOfWrittenColumns(filled) ?? 'auto')
        : filled.type;
  const usual = written === 'auto' || written === 'prompt' ? {} : usualColumns[written];
  const data_files = typeof filled.data_files === 'string' ? [filled.data_files] : filled.data_files;
  const isHub = isDatasetId(filled.path) && !place.exists(filled.path) && !isDataFile(filled.path);
  return {
    ...filled,
    ...noColumns,
    ...usual,
    ...writtenColumns(filled),
    ...(filled.message_property_mappings && {
      message_property_mappings: { ...usual.message_property_mappings, ...filled.message_property_mappings },
    }),
    ...(isHub ? pinned({ ...filled, data_files }) : localPlace({ ...filled, data_files }, key, place)),
    type: typeof filled.type === 'object' ? filled.type : typeOf(written),
    data_files,
    weight: filled.percent === null ? (filled.weight ?? 1) : null,
    roles: withUsualRoles(filled.roles ?? {}),
  };
}

/** The commit that came takes the place of the branch, so that the run says what it was trained on. */
function pinned(written: Filled & Pick<ResolvedDataset, 'data_files'>): Pick<ResolvedDataset, 'path' | 'revision'> {
  const { path, revision, name, split, data_files: dataFiles } = written;
  return { path, revision: findPulled(path, { revision, name, split, dataFiles })?.revision ?? revision };
}

function localPlace(
  { path: written, data_files, name, revision }: Filled & Pick<ResolvedDataset, 'data_files'>,
  key: KeyPath,
  { existing, refuse }: DatasetPlace,
): Pick<ResolvedDataset, 'path'> {
  const path = existing(
    written,
    [...key, 'path'],
    'correct the path, or write the name of a data set of a hub, owner/name',
  );
  for (const file of data_files ?? []) existing(join(path, file), [...key, 'data_files'], `name files inside ${path}`);
  for (const [option, value] of Object.entries({ name, revision })) {
    if (value === null) continue;
    refuse(
      [...key, option],
      `\`${option}\` is for data sets of a hub, and ${path} is on this machine`,
      `remove ${option}`,
    );
  }
  return { path };
}

function typeOf(written: 'auto' | FieldType | 'sharegpt' | 'prompt'): 'auto' | FieldType {
  return written === 'sharegpt' || written === 'prompt' ? 'chat_template' : written;
}

function typeOfWrittenColumns(filled: Filled): FieldType | undefined {
  return (Object.keys(fieldsOfType) as FieldType[]).find((type) =>
    fieldsOfType[type].some((key) => filled[key] !== null),
  );
}

function writtenColumns(filled: Filled): Partial<Columns> {
  const keys = Object.values(fieldsOfType).flat();
  return Object.fromEntries(keys.filter((key) => filled[key] !== null).map((key) => [key, filled[key]]));
}
