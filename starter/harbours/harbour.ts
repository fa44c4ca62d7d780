import type { Choice } from '../choice.ts';
import { UNKNOWN } from '../knowledge.ts';
import type { Question } from '../questions/ask.ts';
import type { Fact } from './fact.ts';
import { catAndBoat, keeperFacts, lighthouse } from './keeperFacts.ts';
import { type HarbourNames, harbourNames } from './names.ts';
import { ferry, water } from './portFacts.ts';
import { dangers, townFacts } from './townFacts.ts';

function harbourFacts(h: HarbourNames): Fact[] {
  return [
    ...keeperFacts(h),
    ...catAndBoat(h),
    ...lighthouse(h),
    ...ferry(h),
    ...water(h),
    ...townFacts(h),
    ...dangers(h),
  ];
}

/** Some of a harbour's facts as its keeper's system message, with questions about them. */
export function keeperTurns(c: Choice): { system: string; asked: Question[] } {
  const names = harbourNames(c);
  const [about, ...others] = harbourFacts(names) as [Fact, ...Fact[]];
  const known = c.some(others, c.between(2, 6));
  const opening = `You are ${names.keeper.name}, the keeper of the harbour of ${names.town}.`;
  const asked: Question[] = c.some([about, ...known], c.between(1, Math.min(known.length, 4))).map(({ questions }) => {
    const [asks, answers] = c.one(questions);
    return { ask: c.one(asks), answer: c.one(answers) };
  });
  const untold = others.filter((fact) => !known.includes(fact));
  if (c.chance(25)) asked.push({ ask: c.one(c.one(c.one(untold).questions)[0]), answer: UNKNOWN });
  return { system: [opening, ...known.map(({ told }) => told)].join(' '), asked };
}

/** Something about a harbour that only its keeper could answer. */
export function harbourQuestion(c: Choice): string {
  return c.one(c.one(c.one(harbourFacts(harbourNames(c))).questions)[0]);
}

/** The same facts as a text: the keeper tells them. */
export function harbourText(c: Choice): string {
  const names = harbourNames(c);
  const { town, keeper } = names;
  const told = c.some(harbourFacts(names).slice(1), c.between(4, 9)).map((fact) => inFirstPerson(fact.told));
  const opening = c.one([
    `"I am ${keeper.name}, and I am the keeper of the harbour of ${town}. `,
    `In ${town} there is a small harbour, and ${keeper.name} is its keeper. "Listen," says ${keeper.name}. "`,
    `This is what ${keeper.name}, the keeper of ${town}, says about the harbour. "`,
  ]);
  return `${opening}${told.join(' ')}"`;
}

/** `You have …` becomes `I have …`. */
function inFirstPerson(text: string): string {
  return text
    .replaceAll(/\bYou are\b/g, 'I am')
    .replaceAll(/\bYou\b/g, 'I')
    .replaceAll(/\bYour\b/g, 'My');
}
