import { people, plural } from '../world.ts';
import type { Ask } from './ask.ts';

export const sum: Ask = (c) => {
  const [x, y] = [c.between(0, 10), c.between(0, 10)];
  const ask = c.one([
    `What is ${x} plus ${y}?`,
    `How much is ${x} plus ${y}?`,
    `${x} plus ${y}?`,
    `Add ${x} and ${y}.`,
  ]);
  return { ask, answer: `${x} plus ${y} is ${x + y}.`, word: `${x + y}` };
};

export const difference: Ask = (c) => {
  const [y, rest] = [c.between(0, 10), c.between(0, 10)];
  const x = y + rest;
  const ask = c.one([`What is ${x} minus ${y}?`, `How much is ${x} minus ${y}?`, `Take ${y} from ${x}.`]);
  return { ask, answer: `${x} minus ${y} is ${rest}.`, word: `${rest}` };
};

export const larger: Ask = (c) => {
  const [x, y] = c.some(
    Array.from({ length: 21 }, (_, i) => i),
    2,
  ) as [number, number];
  return {
    ask: `Which number is larger, ${x} or ${y}?`,
    answer: `${Math.max(x, y)} is larger than ${Math.min(x, y)}.`,
    word: `${Math.max(x, y)}`,
  };
};

export const counting: Ask = (c) => {
  const from = c.between(0, 12);
  const to = from + c.between(2, 6);
  const numbers = Array.from({ length: to - from + 1 }, (_, i) => `${from + i}`);
  return { ask: `Count from ${from} to ${to}.`, answer: `${numbers.join(', ')}.` };
};

export const shopping: Ask = (c) => {
  const { name } = c.one(people);
  const noun = c.one(['apple', 'pear', 'fish', 'egg', 'cake', 'shell', 'coin', 'book', 'stone', 'carrot']);
  const count = (n: number) => (n === 1 ? `1 ${noun}` : `${n} ${plural(noun)}`);
  const [x, y] = [c.between(1, 10), c.between(1, 9)];
  if (c.chance(50)) {
    return {
      ask: `${name} has ${count(x)} and finds ${y} more. How many ${plural(noun)} does ${name} have now?`,
      answer: `${x} plus ${y} is ${x + y}. ${name} has ${count(x + y)} now.`,
      word: `${x + y}`,
    };
  }
  return {
    ask: `${name} has ${count(x + y)} and gives ${y} away. How many ${plural(noun)} are left?`,
    answer: `${x + y} minus ${y} is ${x}. ${name} has ${count(x)} left.`,
    word: `${x}`,
  };
};
