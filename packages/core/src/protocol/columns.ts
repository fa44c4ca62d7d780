/** How the columns of a data file are read, proposed by their names and contents. Browser-safe. */

/** `list` holds messages or anything else; JSON in a text counts as what it says. */
export type ColumnKind = 'text' | 'list' | 'number' | 'other' | 'empty';

export interface FoundColumn {
  name: string;
  kind: ColumnKind;
  /** Of the rows that were looked at, the share in which it holds something. */
  filled: number;
  /** The beginning of the first value. */
  example: string;
  /** Of a list of objects, their fields. */
  properties: readonly string[];
}

/** Keys of a data set in a recipe. */
export interface ColumnMapping {
  type: 'chat_template' | 'sharegpt' | 'alpaca' | 'completion';
  field_messages?: string;
  message_property_mappings?: { role: string; content: string };
  roles?: Readonly<Record<string, readonly string[]>>;
  field_instruction?: string;
  field_input?: string;
  field_output?: string;
  field_system?: string;
  field?: string;
}

export interface ProposedMapping {
  columns: readonly FoundColumn[];
  mapping: ColumnMapping | null;
  /** `type: auto` reads the rows so, too. */
  isKnown: boolean;
}

/** The keys that say how rows are read, and that a data file may be looked at with. */
export const mappingKeys = [
  'type',
  'field_messages',
  'message_property_mappings',
  'roles',
  'field_instruction',
  'field_input',
  'field_output',
  'field_system',
  'field',
] as const satisfies readonly (keyof ColumnMapping)[];
