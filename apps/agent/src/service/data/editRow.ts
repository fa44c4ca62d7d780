import { openRow } from '@anneal/core/datasets/editableRow';
import { writeVersion } from '@anneal/core/datasets/newVersion';
import {
  type EditedRow,
  type EditProgress,
  type EditRowRequest,
  editRowRequest,
  type NewVersion,
  type RowRequest,
  rowRequest,
} from '@anneal/core/protocol/rowEdits';
import type { Context } from '../context.ts';
import { parseRequest } from '../parseRequest.ts';
import { reporting } from '../reporting.ts';

/** A row as it stands in its file, to be edited. @throws UserError `row_not_found`, `row_not_editable` */
export async function readRow(_: Context, request: RowRequest): Promise<EditedRow> {
  const source = parseRequest(rowRequest, request);
  const { text, isJson, sha256 } = await openRow(source);
  return { ...source, text, isJson, was: sha256 };
}

/** Writes a new version of the file, in which the row is another one or gone; the file itself is only read. */
export function editRow({ signal: outer }: Context, request: EditRowRequest): AsyncGenerator<EditProgress, NewVersion> {
  return reporting(async (report, signal) => {
    const { file, row, was, text, by } = parseRequest(editRowRequest, request);
    const onProgress = (done: number, total: number) => report({ done, total });
    return { file: await writeVersion({ source: { file, row }, was, text, by }, { onProgress, signal }) };
  }, outer);
}
