/** The files of data that somebody looks at, as they were when they were opened. */
import { statSync } from 'node:fs';
import type { ViewedFile } from '@anneal/core/protocol/dataView';
import type { InspectedData } from './inspect.ts';

/** Opens one after the other. @param opening is told of each before, with its number from 1 */
export async function viewFiles(
  rows: InspectedData['rows'],
  opening: (path: string, number: number) => void,
): Promise<ViewedFile[]> {
  const files: ViewedFile[] = [];
  for (const [index, { path, isValidation }] of rows.files.entries()) {
    opening(path, index + 1);
    const { size } = statSync(path);
    const found = await rows.use(index, async ({ rowCount, format, fields }) => ({ rows: rowCount, format, fields }));
    files.push({ path, bytes: size, isValidation, ...found });
  }
  return files;
}

/** What of a file tells that it is the same as before. */
export function stateOf(path: string): string {
  const status = statSync(path, { throwIfNoEntry: false });
  return status ? `${status.size} ${status.mtimeMs} ${status.ino}` : 'gone';
}
