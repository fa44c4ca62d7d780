import { InvalidArgumentError } from 'commander';

/** Parses an option's number; commander turns the error into wrong usage. */
export function numberFrom(least: number, most: number = Number.POSITIVE_INFINITY): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && value >= least && value <= most) return value;
    throw new InvalidArgumentError(
      `Give a number ${most === Number.POSITIVE_INFINITY ? `from ${least} on` : `from ${least} to ${most}`}.`,
    );
  };
}

export function wholeNumberFrom(least: number, most: number = Number.MAX_SAFE_INTEGER): (text: string) => number {
  const number = numberFrom(least, most);
  return (text) => {
    const value = number(text);
    if (Number.isInteger(value)) return value;
    throw new InvalidArgumentError('Give a whole number.');
  };
}
