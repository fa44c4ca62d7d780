/** A tensor's values in float64, read by row and column; of tensors with one extent by row. */
export class Values {
  readonly data: Float64Array;
  readonly columns: number;

  constructor(data: Float64Array, columns: number) {
    this.data = data;
    this.columns = columns;
  }

  at(row: number, column = 0): number {
    const value = this.data[row * this.columns + column];
    if (value === undefined) throw new RangeError(`no value at ${row}, ${column}`);
    return value;
  }
}

/** Half the distance from 1 to the next float32: the relative error of one rounding. */
const unitRoundoff = 2 ** -24;

/** Half the distance from 1 to the next bfloat16, which has 8 bits of significand. */
export const bf16Roundoff = 2 ** -8;

/** Below the smallest float32 that is not denormal; some instructions take those as zero. */
const smallest = 2 ** -100;

/**
 * Sums in float64 which remember the number and the sizes of their terms, and so what float32 arithmetic may make of them:
 * the error of a sum of n terms is below unit roundoff · λ√n · Σ|terms| with high probability (Higham & Mary 2019).
 */
export class Sums extends Values {
  private readonly size: Float64Array;
  private readonly terms: Uint32Array;
  private readonly allowed: Float64Array;

  constructor(count: number, columns: number) {
    super(new Float64Array(count), columns);
    this.size = new Float64Array(count);
    this.terms = new Uint32Array(count);
    this.allowed = new Float64Array(count);
  }

  /** `size` is given where the term itself carries more rounding errors than its magnitude tells. */
  add(row: number, column: number, term: number, size = Math.abs(term)): void {
    const i = row * this.columns + column;
    this.data[i] = this.at(row, column) + term;
    this.size[i] = (this.size[i] as number) + size;
    this.terms[i] = (this.terms[i] as number) + 1;
  }

  /** Each value may differ as if it were `growth` times as large as the largest of all: it is made of sums over many terms. */
  addAll(values: readonly (readonly number[])[], growth: number): void {
    const largest = values.flat().reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const size = growth * largest;
    values.forEach((row, r) => row.forEach((value, c) => this.add(r, c, value, size)));
  }

  /** Widens the tolerance by an absolute amount. */
  allow(row: number, column: number, amount: number): void {
    const i = row * this.columns + column;
    this.allowed[i] = (this.allowed[i] as number) + amount;
  }

  /** Widens the tolerance by what rounding the sum to bfloat16 may change: half a step, to either side near a tie. */
  roundToBf16(): void {
    for (const [i, value] of this.data.entries())
      this.allowed[i] = (this.allowed[i] as number) + bf16Roundoff * Math.abs(value);
  }

  /** Widens all tolerances by several times what rounded factors of products may change the largest value. */
  allowFactors(): void {
    const amount = 4 * bf16Roundoff * this.data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    this.allowed.forEach((allowed, i) => {
      this.allowed[i] = allowed + amount;
    });
  }

  tolerance(i: number): number {
    const growth = 8 + 2 * Math.sqrt(this.terms[i] as number);
    return unitRoundoff * growth * (this.size[i] as number) + (this.allowed[i] as number) + smallest;
  }
}

/** The element that is farthest outside its tolerance, in words; null when all are within. */
export function difference(got: ArrayLike<number>, expected: Sums): string | null {
  if (got.length !== expected.data.length) return `${got.length} values instead of ${expected.data.length}`;
  let worst = -1;
  let worstRatio = 1;
  for (let i = 0; i < got.length; i++) {
    const error = Math.abs((got[i] as number) - (expected.data[i] as number));
    const ratio = Number.isNaN(error) ? Infinity : error / expected.tolerance(i);
    if (ratio > worstRatio) {
      worst = i;
      worstRatio = ratio;
    }
  }
  if (worst < 0) return null;
  const [row, column] = [Math.floor(worst / expected.columns), worst % expected.columns];
  return `[${row}, ${column}] is ${got[worst]} instead of ${expected.data[worst]}, ${worstRatio.toPrecision(3)} times the tolerance`;
}
