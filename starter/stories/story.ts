import type { Choice } from '../choice.ts';
import { colours, type Person, people } from '../world.ts';
import { weather } from './cast.ts';
import { rescue, sailor, storm, trip } from './plotsAtSea.ts';
import { broken, lesson, lost, market, quarrel } from './plotsInTown.ts';

export interface StoryOptions {
  readonly hero?: Person | undefined;
  readonly pet?: string | undefined;
  /** One paragraph, for an answer in a conversation. */
  readonly short?: boolean;
}

const plots = [lost, broken, storm, market, rescue, trip, quarrel, lesson, sailor];

/** A small story; its people and its animal may be given. */
export function story(c: Choice, options: StoryOptions = {}): string {
  const hero = options.hero ?? c.one(people);
  const friend = c.one(people.filter(({ name }) => name !== hero.name));
  const pet = options.pet ?? c.one(['cat', 'dog', 'gull', 'seal', 'owl', 'goat', 'crow', 'duck', 'horse', 'mouse']);
  const cast = { hero, friend, pet, colour: c.one(colours) };
  const withPet = [storm, rescue, trip, sailor];
  const paragraphs = c
    .one(options.pet ? [rescue, rescue, trip] : [...plots, ...withPet])(c, cast)
    .filter(Boolean);
  const opening =
    options.short || c.chance(60)
      ? ''
      : c.one([`${weather(c)} `, 'Once upon a time there was a small town by the sea. ']);
  return opening + paragraphs.join(options.short ? ' ' : '\n\n');
}
