import { type RowTable, verdictName } from '@anneal/core/datasets/rowTable';
import type { ViewedRow } from '@anneal/core/protocol/dataView';
import type { InspectedRows } from './rows.ts';

/** Rows `first` to `last` as a list shows them. Those that the table does not hold are judged now, each on its own. */
export async function viewedRows(
  rows: InspectedRows,
  table: RowTable,
  first: number,
  last: number,
): Promise<ViewedRow[]> {
  const viewed: ViewedRow[] = [];
  for await (const { file, offset, limit, number } of rows.parts(first, last)) {
    const known = Math.min(limit, Math.max(0, table.count - (number - 1)));
    for (const [i, { source, excerpt }] of (known > 0 ? await file.excerpts(offset, known) : []).entries()) {
      const at = number - 1 + i;
      viewed.push({
        number: at + 1,
        ...source,
        excerpt,
        verdict: table.verdict(at),
        tokens: table.tokens(at),
        targetTokens: table.targetTokens(at),
        leavesOut: table.leavesOut(at),
      });
    }
    if (known === limit) continue;
    const judged = await file.list(offset + known, limit - known);
    for (const [i, { source, excerpt, judged: row }] of judged.entries()) {
      const { verdict, tokens, targetTokens, leavesOut } = row;
      const at = number + known + i;
      viewed.push({ number: at, ...source, excerpt, verdict: verdictName(verdict), tokens, targetTokens, leavesOut });
    }
  }
  return viewed;
}
