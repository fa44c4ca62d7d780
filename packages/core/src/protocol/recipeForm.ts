/** A recipe as a form. Browser-safe. */

/**
 * `names` and `numbers` are in one line, with commas between them, `texts` one below the other; `prompts` are texts or
 * conversations; `group` is a mapping with fields of
 * its own; `other` is changed in the text.
 */
export type FormControl =
  | { kind: 'choice'; options: readonly (string | number | boolean | null)[] }
  | { kind: 'datasets' | 'group'; fields: readonly FormField[] }
  /** Such as `≥ 1`. */
  | { kind: 'number'; isWhole: boolean; bounds: readonly string[] }
  | { kind: 'text' | 'names' | 'numbers' | 'texts' | 'prompts' | 'other' };

export interface FormField {
  key: string;
  description: string;
  /** What it is when it is not written; absent where that depends on other keys. */
  standard?: unknown;
  /** It must be written. */
  isRequired: boolean;
  /** Keys of which only one can be written. */
  insteadOf: readonly string[];
  control: FormControl;
}

export interface FormSection {
  title: string;
  fields: readonly FormField[];
}
