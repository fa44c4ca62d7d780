import { type Fact, fact } from './fact.ts';
import type { HarbourNames } from './names.ts';

export function townFacts(h: HarbourNames): Fact[] {
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

export function dangers({ storm, ship, rocks }: HarbourNames): Fact[] {
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
