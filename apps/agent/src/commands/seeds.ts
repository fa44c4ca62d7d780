import { InvalidArgumentError } from 'commander';

/** `1,2,3` */
export function parseSeeds(text: string): number[] {
  const seeds = text.split(',').map((each) => (/^\s*\d+\s*$/.test(each) ? Number(each) : Number.NaN));
  const isList = seeds.length > 1 && seeds.every(Number.isSafeInteger) && new Set(seeds).size === seeds.length;
  if (!isList) throw new InvalidArgumentError('Give two different whole numbers or more, like 1,2,3.');
  return seeds;
}
