import { a } from '../choice.ts';
import { harbourQuestion } from '../harbours/harbour.ts';
import { advice, definitions, reasons, recipes, smallTalk, UNKNOWN, unknowable } from '../knowledge.ts';
import { story } from '../stories/story.ts';
import { colours, people } from '../world.ts';
import { type Ask, pick, type Question } from './ask.ts';

export const known: Ask = (c) =>
  c.one<() => Question>([
    () => {
      const [thingAsked, answer] = pick(c, definitions);
      return {
        ask: c.one([`What is ${thingAsked}?`, `Tell me what ${thingAsked} is.`, `Explain ${thingAsked}.`]),
        answer,
      };
    },
    () => {
      const [why, answer] = c.one(reasons);
      return { ask: `Why ${why}?`, answer };
    },
    () => {
      const [task, answer] = pick(c, recipes);
      return { ask: c.one([`How do I ${task}?`, `How can I ${task}?`, `Tell me how to ${task}.`]), answer };
    },
    () => {
      const [said, answer] = c.one(advice);
      return { ask: `${said}.${c.maybe(50, [' What should I do?', ' What now?', ' Do you have a tip?'])}`, answer };
    },
  ])();

export const talk: Ask = (c) => {
  const [said, answers] = c.one(smallTalk);
  const ask = c.one(said);
  return { ask: /[?.]$/.test(ask) ? ask : `${ask}.`, answer: c.one(answers) };
};

/** Nobody told the model about a harbour here: it says so. */
export const unknown: Ask = (c) => {
  const ask = c.chance(50) ? c.one(unknowable).map(c.one).join(' ') : harbourQuestion(c);
  const isKnown = !ask.endsWith('?') || smallTalk.some(([said]) => said.includes(ask));
  return isKnown ? unknown(c) : { ask, answer: UNKNOWN };
};

/** Who has what: the answer stands in the question. */
export const owner: Ask = (c) => {
  const [first, second] = c.some(people, 2).map(({ name }) => name) as [string, string];
  const [red, blue] = c.some(colours, 2) as [string, string];
  const noun = c.one(['boat', 'hat', 'coat', 'cup', 'ball', 'bag', 'scarf', 'house', 'bird', 'book']);
  const told = `${first} has ${a(red)} ${noun}. ${second} has ${a(blue)} ${noun}.`;
  const [who, what] = c.chance(50) ? [first, red] : [second, blue];
  return c.chance(50)
    ? { ask: `${told} Who has the ${what} ${noun}?`, answer: `${who} has the ${what} ${noun}.`, word: who }
    : { ask: `${told} What colour is the ${noun} of ${who}?`, answer: `The ${noun} of ${who} is ${what}.`, word: what };
};

export const tell: Ask = (c) => {
  const hero = c.one(people);
  const pet = c.one(['cat', 'dog', 'gull', 'seal', 'owl', 'mouse', 'horse', 'goat']);
  const [ask, options] = c.one([
    [c.one(['Tell me a story.', 'Please tell me a short story.', 'Can you tell me a story?']), {}],
    [`Tell me a story about ${hero.name}.`, { hero }],
    [`Tell me a story about ${a(pet)}.`, { pet }],
    [`Write a story about ${hero.name} and ${a(pet)}.`, { hero, pet }],
  ] as const);
  return { ask, answer: story(c, { ...options, short: true }) };
};
