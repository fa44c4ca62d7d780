/** The small world that the text is about: a town by the sea, and what everybody knows. */

export interface Person {
  readonly name: string;
  readonly she: 'she' | 'he';
  readonly her: 'her' | 'his';
  /** As an object: `they saw her`. */
  readonly them: 'her' | 'him';
}

const woman = (name: string): Person => ({ name, she: 'she', her: 'her', them: 'her' });
const man = (name: string): Person => ({ name, she: 'he', her: 'his', them: 'him' });

export const people: readonly Person[] = [
  ...['Anna', 'Clara', 'Ella', 'Grace', 'Kate', 'Lily', 'Mara', 'Rose'].map(woman),
  ...['Ben', 'Dan', 'Finn', 'Jack', 'Leo', 'Otto', 'Sam', 'Tom'].map(man),
];

/** Names that only the people of a harbour have. */
export const townspeople: readonly Person[] = [
  ...['Hilda', 'Nell', 'Greta', 'Berta'].map(woman),
  ...['Bram', 'Ole', 'Piet', 'Olaf'].map(man),
];

export const colours = ['red', 'blue', 'green', 'yellow', 'white', 'black', 'brown', 'grey', 'orange', 'pink'];

/** What has which colour. */
export const colourOf: Readonly<Record<string, string>> = {
  'the sky': 'blue',
  'the sea': 'blue',
  grass: 'green',
  snow: 'white',
  'the sun': 'yellow',
  'the moon': 'white',
  coal: 'black',
  'the night': 'black',
  blood: 'red',
  milk: 'white',
  butter: 'yellow',
  salt: 'white',
  sand: 'yellow',
  chocolate: 'brown',
  'a lemon': 'yellow',
  'a banana': 'yellow',
  'a strawberry': 'red',
  'a cherry': 'red',
  'a tomato': 'red',
  'a carrot': 'orange',
  'a pumpkin': 'orange',
  'a leaf': 'green',
  'a frog': 'green',
  'a pea': 'green',
  'a cucumber': 'green',
  'a crow': 'black',
  'a swan': 'white',
  'a gull': 'white',
  'a pig': 'pink',
  'a mouse': 'grey',
  'a seal': 'grey',
  'a crab': 'red',
  'a bear': 'brown',
  'a cloud': 'white',
  'a stone': 'grey',
  'an elephant': 'grey',
  'an egg': 'white',
  'an orange': 'orange',
  'a tree trunk': 'brown',
  'a potato': 'brown',
};

export interface Animal {
  readonly says: string;
  readonly eats: string;
  readonly lives: string;
  readonly legs: number;
  readonly young: string;
  /** Larger animals have larger numbers. */
  readonly size: number;
  readonly can: string;
}

const animal = (says: string, eats: string, lives: string, legs: number, young: string, size: number, can: string) =>
  ({ says, eats, lives, legs, young, size, can }) satisfies Animal;

export const animals: Readonly<Record<string, Animal>> = {
  dog: animal('woof', 'meat', 'in a house', 4, 'a puppy', 6, 'run'),
  cat: animal('meow', 'fish and mice', 'in a house', 4, 'a kitten', 4, 'climb'),
  cow: animal('moo', 'grass', 'on a farm', 4, 'a calf', 10, 'walk'),
  horse: animal('neigh', 'grass', 'on a farm', 4, 'a foal', 11, 'run'),
  sheep: animal('baa', 'grass', 'on a hill', 4, 'a lamb', 7, 'walk'),
  goat: animal('maa', 'leaves', 'on a hill', 4, 'a kid', 7, 'climb'),
  pig: animal('oink', 'nearly everything', 'on a farm', 4, 'a piglet', 8, 'walk'),
  duck: animal('quack', 'bread and plants', 'on a pond', 2, 'a duckling', 4, 'swim'),
  hen: animal('cluck', 'corn', 'on a farm', 2, 'a chick', 4, 'walk'),
  gull: animal('kree', 'fish', 'by the sea', 2, 'a chick', 4, 'fly'),
  owl: animal('hoo', 'mice', 'in the forest', 2, 'a chick', 4, 'fly'),
  crow: animal('caw', 'seeds and worms', 'in a tree', 2, 'a chick', 4, 'fly'),
  mouse: animal('squeak', 'cheese and corn', 'in a hole', 4, 'a small mouse', 2, 'run'),
  frog: animal('croak', 'flies', 'at a pond', 4, 'a tadpole', 2, 'jump'),
  seal: animal('ark', 'fish', 'in the sea', 0, 'a pup', 9, 'swim'),
  whale: animal('a deep song', 'small fish', 'in the sea', 0, 'a calf', 13, 'swim'),
  bee: animal('buzz', 'honey', 'in a hive', 6, 'a small bee', 1, 'fly'),
  lion: animal('roar', 'meat', 'in a hot land', 4, 'a cub', 9, 'run'),
  bear: animal('growl', 'fish and berries', 'in the forest', 4, 'a cub', 10, 'climb'),
  elephant: animal('a loud call', 'leaves', 'in a hot land', 4, 'a calf', 12, 'walk'),
};

export interface Job {
  readonly does: string;
  readonly works: string;
  readonly needs: string;
}

const job = (does: string, works: string, needs: string) => ({ does, works, needs }) satisfies Job;

