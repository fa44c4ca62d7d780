import { openInspectedFile } from '@anneal/core/datasets/inspect';
import type { ModelText } from '@anneal/core/generate/modelText';
import type { InspectedRow } from '@anneal/core/protocol/data';
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
      const opened = await openInspectedFile(file, dataset, options);
      try {
        const end = Math.min(opened.rowCount, last - before);
        for (let offset = Math.max(0, first - 1 - before); offset < end; offset += pageRows) {
          yield* await opened.page(offset, Math.min(pageRows, end - offset));
        }
        before += opened.rowCount;
      } finally {
        await opened.close();
      }
      if (before >= last) return;
    }
  }
}
