import { a, type Choice, capital, paragraph } from './choice.ts';
import { colours, type Person, people } from './world.ts';

export interface StoryOptions {
  readonly hero?: Person | undefined;
  readonly pet?: string | undefined;
  /** One paragraph, for an answer in a conversation. */
  readonly short?: boolean;
}

/** Who takes part in a story, and words that several plots use. */
interface Cast {
  readonly hero: Person;
  readonly friend: Person;
  readonly pet: string;
  readonly colour: string;
}

type Plot = (c: Choice, cast: Cast) => string[];

const weather = (c: Choice) =>
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

const place = (c: Choice) =>
  c.one(['at the harbour', 'on the beach', 'at the market', 'near the lighthouse', 'by the river', 'on the hill']);

const ending = (c: Choice, { hero, friend }: Cast) =>
  c.one([
    `${hero.name} was happy.`,
    `From that day on, ${hero.name} and ${friend.name} were good friends.`,
    `Then ${hero.name} went home and slept well.`,
    'It was a very good day.',
    `${hero.name} never forgot that day.`,
    `In the evening ${hero.name} told the story to ${hero.her} mother.`,
    'Everyone laughed, and the sun went down.',
  ]);

const thanks = (c: Choice, from: Person, to: Person) =>
  c.one([
    `"Thank you," said ${from.name}. "You are welcome," said ${to.name}.`,
    `"Thank you, ${to.name}," said ${from.name}. "You are a good friend."`,
    `${from.name} smiled and thanked ${to.them}.`,
    `"That was kind," said ${from.name}. ${to.name} smiled.`,
  ]);

/** Something is lost, looked for in two places, and found in a third. */
const lost: Plot = (c, cast) => {
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
const broken: Plot = (c, cast) => {
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

/** A storm, and how they wait for its end. */
const storm: Plot = (c, cast) => {
  const { hero, friend, pet } = cast;
  return [
    paragraph(
      c.one(['A storm came over the sea.', 'One evening the wind grew strong.', 'Dark clouds came from the north.']),
      c.one([
        'The waves were high and the rain was loud.',
        'The waves were as high as a house.',
        'The rain fell on the roofs.',
      ]),
      `${hero.name} and ${friend.name} ran ${c.one(['into the house', 'to the lighthouse', 'into the boat house'])}.`,
    ),
    paragraph(
      c.maybe(60, [`The ${pet} was afraid, and ${hero.name} held it close.`, `The ${pet} sat by the fire.`]),
      c.one([
        `"Are you afraid?" asked ${friend.name}. "A little," said ${hero.name}.`,
        `"It will be over soon," said ${friend.name}.`,
        `${friend.name} lit a lamp and told a story.`,
      ]),
      c.one([
        'They drank hot tea and waited.',
        'They ate bread and cheese and waited.',
        'They sang a song and waited.',
      ]),
    ),
    paragraph(
      c.one(['In the morning the sea was calm again.', 'At last the storm was over.', 'Then the sun came out again.']),
      ending(c, cast),
    ),
  ];
};

const coins = (count: number) => (count === 1 ? '1 coin' : `${count} coins`);

/** Buying at the market, with a sum. */
const market: Plot = (c, cast) => {
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

/** An animal in need is helped, and stays. */
const rescue: Plot = (c, cast) => {
  const { hero, friend, pet } = cast;
  const trouble = c.one(['was cold and wet', 'had hurt its leg', 'was hungry', 'was lost', 'was in a net']);
  const help = {
    'was cold and wet': `${hero.name} put a warm cloth around it.`,
    'had hurt its leg': `${hero.name} put a soft cloth around the leg.`,
    'was hungry': `${hero.name} gave it something to eat.`,
    'was lost': `${hero.name} sat down beside it and waited.`,
    'was in a net': `${hero.name} cut the net with a knife.`,
  }[trouble];
  return [
    paragraph(
      c.one([weather(c), '']),
      `${hero.name} saw a ${c.one(['small', 'young', 'little'])} ${pet} ${place(c)}.`,
      `It ${trouble}.`,
      c.one([`"Poor ${pet}," said ${hero.name}.`, `"Do not be afraid," said ${hero.name}.`]),
    ),
    paragraph(help ?? '', `${friend.name} came and helped ${hero.them}.`, `Soon the ${pet} felt better.`),
    paragraph(
      c.one([
        `The next day the ${pet} came back and wanted to play.`,
        `From then on the ${pet} followed ${hero.name} everywhere.`,
        `${hero.name} gave the ${pet} a name and took it home.`,
      ]),
      ending(c, cast),
    ),
  ];
};

/** A trip by boat to the island. */
const trip: Plot = (c, cast) => {
  const { hero, friend, colour, pet } = cast;
  const find = c.one(['an old map', 'a green bottle', 'a big shell', 'a wooden box', 'a golden ring', 'a small cave']);
  return [
    paragraph(
      `${hero.name} and ${friend.name} had ${a(colour)} boat.`,
      `${c.one(['One morning', 'On Sunday', 'One day in summer'])} they sailed to the island.`,
      c.one([
        'The wind was good, and the boat was fast.',
        'The sea was calm, and the gulls flew with them.',
        weather(c),
      ]),
    ),
    paragraph(
      `On the island they saw ${a(pet)} and found ${find}.`,
      `"Look at this," said ${c.one([hero, friend]).name}.`,
      c.one([
        'They sat in the sand and ate their bread.',
        'They climbed the hill and saw the whole town.',
        'They swam in the warm water.',
      ]),
    ),
    paragraph(
      c.one(['When the sun went down, they sailed home.', 'In the evening the lighthouse showed them the way home.']),
      ending(c, cast),
    ),
  ];
};

/** A quarrel and a sorry. */
const quarrel: Plot = (c, cast) => {
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
const lesson: Plot = (c, cast) => {
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

/** A sailor with a tale; the words of the harbour. */
const sailor: Plot = (c, cast) => {
  const { hero, friend, pet, colour } = cast;
  const title = friend.she === 'he' ? 'old sailor' : 'old captain';
  const sight = c.one([
    `${a(pet)} on the sail`,
    'a whale as big as a house',
    'ten ships with white sails',
    'a light in the fog',
    `${a(colour)} moon over the sea`,
    'an island that is on no map',
  ]);
  return [
    paragraph(
      `${friend.name} was an ${title}.`,
      c.one([
        `${capital(friend.she)} sat on the pier every day.`,
        `${capital(friend.she)} knew every ship in the harbour.`,
      ]),
      `${hero.name} liked ${friend.her} stories.`,
      `"What did you see on the sea?" asked ${hero.name}.`,
    ),
    paragraph(
      `"Aye," said the ${title}, "one night I saw ${sight}."`,
      c.one([
        'The wind was strong and the ropes were wet.',
        'The tide was low and the water was still.',
        'The bell rang, and the gulls were quiet.',
        'The stars were bright, and the sail was full.',
      ]),
      c.one([
        `"Were you afraid?" asked ${hero.name}. "No," said the ${title}. "I was glad."`,
        `"That is true," said the ${title}.`,
      ]),
    ),
    ending(c, cast),
  ];
};

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