export const jobs: Readonly<Record<string, Job>> = {
  baker: job('bakes bread and cakes', 'in a bakery', 'an oven'),
  fisherman: job('catches fish', 'on a boat', 'a net'),
  farmer: job('grows food', 'on a farm', 'a field'),
  teacher: job('teaches children', 'in a school', 'a book'),
  doctor: job('helps sick people', 'in a hospital', 'medicine'),
  cook: job('makes meals', 'in a kitchen', 'a pot'),
  sailor: job('sails a ship', 'on a ship', 'a ship'),
  carpenter: job('makes things of wood', 'in a workshop', 'a saw'),
  smith: job('makes things of iron', 'in a forge', 'a hammer'),
  painter: job('paints pictures and walls', 'in a studio', 'a brush'),
  gardener: job('looks after plants', 'in a garden', 'a spade'),
  tailor: job('makes clothes', 'in a shop', 'a needle'),
  postman: job('brings letters', 'in the streets', 'a bag'),
  miller: job('makes flour', 'in a mill', 'a mill'),
  shepherd: job('looks after sheep', 'on a hill', 'a dog'),
  writer: job('writes books', 'at a desk', 'a pen'),
  singer: job('sings songs', 'on a stage', 'a good voice'),
  barber: job('cuts hair', 'in a shop', 'a pair of scissors'),
};

export const opposites: readonly (readonly [string, string])[] = [
  ['big', 'small'],
  ['hot', 'cold'],
  ['day', 'night'],
  ['up', 'down'],
  ['fast', 'slow'],
  ['old', 'young'],
  ['happy', 'sad'],
  ['wet', 'dry'],
  ['open', 'closed'],
  ['full', 'empty'],
  ['light', 'dark'],
  ['high', 'low'],
  ['long', 'short'],
  ['good', 'bad'],
  ['early', 'late'],
  ['loud', 'quiet'],
  ['hard', 'soft'],
  ['rich', 'poor'],
  ['clean', 'dirty'],
  ['left', 'right'],
  ['first', 'last'],
  ['near', 'far'],
  ['in', 'out'],
  ['strong', 'weak'],
  ['thick', 'thin'],
  ['sweet', 'sour'],
  ['true', 'false'],
  ['deep', 'shallow'],
  ['black', 'white'],
  ['begin', 'end'],
];

export const kinds: Readonly<Record<string, readonly string[]>> = {
  fruit: ['apple', 'pear', 'lemon', 'orange', 'banana', 'cherry', 'plum', 'strawberry'],
  vegetable: ['carrot', 'potato', 'onion', 'pea', 'bean', 'cabbage', 'cucumber', 'pumpkin'],
  animal: ['dog', 'cat', 'cow', 'horse', 'sheep', 'goat', 'pig', 'bear', 'lion', 'mouse'],
  bird: ['gull', 'owl', 'crow', 'duck', 'hen', 'swan', 'robin', 'goose'],
  tool: ['hammer', 'saw', 'spade', 'brush', 'needle', 'axe', 'broom', 'knife'],
  colour: colours,
  drink: ['water', 'milk', 'tea', 'coffee', 'juice', 'lemonade'],
  boat: ['ferry', 'sailing boat', 'fishing boat', 'rowing boat', 'raft', 'canoe'],
};

const plurals: Readonly<Record<string, string>> = {
  cherry: 'cherries',
  strawberry: 'strawberries',
  potato: 'potatoes',
  mouse: 'mice',
  sheep: 'sheep',
  goose: 'geese',
  fish: 'fish',
  knife: 'knives',
  brush: 'brushes',
  canoe: 'canoes',
  ferry: 'ferries',
};

export function plural(noun: string): string {
  return plurals[noun] ?? `${noun}s`;
}

/** thing: [what it is made of, what it is for, where it is found] */
export const things: Readonly<Record<string, readonly [string, string, string]>> = {
  table: ['wood', 'eat at it', 'in the kitchen'],
  chair: ['wood', 'sit on it', 'at the table'],
  bed: ['wood', 'sleep in it', 'in the bedroom'],
  boat: ['wood', 'sail on the sea', 'in the harbour'],
  door: ['wood', 'go in and out', 'in a wall'],
  window: ['glass', 'look out', 'in a wall'],
  bottle: ['glass', 'keep water in it', 'in the kitchen'],
  knife: ['iron', 'cut bread', 'in the kitchen'],
  spoon: ['iron', 'eat soup', 'in the kitchen'],
  key: ['iron', 'open a door', 'in a pocket'],
  anchor: ['iron', 'hold a ship in its place', 'on a ship'],
  hammer: ['iron and wood', 'hit nails', 'in a workshop'],
  saw: ['iron and wood', 'cut wood', 'in a workshop'],
  book: ['paper', 'read', 'on a shelf'],
  letter: ['paper', 'tell a friend the news', 'in a box'],
  coat: ['wool', 'keep warm', 'on a hook'],
  scarf: ['wool', 'keep your neck warm', 'on a hook'],
  rope: ['hemp', 'tie up a boat', 'in the harbour'],
  net: ['string', 'catch fish', 'on a boat'],
  sail: ['cloth', 'catch the wind', 'on a boat'],
  broom: ['straw and wood', 'sweep the floor', 'in a corner'],
  lamp: ['iron and glass', 'see in the dark', 'on the table'],
  cup: ['clay', 'drink tea', 'in the kitchen'],
  umbrella: ['cloth', 'stay dry in the rain', 'at the door'],
};

export const days = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
export const months = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
export const seasons = ['spring', 'summer', 'autumn', 'winter'];
