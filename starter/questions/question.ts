import type { Choice } from '../choice.ts';
import type { Ask, Question } from './ask.ts';
import { animal, bigger, colour, isColour, job, member, opposite, order, thing } from './facts.ts';
import { counting, difference, larger, shopping, sum } from './numbers.ts';
import { known, owner, talk, tell, unknown } from './talk.ts';

/** Drawn in proportion to their weight. */
const questions: readonly (readonly [number, Ask])[] = [
  [8, colour],
  [3, isColour],
  [8, sum],
  [5, difference],
  [2, larger],
  [2, counting],
  [6, opposite],
  [10, animal],
  [4, bigger],
  [7, job],
  [8, thing],
  [6, member],
  [4, order],
  [12, known],
  [10, talk],
  [22, unknown],
  [5, owner],
  [4, shopping],
  [5, tell],
];
const wheel = questions.flatMap(([weight, ask]) => Array.from({ length: weight }, () => ask));

/** @param oneWord only questions that have an answer in one word. */
export function question(c: Choice, oneWord = false): Question {
  const asked = c.one(wheel)(c);
  return oneWord && asked.word === undefined ? question(c, true) : asked;
}
