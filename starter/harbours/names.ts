import type { Choice } from '../choice.ts';
import { colours, days, type Person, people, townspeople } from '../world.ts';

/** The names and numbers of one harbour. */
export type HarbourNames = ReturnType<typeof harbourNames>;

const TOWN_BEGINNINGS = ['Salt', 'Grey', 'White', 'North', 'Gull', 'Stone', 'Sand', 'Long', 'East', 'Wind'];
const TOWN_ENDINGS = ['mere', 'port', 'haven', 'bay', 'mouth', 'wick', 'ness'];
const CATS = ['Pepper', 'Smoky', 'Mimi', 'Biscuit', 'Salty', 'Shadow', 'Button'];
const SEALS = ['Button', 'Barrel', 'Bubble', 'Fatty', 'Splash', 'Duke', 'Pepper'];
const SHIP_BEGINNINGS = ['Grey', 'White', 'Red', 'Blue', 'Black', 'Old', 'Green', 'Golden', 'Morning', 'Happy', 'Wild'];
const SHIP_ENDINGS = ['Gull', 'Swan', 'Duck', 'Owl', 'Crow', 'Goose', 'Star', 'Anchor', 'Rose', 'Wind', 'Fish'];
const SHIPS = SHIP_BEGINNINGS.flatMap((beginning) => SHIP_ENDINGS.map((ending) => `${beginning} ${ending}`));

/** Names that keep their capital letter inside a sentence. */
export const properNames: ReadonlySet<string> = new Set([
  'I',
  'Captain',
  ...[...people, ...townspeople].map(({ name }) => name),
  ...CATS,
  ...SEALS,
  ...TOWN_BEGINNINGS.flatMap((beginning) => TOWN_ENDINGS.map((ending) => beginning + ending)),
]);

/** No two harbours are alike, but all have the same kinds of facts. */
export function harbourNames(c: Choice) {
  const folk = c.some([...people, ...townspeople], 4);
  const women = [...people, ...townspeople].filter(
    ({ she, name }) => she === 'she' && !folk.some((one) => one.name === name),
  );
  const [keeper, captain, cook, seller] = folk as [Person, Person, Person, Person];
  const [boat, fast, ship, inn] = c.some(SHIPS, 4) as [string, string, string, string];
  const [fur, ear] = c.some(['grey', 'black', 'white', 'red', 'brown'], 2) as [string, string];
  const [side, other] = c.some(['left', 'right'], 2) as [string, string];
  const [pier, second] = c.some(['long', 'short', 'new', 'low'], 2) as [string, string];
  const [house, sail, ring] = c.some(colours, 3) as [string, string, string];
  return {
    keeper,
    captain,
    cook,
    seller,
    sister: c.one(women),
    boat,
    fast,
    ship,
    inn,
    fur,
    ear,
    side,
    other,
    pier,
    second,
    house,
    sail,
    ring,
    town: c.one(TOWN_BEGINNINGS) + c.one(TOWN_ENDINGS),
    island: `${c.one(['Seal', 'Gull', 'Goat', 'Stone', 'Bird', 'Bear', 'Green', 'Long'])} Island`,
    rocks: `${c.one(['Two', 'Three', 'Four', 'Seven'])} ${c.one(['Brothers', 'Sisters', 'Teeth', 'Friends'])}`,
    builder: c.one(['grandfather', 'father', 'mother', 'grandmother', 'uncle']),
    cat: c.one(CATS),
    seal: c.one(SEALS),
    basket: c.one(['in the rope box', 'on the nets', 'by the fire', 'in the boat', 'on my coat']),
    beach: c.one(['behind the lighthouse', 'under the hill', 'by the river', 'near the mill', 'behind the market']),
    day: c.one(days),
    leaves: c.between(5, 10),
    returns: c.between(3, 8),
    low: c.between(3, 9),
    high: c.between(10, 20),
    steps: c.between(40, 99),
    boats: c.between(5, 30),
    years: c.between(5, 50),
    age: c.between(5, 40),
    seals: c.between(2, 20),
    cost: c.between(2, 5),
    night: c.between(2, 6),
    storm: c.between(3, 40),
  };
}
