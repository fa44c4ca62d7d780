import { UserError } from '@anneal/formats/errors';
import { permutation } from '../random.ts';

/** A prepared row: where its documents lie, and what it says. */
export interface PreparedRow {
  readonly dataset: number;
  /** Equal for rows of equal tokens and mask. */
  readonly hash: bigint;
  readonly firstDocument: number;
  readonly documents: number;
}

/** How much of a data set an epoch takes. */
export interface Share {
  readonly weight: number;
  readonly percent?: number | null;
  readonly maxSamples?: number | null;
}

export interface Selection {
  /** Documents of an epoch in file order; a data set of weight 2 stands there twice. */
  readonly train: Uint32Array;
  /** One of each distinct row that was set aside. */
  readonly validation: Uint32Array;
}

/**
 * Applies the data sets' weights, percents and limits, and sets validation rows aside. Rows that are equal go to the same side, so validation says nothing about
 * memorized rows. Decided by the seed alone.
 *
 * @param size below 1 a share of the distinct rows, from 1 on their number
 * @throws UserError `validation_takes_all`, `weights_take_nothing`
 */
export function selectRows(rows: readonly PreparedRow[], mix: readonly Share[], size: number, seed: number): Selection {
  const limited = mix.map(({ maxSamples }, dataset) => {
    const own = rows.filter((row) => row.dataset === dataset);
    return maxSamples && maxSamples < own.length ? choose(own, maxSamples, 'max_samples', seed, dataset) : own;
  });
  const passes = mix.some(({ percent }) => percent)
    ? byPercent(limited, mix, seed)
    : mix.flatMap(({ weight }, dataset) => passesOf(limited[dataset] ?? [], dataset, weight, seed));
  if (rows.length > 0 && passes.every((pass) => pass.length === 0)) {
    throw new UserError({
      what: `the shares of the data sets take none of their ${rows.length} rows`,
      next: 'raise a weight, or give more rows: with percents each data set needs some',
      code: 'weights_take_nothing',
    });
  }
  const distinct = [...new Set(passes.flat().map((row) => row.hash))];
  const wanted = size === 0 ? 0 : Math.max(1, size < 1 ? Math.round(size * distinct.length) : size);
  if (wanted > 0 && wanted >= distinct.length) {
    throw new UserError({
      what: `val_set_size asks for ${wanted} of ${distinct.length} distinct rows, which leaves none to train on`,
      next: 'lower val_set_size, or give more rows',
      code: 'validation_takes_all',
    });
  }
  const order = permutation(distinct.length, 'validation', seed);
  const aside = new Set(Array.from(order.subarray(0, wanted), (i) => distinct[i] as bigint));
  const train: number[] = [];
  const validation = new Map<bigint, PreparedRow>();
  for (const row of passes.flat()) {
    if (!aside.has(row.hash)) pushDocuments(train, row);
    else if (!validation.has(row.hash)) validation.set(row.hash, row);
  }
  const validationDocuments: number[] = [];
  for (const row of validation.values()) pushDocuments(validationDocuments, row);
  return { train: Uint32Array.from(train), validation: Uint32Array.from(validationDocuments) };
}

/** As many rows of each data set as its percent says, of the longest epoch in which none comes twice. */
function byPercent(rows: readonly PreparedRow[][], mix: readonly Share[], seed: number): PreparedRow[][] {
  const share = (dataset: number): number => (mix[dataset]?.percent ?? 0) / 100;
  const total = Math.min(...rows.map((own, dataset) => (share(dataset) > 0 ? own.length / share(dataset) : Infinity)));
  return rows.map((own, dataset) => {
    const count = Math.min(own.length, Math.round(total * share(dataset)));
    return choose(own, count, 'percent', seed, dataset);
  });
}

/** So many of the rows, in their order. */
function choose(
  rows: readonly PreparedRow[],
  count: number,
  use: string,
  seed: number,
  dataset: number,
): PreparedRow[] {
  const chosen = permutation(rows.length, use, seed, dataset).subarray(0, count).sort();
  return Array.from(chosen, (i) => rows[i] as PreparedRow);
}

/** The rows of a data set, once for every whole unit of its weight, and a share of them for the rest. */
function passesOf(own: PreparedRow[], dataset: number, weight: number, seed: number): PreparedRow[][] {
  const whole = Math.floor(weight);
  const rest = Math.round((weight - whole) * own.length);
  return [...Array.from({ length: whole }, () => own), choose(own, rest, 'weight', seed, dataset)];
}

function pushDocuments(list: number[], { firstDocument, documents }: PreparedRow): void {
  for (let i = 0; i < documents; i++) list.push(firstDocument + i);
}
