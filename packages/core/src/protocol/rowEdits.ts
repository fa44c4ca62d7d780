/** Editing a row of a data file into a new version of it. Browser-safe. */
import { z } from 'zod';

/** A row of a text file by its line, as `RowSource` counts. */
export const rowRequest = z.strictObject({ file: z.string().min(1).max(4096), row: z.int().min(1) });
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

const said = z.string().max(1 << 18);

/** A question and its answer, as somebody wants a model to answer. */
export const answeredQuestion = z.strictObject({
  /** Empty: without one. */
  system: said.default(''),
  question: said.min(1),
  answer: said.min(1),
});
export type AnsweredQuestion = z.output<typeof answeredQuestion>;

export const addRowRequest = z.strictObject({
  file: rowRequest.shape.file,
  /** The row as it is to stand there, or what it is to say, in the form of the other rows. */
  row: z.union([z.strictObject({ text: z.string().max(1 << 20) }), answeredQuestion]),
  /** Who adds it. */
  by: z.string().max(200).nullable().default(null),
});
export type AddRowRequest = z.input<typeof addRowRequest>;

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
