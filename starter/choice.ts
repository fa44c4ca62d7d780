import { type Random, random } from '@anneal/core/random';

/** Seeded choices: the whole text follows from one seed. */
export interface Choice {
  one<T>(items: readonly T[]): T;
  /** `count` different members, in random order. */
  some<T>(items: readonly T[], count: number): T[];
  /** Whole number from `low` to `high`, both included. */
  between(low: number, high: number): number;
  /** True `percent` times in a hundred. */
  chance(percent: number): boolean;
  /** One of the texts, or nothing, `percent` times in a hundred. */
  maybe(percent: number, texts: readonly string[]): string;
}

export function choice(...seeds: (number | string)[]): Choice {
  const source: Random = random(...seeds);
  const one = <T>(items: readonly T[]): T => {
    if (items.length === 0) throw new Error('a choice among nothing');
    return items[source.below(items.length)] as T;
  };
  const chance = (percent: number) => source.below(100) < percent;
  return {
    one,
    some: (items, count) => {
      const rest = [...items];
      return Array.from({ length: count }, () => rest.splice(source.below(rest.length), 1)).flat();
    },
    between: (low, high) => low + source.below(high - low + 1),
    chance,
    maybe: (percent, texts) => (chance(percent) ? one(texts) : ''),
  };
}

/** Sentences joined by spaces; empty ones vanish. */
export function paragraph(...sentences: string[]): string {
  return sentences.filter(Boolean).join(' ');
}

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** `a boat`, `an apple` */
export function a(noun: string): string {
  return `${/^[aeiou]/.test(noun) ? 'an' : 'a'} ${noun}`;
}

/** `x`, `x and y`, `x, y and z` */
export function list(items: readonly string[]): string {
  return items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;
}
