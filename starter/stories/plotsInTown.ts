import { a, capital, paragraph } from '../choice.ts';
import { ending, type Plot, place, thanks, weather } from './cast.ts';

/** Something is lost, looked for in two places, and found in a third. */
export const lost: Plot = (c, cast) => {
  const { hero, friend, colour } = cast;
  const thing = c.one(['key', 'hat', 'ball', 'ring', 'scarf', 'book', 'letter', 'shoe', 'coin', 'bag']);
  const [first, second, last] = c.some(
    [
      'under the bed',
      'in the garden',
      'behind the door',
      'in the boat',
      'on the stairs',
      'under the table',
      'in a box',
    ],
    3,
  ) as [string, string, string];
  return [
    paragraph(
      c.one([
        `One day ${hero.name} lost ${hero.her} ${colour} ${thing}.`,
        `${hero.name} could not find ${hero.her} ${colour} ${thing}.`,
      ]),
      c.maybe(60, [`${capital(hero.she)} was very sad.`, `${capital(hero.she)} loved the ${thing} very much.`]),
      `${capital(hero.she)} looked ${first}, but it was not there.`,
      `${capital(hero.she)} looked ${second}, but it was not there.`,
    ),
    paragraph(
      `Then ${friend.name} came. "What are you looking for?" asked ${friend.name}.`,
      `"I am looking for my ${thing}," said ${hero.name}.`,
      c.one([`"I will help you," said ${friend.name}.`, `"Let us look together," said ${friend.name}.`]),
      `They looked ${last}, and there was the ${colour} ${thing}.`,
    ),
    paragraph(thanks(c, hero, friend), ending(c, cast)),
  ];
};

/** Something breaks, and a friend with a tool mends it. */
export const broken: Plot = (c, cast) => {
  const { hero, friend } = cast;
  const [thing, problem, tool, act] = c.one([
    ['boat', 'had a hole', 'a hammer and some wood', 'closed the hole'],
    ['net', 'was torn', 'a needle and some string', 'sewed the net'],
    ['door', 'did not close', 'a saw', 'cut the wood'],
    ['chair', 'had only three legs', 'a hammer', 'made a new leg'],
    ['coat', 'was torn', 'a needle', 'sewed the coat'],
    ['lamp', 'had no oil', 'a can of oil', 'filled the lamp'],
    ['cart', 'had lost a wheel', 'a new wheel', 'put the wheel on'],
    ['sail', 'was torn', 'a needle and some cloth', 'sewed the sail'],
  ] as const);
  const gift = c.one(['a warm bread', 'a big fish', 'a basket of apples', 'a jar of honey', 'a cake', 'a red scarf']);
  return [
    paragraph(
      c.one([weather(c), '']),
      `${hero.name} had ${a(thing)}, but the ${thing} ${problem}.`,
      c.one([`"What shall I do?" asked ${hero.name}.`, `"Oh no," said ${hero.name}. "I need help."`]),
    ),
    paragraph(
      `${friend.name} heard it and brought ${tool}.`,
      `${capital(friend.she)} ${act}, and soon the ${thing} was as good as new.`,
    ),
    paragraph(thanks(c, hero, friend), `Then ${hero.name} gave ${friend.them} ${gift}.`, ending(c, cast)),
  ];
};

const coins = (count: number) => (count === 1 ? '1 coin' : `${count} coins`);

/** Buying at the market, with a sum. */
export const market: Plot = (c, cast) => {
  const { hero, friend } = cast;
  const ware = c.one(['apple', 'fish', 'bread', 'egg', 'cake', 'carrot', 'lemon', 'pear']);
  const wares = ware === 'fish' ? 'fish' : `${ware}s`;
  const [count, price] = [c.between(2, 5), c.between(1, 3)];
  const cost = count * price;
  const purse = cost + c.between(1, 6);
  return [
    paragraph(
      `${hero.name} went to the market with ${coins(purse)}.`,
      weather(c),
      `${friend.name} was there and sold ${wares}.`,
    ),
    paragraph(
      `"How much is one?" asked ${hero.name}. "One costs ${coins(price)}," said ${friend.name}.`,
      `"Then I take ${count}," said ${hero.name}.`,
      `${capital(hero.she)} gave ${friend.them} ${coins(cost)} and had ${coins(purse - cost)} left.`,
    ),
    paragraph(
      c.one([
        `At home ${hero.name} shared the ${wares} with ${hero.her} family.`,
        `${capital(hero.she)} carried the ${wares} home.`,
      ]),
      ending(c, cast),
    ),
  ];
};

/** A quarrel and a sorry. */
export const quarrel: Plot = (c, cast) => {
  const { hero, friend, colour } = cast;
  const toy = c.one(['ball', 'kite', 'boat', 'doll', 'drum', 'book', 'shell', 'hat']);
  return [
    paragraph(
      `${hero.name} and ${friend.name} played ${place(c)}.`,
      `They both wanted the ${colour} ${toy}.`,
      `"It is mine," said ${hero.name}. "No, it is mine," said ${friend.name}.`,
      `Then the ${toy} ${c.one(['fell into the water', 'broke', 'fell into the mud'])}, and they were both sad.`,
    ),
    paragraph(
      `"I am sorry," said ${hero.name}. "I am sorry too," said ${friend.name}.`,
      c.one([
        `Together they made a new ${toy}.`,
        `Together they cleaned the ${toy} and put it in the sun.`,
        `They shared it, and that was much better.`,
      ]),
    ),
    ending(c, cast),
  ];
};

/** Learning something from someone. */
export const lesson: Plot = (c, cast) => {
  const { hero, friend } = cast;
  const [skill, first, then] = c.one([
    ['swim', 'swallowed some water', 'swam across the pond'],
    ['fish', 'caught only an old shoe', 'caught a big fish'],
    ['bake bread', 'burned the bread', 'baked a fine bread'],
    ['tie a knot', 'made a very bad knot', 'tied the boat with a strong knot'],
    ['sail', 'sailed in a circle', 'sailed to the island and back'],
    ['paint', 'painted only a red spot', 'painted the whole harbour'],
    ['sing', 'sang too loud', 'sang a song for the whole town'],
    ['read', 'knew only three letters', 'read a whole book'],
    ['ride a horse', 'fell into the grass', 'rode over the hill'],
  ] as const);
  return [
    paragraph(
      `${hero.name} wanted to learn to ${skill}.`,
      `"Can you teach me?" ${hero.she} asked ${friend.name}.`,
      c.one([
        `"Of course," said ${friend.name}.`,
        `"Yes, if you are patient," said ${friend.name}.`,
        `"Aye," said ${friend.name}.`,
      ]),
    ),
    paragraph(
      `At first ${hero.name} ${first}.`,
      c.one([`"Try again," said ${friend.name}.`, `${friend.name} laughed and showed it again.`, 'That was not easy.']),
      `${capital(hero.she)} tried every day, and at last ${hero.she} ${then}.`,
    ),
    paragraph(c.one([`"Well done," said ${friend.name}.`, thanks(c, hero, friend)]), ending(c, cast)),
  ];
};
