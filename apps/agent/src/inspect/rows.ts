import { type InspectedRow, inspectRows } from '@anneal/core/datasets/inspect';
import type { ModelText } from '@anneal/core/generate/modelText';
import type { DataOptions } from '@anneal/core/trainer/dataOptions';

/** Rows processed together: enough to feed the tokenizer's threads. */
const pageRows = 256;

/** Rows `first` to `last`, counted from 1 over all files of all data sets in their order. */
export async function* inspectRange(
  { prepare }: DataOptions,
  { tokenizer, renderer }: ModelText,
  { first, last }: { first: number; last: number },
): AsyncGenerator<InspectedRow> {
  const { sequenceLen, excessLength } = prepare;
  const options = { tokenizer, renderer, sequenceLen, excessLength };
  let before = 0;
  for (const dataset of [...prepare.datasets, ...(prepare.validationDatasets ?? [])]) {
    for (const file of dataset.files) {
      let rowCount = Number.POSITIVE_INFINITY;
      for (let offset = Math.max(0, first - 1 - before); before + offset < last && offset < rowCount; ) {
        const limit = Math.min(pageRows, last - before - offset);
        const page = await inspectRows(file, dataset, { offset, limit }, options);
        rowCount = page.rowCount;
        yield* page.rows;
        offset += limit;
      }
      if (!Number.isFinite(rowCount))
        rowCount = (await inspectRows(file, dataset, { offset: 0, limit: 0 }, options)).rowCount;
      before += rowCount;
      if (before >= last) return;
    }
  }
}
