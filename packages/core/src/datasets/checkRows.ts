import { UserError } from '@anneal/formats/errors';
import { type AnswerMode, openReaderOf } from './formats/index.ts';
import type { DatasetInput } from './preparedData.ts';
import { openSource } from './read.ts';
import { describeSource } from './types.ts';

/** Rows that are looked at: as many as a format is found by. */
const SAMPLE = 100;

/**
 * Looks at the first rows of every file of a data set, without a model.
 * @param answers what they say of answers that are preferred
 * @throws UserError for a file that cannot be read, and for one of whose rows none has the form that the recipe expects
 */
export async function checkRows(dataset: DatasetInput, answers: AnswerMode | null): Promise<void> {
  for (const file of dataset.files) {
    const source = await openSource(file);
    try {
      const rows = await source.page(0, SAMPLE);
      const values = rows.map(({ value }) => value);
      const reader = openReaderOf(rows, answers, dataset.type, dataset.fields, file);
      const contents = values.map((value) => reader.read(value));
      const faults = contents.filter((content) => 'kind' in content && content.kind === 'dropped');
      const [first] = faults;
      if (!first || faults.length < contents.length) continue;
      const columns = source.columns.slice(0, 12).join(', ') || 'none';
      throw new UserError({
        what: `none of the first ${rows.length} rows can be read as ${reader.format}: ${first.detail}; the columns are ${columns}`,
        where: rows[0] ? describeSource(rows[0].source) : file,
        next: 'correct `type` and its field_… keys, or leave them out: type: auto finds the form in the rows',
        code: 'rows_unreadable',
      });
    } finally {
      await source.close();
    }
  }
}
