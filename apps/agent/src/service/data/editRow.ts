import { openRow } from '@anneal/core/datasets/editableRow';
import { writeVersion, writeVersionWith } from '@anneal/core/datasets/newVersion';
import { openSource } from '@anneal/core/datasets/read';
import { rowOfAnswer } from '@anneal/core/datasets/rowOfAnswer';
import {
  type AddRowRequest,
  addRowRequest,
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

/** By which the form of rows is known. */
const rowsForForm = 100;

/** As `editRow`, with a row more at the end. @throws UserError `row_form_unknown`, `malformed_row`, `row_not_editable`, `data_empty` */
export function addRow({ signal: outer }: Context, request: AddRowRequest): AsyncGenerator<EditProgress, NewVersion> {
  return reporting(async (report, signal) => {
    const { file, row, by } = parseRequest(addRowRequest, request);
    const text = 'text' in row ? row.text : rowOfAnswer(await firstRows(file), row, file);
    const onProgress = (done: number, total: number) => report({ done, total });
    return { file: await writeVersionWith({ file, text, by }, { onProgress, signal }) };
  }, outer);
}

async function firstRows(file: string) {
  const source = await openSource(file);
  try {
    return (await source.page(0, rowsForForm)).map(({ value }) => value);
  } finally {
    await source.close();
  }
}
