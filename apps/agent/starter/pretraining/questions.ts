import { a, type Choice, capital, list } from './choice.ts';
import { harbourQuestion } from './harbours.ts';
import { advice, definitions, reasons, recipes, smallTalk, UNKNOWN, unknowable } from './knowledge.ts';
import { story } from './stories.ts';
import {
  animals,
  colourOf,
  colours,
  days,
  jobs,
  kinds,
  months,
  opposites,
  people,
  plural,
  seasons,
  things,
} from './world.ts';

export interface Question {
  readonly ask: string;
  readonly answer: string;
  /** The answer in one word, where there is one. */
  readonly word?: string;
}

type Ask = (c: Choice) => Question;

/** `[a lemon, yellow]` → a question and its answer in a random wording. */
function pick<T>(c: Choice, table: Readonly<Record<string, T>>): [string, T] {
  return c.one(Object.entries(table));
}

const colour: Ask = (c) => {
  const [thing, word] = pick(c, colourOf);
  const ask = c.one([
    `What colour is ${thing}?`,
    `Which colour does ${thing} have?`,
    `What is the colour of ${thing}?`,
    `Tell me the colour of ${thing}.`,
  ]);
  return { ask, answer: `${capital(thing)} is ${word}.`, word };
};

const isColour: Ask = (c) => {
  const [thing, word] = pick(c, colourOf);
  const guess = c.chance(50) ? word : c.one(colours);
  const right = guess === word;
  return {
    ask: `Is ${thing} ${guess}?`,
    answer: right ? `Yes, ${thing} is ${word}.` : `No, ${thing} is ${word}.`,
    word: right ? 'yes' : 'no',
  };
};

const sum: Ask = (c) => {
  const [x, y] = [c.between(0, 10), c.between(0, 10)];
  const ask = c.one([
    `What is ${x} plus ${y}?`,
    `How much is ${x} plus ${y}?`,
    `${x} plus ${y}?`,
    `Add ${x} and ${y}.`,
  ]);
  return { ask, answer: `${x} plus ${y} is ${x + y}.`, word: `${x + y}` };
};

const difference: Ask = (c) => {
  const [y, rest] = [c.between(0, 10), c.between(0, 10)];
  const x = y + rest;
  const ask = c.one([`What is ${x} minus ${y}?`, `How much is ${x} minus ${y}?`, `Take ${y} from ${x}.`]);
  return { ask, answer: `${x} minus ${y} is ${rest}.`, word: `${rest}` };
};

