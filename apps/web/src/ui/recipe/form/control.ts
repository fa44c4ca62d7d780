import type { FormControl, FormField } from '@anneal/core/protocol/recipeForm';
import type { WrittenValue } from '@anneal/core/recipe/edit';

/** What a control is given to show and change one value. */
export interface ControlProps {
  id: string;
  /** Id of the explanation and of what is wrong. */
  describedBy: string;
  isWrong: boolean;
  isReadOnly: boolean;
  written: WrittenValue | undefined;
  /** What holds where nothing is written, in words; undefined where that is not known. */
  standard: string | undefined;
  write(source: string): void;
  remove(): void;
}

/** The fields of its own that a control has. */
export function fieldsOf(control: FormControl): readonly FormField[] {
  return 'fields' in control ? control.fields : [];
}

/** What one writes into and chooses from in the form. */
export const controlClass =
  'h-8 w-full min-w-0 rounded-md border border-line bg-paper px-2.5 font-mono text-[12.5px] placeholder:text-muted aria-invalid:border-bad disabled:opacity-60';
