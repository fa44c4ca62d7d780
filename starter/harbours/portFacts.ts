import type { Person } from '../world.ts';
import { type Fact, fact } from './fact.ts';
import type { HarbourNames } from './names.ts';

const pronoun = ({ she }: Person) => (she === 'she' ? 'She' : 'He');

export function ferry({ leaves, returns, island, cost, captain, seals }: HarbourNames): Fact[] {
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

export function water({ seal, second, beach, low, high, boats, night, pier, ring, side, other }: HarbourNames): Fact[] {
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
