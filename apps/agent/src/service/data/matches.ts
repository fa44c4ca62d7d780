import type { RowTable } from '@anneal/core/datasets/rowTable';
import type { RowFilter } from '@anneal/core/protocol/rowVerdicts';

/** The places of the rows that a filter lets through, from 0 and ascending, found once for as many rows as are judged. */
export class Matches {
  readonly #lists = new Map<RowFilter, { table: RowTable; looked: number; rows: number[] }>();

  of(table: RowTable, filter: RowFilter): readonly number[] {
    let list = this.#lists.get(filter);
    if (list?.table !== table) {
      list = { table, looked: 0, rows: [] };
      this.#lists.set(filter, list);
    }
    for (; list.looked < table.count; list.looked++) {
      if (table.passes(list.looked, filter)) list.rows.push(list.looked);
    }
    return list.rows;
  }
}

/** How many of these ascending numbers are below `limit`. */
export function countBelow(numbers: readonly number[], limit: number): number {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((numbers[middle] as number) < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
