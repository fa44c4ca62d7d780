import { type Format, minus } from '../format.ts';

/** A number beside an axis: at most four digits, very small and very large ones with an exponent. */
export function axisNumber(format: Format): (value: number) => string {
  return (value) => {
    const size = Math.abs(value);
    if (size === 0) return '0';
    if (size < 1e-3 || size >= 1e5)
      return minus(value.toExponential(size.toString().length > 6 ? 1 : 0).replace('e+', 'e'));
    return minus(size >= 1000 ? format.count(value) : String(Number(value.toPrecision(4))));
  };
}
