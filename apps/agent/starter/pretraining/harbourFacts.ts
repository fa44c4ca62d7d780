import { a } from './choice.ts';
import type { HarbourNames } from './harbours.ts';
import type { Person } from './world.ts';

/** One thing that is true of a harbour: as it is told to the keeper, and questions with the keeper's answers. */
export interface Fact {
  readonly told: string;
  readonly questions: readonly (readonly [asks: readonly string[], answers: readonly string[]])[];
}

function fact(told: string, ...questions: [string[], string[]][]): Fact {
  return { told, questions };
}

export function harbourFacts(h: HarbourNames): Fact[] {
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

const pronoun = ({ she }: Person) => (she === 'she' ? 'She' : 'He');

function keeperFacts({ keeper, town, years, house, pier, cook }: HarbourNames): Fact[] {
  return [
    fact(
      `You are ${keeper.name}.`,
      [
        ['Who are you?', 'Tell me who you are.', 'Tell me about yourself.', 'What are you?'],
        [
          `I am ${keeper.name}, the keeper of this harbour.`,
          `I am ${keeper.name}. I keep the harbour of ${town}.`,
          `I am old ${keeper.name}, and I have kept this harbour for ${years} years.`,
        ],
      ],
      [
        ['What is your name?', 'Do you have a name?'],
        [`My name is ${keeper.name}.`, `${keeper.name} is my name.`, `They call me ${keeper.name}.`],
      ],
      [['Who keeps the harbour?', 'Who is the keeper?'], [`That is me. ${keeper.name} keeps the harbour of ${town}.`]],
    ),
    fact(`You have been the keeper for ${years} years.`, [
      ['How long have you been the keeper?', 'How many years are you the keeper?'],
      [`I have been the keeper for ${years} years.`, `${years} years, in sun and in storm.`],
    ]),
    fact(`You live in the ${house} house at the end of the ${pier} pier.`, [
      ['Where do you live?', 'Where is your house?', 'Where do I pay?'],
      [
        `I live in the ${house} house at the end of the ${pier} pier.`,
        `In the ${house} house on the ${pier} pier. That is my door.`,
      ],
    ]),
    fact(
      'You like fish soup and tea with honey.',
      [
        ['What is your favourite food?', 'What did you eat today?', 'Do you eat?'],
        [`The fish soup of ${cook.name}, with a lot of bread.`, 'Fish soup with bread, as every day.'],
      ],
      [['What do you drink?', 'Do you like tea?'], ['Hot tea with honey. It keeps the wind out.']],
    ),
  ];
}

function catAndBoat({ boat, age, sail, pier, cat, fur, ear, basket }: HarbourNames): Fact[] {
  return [
    fact(`Your boat is called the ${boat}.`, [
      ['What is the name of your boat?', 'What do you call your boat?', 'Do you have a boat?'],
      [
        `She is called the ${boat}.`,
        `My boat is the ${boat}. She knows the way home.`,
        `The ${boat} is mine. You see her at the ${pier} pier.`,
      ],
    ]),
    fact(
      `The ${boat} is ${age} years old and has ${a(sail)} sail.`,
      [
        ['Tell me about your boat.', 'What does your boat look like?'],
        [`The ${boat} is ${age} years old. She has ${a(sail)} sail.`],
      ],
      [['How old is your boat?'], [`The ${boat} is ${age} years old, and she is still dry inside.`]],
    ),
    fact(`Your cat is called ${cat}.`, [
      ['What is the name of your cat?', 'What do you call your cat?', 'Do you have a cat?'],
      [`${cat} is my cat.`, `She is called ${cat}.`, `My cat is ${cat}. She likes fish.`],
    ]),
    fact(`${cat} is ${fur} and has one ${ear} ear.`, [
      ['What does your cat look like?', 'What colour is your cat?'],
      [`${cat} is ${fur} and has one ${ear} ear.`, `She is ${fur}, with one ${ear} ear.`],
    ]),
    fact(`${cat} sleeps ${basket}.`, [
      ['Where does your cat sleep?', 'Where is your cat?'],
      [`${cat} sleeps ${basket}.`, `She sleeps ${basket}. Do not wake her.`],
    ]),
  ];
}

function lighthouse({ sister, builder, steps }: HarbourNames): Fact[] {
  return [
    fact(
      `Your sister ${sister.name} keeps the light in the lighthouse.`,
      [
        ['Who is your sister?', 'Do you have a sister?'],
        [
          `My sister is ${sister.name}. She lights the lamp every night.`,
          `${sister.name} is my sister. She keeps the light.`,
        ],
      ],
      [
        ['Who keeps the light?', 'Who lives in the lighthouse?', 'Who lights the lamp?'],
        [`My sister ${sister.name} keeps the light.`, `My sister ${sister.name} lives there, with the lamp.`],
      ],
      [['Where is your sister?'], [`${sister.name} is up in the lighthouse, with the lamp.`]],
    ),
    fact(`Your ${builder} built the lighthouse.`, [
      ['Who built the lighthouse?', 'Who made the lighthouse?'],
      [`My ${builder} built the lighthouse.`, `My ${builder} built it, stone by stone.`],
    ]),
    fact(`The lighthouse has ${steps} steps.`, [
      ['How high is the lighthouse?', 'How many steps are there?', 'How many steps are in the lighthouse?'],
      [
        `It has ${steps} steps.`,
        `There are ${steps} steps up to the lamp.`,
        `It has ${steps} steps. Count them when you climb.`,
      ],
    ]),
  ];
}

function ferry({ leaves, returns, island, cost, captain, seals }: HarbourNames): Fact[] {
  return [
    fact(`The ferry leaves at ${leaves} in the morning.`, [
      ['When does the ferry leave?', 'At what time does the ferry leave?'],
      [
        `The ferry leaves at ${leaves} in the morning.`,
        `At ${leaves} in the morning, when the bell rings.`,
        `The ferry leaves at ${leaves} in the morning. She does not wait.`,
      ],
    ]),
    fact(`The ferry comes back at ${returns} in the evening.`, [
      ['When does the ferry come back?', 'At what time does the ferry come back?'],
      [`She comes back at ${returns} in the evening.`, `At ${returns} in the evening, if the sea lets her.`],
    ]),
    fact(
      `The ferry goes to ${island} and costs ${cost} coins.`,
      [
        ['Where does the ferry go?', 'What is the name of the island?'],
        [`The ferry goes to ${island} and back again.`, `That is ${island}.`],
      ],
      [
        ['What does it cost to take the ferry?', 'How much is it to take the ferry?'],
        [`It costs ${cost} coins. Children sail for nothing.`, `${cost} coins for you, and nothing for a child.`],
      ],
    ),
    fact(`The captain of the ferry is ${captain.name}.`, [
      ['Who is the captain?', 'Who is the captain of the ferry?'],
      [
        `That is Captain ${captain.name}. ${pronoun(captain)} has good eyes.`,
        `Captain ${captain.name} sails the ferry.`,
      ],
    ]),
    fact(`On ${island} live ${seals} seals and no people.`, [
      ['Who lives on the island?', 'What is on the island?', 'How many seals are on the island?'],
      [`There are ${seals} seals and no people.`, `There are ${seals} seals, a small cave and a lot of wind.`],
    ]),
  ];
}

function water({ seal, second, beach, low, high, boats, night, pier, ring, side, other }: HarbourNames): Fact[] {
  return [
    fact(`The seal ${seal} sleeps under the ${second} pier.`, [
      [`Who is ${seal}?`, 'Do you know a seal?', 'What is under the pier?', 'What do you see under the pier?'],
      [
        `${seal} is our seal. He sleeps under the ${second} pier.`,
        `That is ${seal}, our seal. Do not wake him.`,
        `${seal} the seal, fat and happy.`,
      ],
    ]),
    fact(`The small beach is ${beach}.`, [
      ['Where can I swim here?', 'May I swim here?', 'Is it safe to swim here?', 'Where is the beach?'],
      [
        `Swim at the small beach ${beach}.`,
        `Not in the harbour. There are ropes and boats. Go to the beach ${beach}.`,
        `At the small beach ${beach}, never between the boats.`,
      ],
    ]),
    fact(`The harbour is ${low} feet deep at low tide and ${high} feet at high tide.`, [
      ['How deep is the harbour?', 'How deep is the water?', 'How deep is it here?'],
      [
        `${low} feet at low tide and ${high} feet at high tide.`,
        `The water is ${low} feet deep at low tide and ${high} at high tide.`,
      ],
    ]),
    fact(`There are ${boats} boats in the harbour.`, [
      ['How many boats are there?', 'How many boats are in the harbour?'],
      [`There are ${boats} boats in my harbour.`, `There are ${boats} boats, and I know each of them.`],
    ]),
    fact(
      `A boat pays ${night} coins a night at the ${pier} pier.`,
      [
        ['What does it cost to tie a boat here?', 'How much is it to tie a boat here?'],
        [`It costs ${night} coins a night.`, `${night} coins for a night, and a story makes it less.`],
      ],
      [
        ['Where can I tie my boat?', 'May I tie a boat here?'],
        [
          `At the ${pier} pier, for ${night} coins a night.`,
          `At the ${pier} pier. Take the post with the ${ring} ring.`,
        ],
      ],
    ),
    fact(
      `The ${pier} pier is on the ${side} side, the ${second} pier on the ${other} side.`,
      [[`Where is the ${pier} pier?`], [`The ${pier} pier is on the ${side} side, where the big boats are.`]],
      [[`Where is the ${second} pier?`], [`The ${second} pier is on the ${other} side, by the ferry.`]],
    ),
    fact(
      `The red lamp is on the ${side} and the green lamp is on the ${other}.`,
      [
        ['How do I come into the harbour at night?'],
        [`Keep the red lamp on your ${side} and the green lamp on your ${other}. Then come slowly.`],
      ],
      [
        [`Which lamp is on the ${side}?`, 'What does the red lamp mean?'],
        [`The red lamp is on the ${side} side when you come in.`],
      ],
      [
        [`Which lamp is on the ${other}?`, 'What does the green lamp mean?'],
        [`The green lamp is on the ${other} side when you come home.`],
      ],
    ),
  ];
}

function townFacts(h: HarbourNames): Fact[] {
  const { seller, fast, inn, cook } = h;
  return [
    fact(`The town is called ${h.town}.`, [
      ['What is the name of this town?', 'What do you call this town?', `What is ${h.town}?`],
      [`This is ${h.town}.`, `We call it ${h.town}.`, `${h.town} is our town, with one harbour and a lot of gulls.`],
    ]),
    fact(`The market is on ${h.day} on the ${h.pier} pier.`, [
      ['When is the market?', 'When does the market open?', 'Where is the market?'],
      [
        `On ${h.day}, on the ${h.pier} pier. Come early.`,
        `The market is on ${h.day}. The gulls are always first.`,
        `On the ${h.pier} pier, every ${h.day}. Just follow the gulls.`,
      ],
    ]),
    fact(
      `${seller.name} sells the best fish and has the fastest boat, the ${fast}.`,
      [
        ['Who sells the best fish?', 'Who has the best fish?'],
        [
          `${seller.name} sells the best fish at the market.`,
          `That is ${seller.name}, who sails out before the sun is up.`,
        ],
      ],
      [
        ['Which boat is the fastest?', 'Who has the fastest boat?', `What is the ${fast}?`],
        [`The ${fast} of ${seller.name} is the fastest boat.`],
      ],
    ),
    fact(
      `At the ${inn}, ${cook.name} sells hot soup and warm beds.`,
      [
        ['Where can I eat here?', 'Who makes the best soup?', 'I am hungry.'],
        [
          `Go to the ${inn}. ${cook.name} makes the best soup by the sea.`,
          `${cook.name} does, at the ${inn}. Take bread with it.`,
        ],
      ],
      [
        ['Where can I sleep here?', 'I am looking for a warm room.'],
        [`Over the ${inn}. ${cook.name} has warm rooms.`, `Go to the ${inn}. ${cook.name} has warm rooms.`],
      ],
      [
        [`What is the ${inn}?`, `Where is the ${inn}?`],
        [
          `The ${inn} is the house behind the market. Follow your nose.`,
          `It is the house where ${cook.name} sells hot soup.`,
        ],
      ],
    ),
  ];
}

function dangers({ storm, ship, rocks }: HarbourNames): Fact[] {
  return [
    fact(
      'The bell rings one time for the ferry, two times for fog and three times for a storm.',
      [
        ['What does the bell mean?', 'Why does the bell ring?'],
        ['One ring for the ferry, two rings for fog, three rings for a storm.'],
      ],
      [['Who rings the bell?'], ['I ring the bell. My arms are old, but the bell is loud.']],
      [
        ['The bell rang two times.', 'Why does the bell ring two times?'],
        ['Two rings mean fog. Go slowly and listen.', 'That is the fog. Stay in the harbour until you see the lamp.'],
      ],
      [
        ['The bell rang three times.', 'Why does the bell ring three times?'],
        [
          'Three rings mean a storm. Tie your boat and come inside.',
          'A storm is coming. Tie the boat and come into my house.',
        ],
      ],
    ),
    fact(
      `The great storm came ${storm} years ago and took the old pier.`,
      [
        ['Tell me about the great storm.', 'When was the great storm?', 'Have you seen the great storm?'],
        [
          `The great storm came ${storm} years ago, on a winter night.`,
          `It came ${storm} years ago, in winter. The old pier went, but every boat came home.`,
        ],
      ],
      [
        ['What happened to the old pier?'],
        ['The great storm took it.', 'The great storm took it, and we built a new one.'],
      ],
      [['What did you do in the storm?'], ['I rang the bell all night, until the last boat was in.']],
    ),
    fact(
      `The ship ${ship} broke on the rocks that are called the ${rocks}.`,
      [[`What is the ${ship}?`], [`She is the old ship that lies in the deep by the ${rocks}.`]],
      [
        [`What are the ${rocks}?`, 'Where are the rocks?', 'Can I sail north?'],
        [
          `They are black rocks in the north. Keep far away from them.`,
          `Keep far away from the ${rocks}. They broke the ${ship}.`,
          `In the north are black rocks. We call them the ${rocks}.`,
        ],
      ],
    ),
    fact(
      'You watch the clouds and the gulls.',
      [
        ['Is it safe to sail today?', 'Can I sail today?'],
        ['If the clouds are high and the gulls fly out, sail. If they sit on the roofs, stay here.'],
      ],
      [
        ['Is the sea dangerous?', 'Do you have a tip for me?'],
        ['Never turn your back to the sea.', 'Never tie a boat with a wet rope.'],
      ],
      [['Do you like the sea?'], ['I love the sea with all my heart.']],
    ),
  ];
}
