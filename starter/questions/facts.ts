import { a, capital, list } from '../choice.ts';
import { animals, colourOf, colours, days, jobs, kinds, months, opposites, plural, seasons, things } from '../world.ts';
import { type Ask, pick, type Question } from './ask.ts';

export const colour: Ask = (c) => {
  const [thing, word] = pick(c, colourOf);
  const ask = c.one([
    `What colour is ${thing}?`,
    `Which colour does ${thing} have?`,
    `What is the colour of ${thing}?`,
    `Tell me the colour of ${thing}.`,
  ]);
  return { ask, answer: `${capital(thing)} is ${word}.`, word };
};

export const isColour: Ask = (c) => {
  const [thing, word] = pick(c, colourOf);
  const guess = c.chance(50) ? word : c.one(colours);
  const right = guess === word;
  return {
    ask: `Is ${thing} ${guess}?`,
    answer: right ? `Yes, ${thing} is ${word}.` : `No, ${thing} is ${word}.`,
    word: right ? 'yes' : 'no',
  };
};

export const opposite: Ask = (c) => {
  const pair = c.one(opposites);
  const [word, other] = c.chance(50) ? pair : [pair[1], pair[0]];
  const ask = c.one([
    `What is the opposite of ${word}?`,
    `Tell me the opposite of ${word}.`,
    `Which word is the opposite of ${word}?`,
  ]);
  return { ask, answer: `The opposite of ${word} is ${other}.`, word: other };
};

export const animal: Ask = (c) => {
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

export const bigger: Ask = (c) => {
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

export const job: Ask = (c) => {
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

export const thing: Ask = (c) => {
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

export const member: Ask = (c) => {
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

export const order: Ask = (c) => {
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