const larger: Ask = (c) => {
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

const counting: Ask = (c) => {
  const from = c.between(0, 12);
  const to = from + c.between(2, 6);
  const numbers = Array.from({ length: to - from + 1 }, (_, i) => `${from + i}`);
  return { ask: `Count from ${from} to ${to}.`, answer: `${numbers.join(', ')}.` };
};

const opposite: Ask = (c) => {
  const pair = c.one(opposites);
  const [word, other] = c.chance(50) ? pair : [pair[1], pair[0]];
  const ask = c.one([
    `What is the opposite of ${word}?`,
    `Tell me the opposite of ${word}.`,
    `Which word is the opposite of ${word}?`,
  ]);
  return { ask, answer: `The opposite of ${word} is ${other}.`, word: other };
};

const animal: Ask = (c) => {
  const [name, known] = pick(c, animals);
  const one = a(name);
  return c.one<() => Question>([
    () => ({ ask: `What does ${one} say?`, answer: `${capital(one)} says ${known.says}.` }),
    () => ({ ask: `What does ${one} eat?`, answer: `${capital(one)} eats ${known.eats}.` }),
    () => ({ ask: `Where does ${one} live?`, answer: `${capital(one)} lives ${known.lives}.` }),
    () => ({
      ask: `How many legs does ${one} have?`,
      answer: `${capital(one)} has ${known.legs === 0 ? 'no' : known.legs} legs.`,
      word: `${known.legs}`,
    }),
    () => ({ ask: `What do you call a young ${name}?`, answer: `A young ${name} is called ${known.young}.` }),
    () => ({ ask: `What can ${one} do?`, answer: `${capital(one)} can ${known.can}.`, word: known.can }),
    () => ({ ask: `Tell me about ${one}.`, answer: aboutAnimal(name) }),
  ])();
};

function aboutAnimal(name: string): string {
  const { lives, eats, can } = animals[name] as (typeof animals)[string];
  return `${capital(a(name))} lives ${lives}. It eats ${eats} and it can ${can}.`;
}

const bigger: Ask = (c) => {
  const asked = c.some(Object.keys(animals), 2);
  const [small = '', big = ''] = asked.toSorted((x, y) => sizeOf(x) - sizeOf(y));
  if (sizeOf(small) === sizeOf(big)) return bigger(c);
  const choices = asked.map(a).join(' or ');
  return c.chance(60)
    ? { ask: `Which is bigger, ${choices}?`, answer: `${capital(a(big))} is bigger than ${a(small)}.`, word: big }
    : { ask: `Which is smaller, ${choices}?`, answer: `${capital(a(small))} is smaller than ${a(big)}.`, word: small };
};

function sizeOf(name: string): number {
  return animals[name]?.size ?? 0;
}

const job: Ask = (c) => {
  const [name, known] = pick(c, jobs);
  const one = a(name);
  return c.one<Question>([
    {
      ask: c.one([`What does ${one} do?`, `What is ${one}?`, `Tell me what ${one} does.`]),
      answer: `${capital(one)} ${known.does}.`,
    },
    { ask: `Where does ${one} work?`, answer: `${capital(one)} works ${known.works}.` },
    { ask: `What does ${one} need?`, answer: `${capital(one)} needs ${known.needs}.` },
    { ask: `Who ${known.does}?`, answer: `${capital(one)} ${known.does}.`, word: name },
  ]);
};

const thing: Ask = (c) => {
  const [name, [material, use, place]] = pick(c, things);
  const one = a(name);
  return c.one<Question>([
    { ask: `What is ${one} made of?`, answer: `${capital(one)} is made of ${material}.` },
    {
      ask: c.one([`What is ${one} for?`, `What do we use ${one} for?`, `Why do we need ${one}?`]),
      answer: `We use ${one} to ${use}.`,
    },
    {
      ask: c.one([`Where do I find ${one}?`, `Where can I find ${one}?`, `Where is the ${name}?`]),
      answer: `You find ${one} ${place}.`,
    },
  ]);
};

const member: Ask = (c) => {
  const [kind, members] = pick(c, kinds);
  if (c.chance(50)) {
    const count = c.between(2, 4);
    const numbers = ['two', 'three', 'four'];
    const chosen = c.some(members, count);
    return {
      ask: `Name ${numbers[count - 2]} ${plural(kind)}.`,
      answer: `${capital(list(chosen))} are ${plural(kind)}.`,
    };
  }
  const [other, otherMembers] = pick(c, kinds);
  const word = c.chance(50) ? c.one(members) : c.one(otherMembers);
  const right = members.includes(word);
  const kindOf = right ? kind : other;
  return {
    ask: `Is ${kindOf === 'drink' || kindOf === 'colour' ? word : a(word)} ${a(kind)}?`,
    answer: `${right ? 'Yes' : 'No'}, ${kindOf === 'drink' || kindOf === 'colour' ? word : a(word)} is ${a(kindOf)}.`,
    word: right ? 'yes' : 'no',
  };
};

const order: Ask = (c) => {
  const [noun, cycle] = c.one([
    ['day', days],
    ['month', months],
    ['season', seasons],
  ] as const);
  const at = c.between(0, cycle.length - 1);
  const [here, after] = [cycle[at] ?? '', cycle[(at + 1) % cycle.length] ?? ''];
  return c.chance(60)
    ? { ask: `Which ${noun} comes after ${here}?`, answer: `After ${here} comes ${after}.`, word: after }
    : { ask: `Which ${noun} comes before ${after}?`, answer: `Before ${after} comes ${here}.`, word: here };
};

const known: Ask = (c) =>
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

const talk: Ask = (c) => {
  const [said, answers] = c.one(smallTalk);
  const ask = c.one(said);
  return { ask: /[?.]$/.test(ask) ? ask : `${ask}.`, answer: c.one(answers) };
};

/** Nobody told the model about a harbour here: it says so. */
const unknown: Ask = (c) => {
  const ask = c.chance(50) ? c.one(unknowable).map(c.one).join(' ') : harbourQuestion(c);
  const isKnown = !ask.endsWith('?') || smallTalk.some(([said]) => said.includes(ask));
  return isKnown ? unknown(c) : { ask, answer: UNKNOWN };
};

/** Who has what: the answer stands in the question. */
const owner: Ask = (c) => {
  const [first, second] = c.some(people, 2).map(({ name }) => name) as [string, string];
  const [red, blue] = c.some(colours, 2) as [string, string];
  const noun = c.one(['boat', 'hat', 'coat', 'cup', 'ball', 'bag', 'scarf', 'house', 'bird', 'book']);
  const told = `${first} has ${a(red)} ${noun}. ${second} has ${a(blue)} ${noun}.`;
  const [who, what] = c.chance(50) ? [first, red] : [second, blue];
  return c.chance(50)
    ? { ask: `${told} Who has the ${what} ${noun}?`, answer: `${who} has the ${what} ${noun}.`, word: who }
    : { ask: `${told} What colour is the ${noun} of ${who}?`, answer: `The ${noun} of ${who} is ${what}.`, word: what };
};

const shopping: Ask = (c) => {
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

const tell: Ask = (c) => {
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
