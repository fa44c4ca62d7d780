import { a, capital, paragraph } from '../choice.ts';
import { ending, type Plot, place, weather } from './cast.ts';

/** A storm, and how they wait for its end. */
export const storm: Plot = (c, cast) => {
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

/** An animal in need is helped, and stays. */
export const rescue: Plot = (c, cast) => {
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
export const trip: Plot = (c, cast) => {
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

/** A sailor with a tale; the words of the harbour. */
export const sailor: Plot = (c, cast) => {
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
