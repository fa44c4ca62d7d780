import type { Choice } from '../choice.ts';
import type { Person } from '../world.ts';

/** Who takes part in a story, and words that several plots use. */
export interface Cast {
  readonly hero: Person;
  readonly friend: Person;
  readonly pet: string;
  readonly colour: string;
}

export type Plot = (c: Choice, cast: Cast) => string[];

export const weather = (c: Choice) =>
  c.one([
    'The sun was warm and the sea was calm.',
    'It was a cold and windy morning.',
    'A soft rain fell on the town.',
    'The sky was blue and the gulls were loud.',
    'Fog lay on the harbour.',
    'It was a bright day in spring.',
    'The first snow lay on the roofs.',
    'The wind came from the sea.',
  ]);

export const place = (c: Choice) =>
  c.one(['at the harbour', 'on the beach', 'at the market', 'near the lighthouse', 'by the river', 'on the hill']);

export const ending = (c: Choice, { hero, friend }: Cast) =>
  c.one([
    `${hero.name} was happy.`,
    `From that day on, ${hero.name} and ${friend.name} were good friends.`,
    `Then ${hero.name} went home and slept well.`,
    'It was a very good day.',
    `${hero.name} never forgot that day.`,
    `In the evening ${hero.name} told the story to ${hero.her} mother.`,
    'Everyone laughed, and the sun went down.',
  ]);

export const thanks = (c: Choice, from: Person, to: Person) =>
  c.one([
    `"Thank you," said ${from.name}. "You are welcome," said ${to.name}.`,
    `"Thank you, ${to.name}," said ${from.name}. "You are a good friend."`,
    `${from.name} smiled and thanked ${to.them}.`,
    `"That was kind," said ${from.name}. ${to.name} smiled.`,
  ]);
