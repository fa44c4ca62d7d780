/** Editing a row of a data file into a new version of it. Browser-safe. */
import { z } from 'zod';

/** A row of a text file by its line, as `RowSource` counts. */
export const rowRequest = z.object({ file: z.string().min(1).max(4096), row: z.int().min(1) });
export type RowRequest = z.input<typeof rowRequest>;

export const editRowRequest = rowRequest.extend({
  /** As `EditedRow` had it. */
  was: z.string().regex(/^[0-9a-f]{64}$/),
  /** What is to stand there; null: the row goes. */
  text: z
    .string()
    .max(1 << 20)
    .nullable(),
  /** Who edits it. */
  by: z.string().max(200).nullable().default(null),
});
export type EditRowRequest = z.input<typeof editRowRequest>;

export interface EditedRow {
  file: string;
  row: number;
  text: string;
  /** It is JSON; otherwise a line of plain text. */
  isJson: boolean;
  /** SHA-256 of its bytes. */
  was: string;
}

/** In bytes of the file. */
export interface EditProgress {
  done: number;
  total: number;
}

export interface NewVersion {
  /** A path; to the studio the key in the workspace. */
  file: string;
}

/** A recipe that trains or measures a data file, by which of its data sets. */
export interface RecipeOfFile {
  recipe: string;
  /** As `datasets.0`. */
  places: readonly string[];
}
