import { type Choice, capital } from './choice.ts';
import { properNames } from './harbours/names.ts';

/** Somebody's way of speaking: the same answer in other clothes. */
export type Voice = (answer: string) => string;

const OPENERS = [
  'Well',
  'Oh',
  'Hm',
  'Ah',
  'Now',
  'Look',
  'Listen',
  'Aye',
  'Yes',
  'My word',
  'Good question',
  'Let me see',
];
const ADDRESSES = ['friend', 'my friend', 'my dear', 'child', 'captain', 'neighbour', 'dear guest', 'sir', 'young one'];
const CLOSERS = [
  'That is how it is.',
  'So it goes.',
  'As sure as the tide.',
  'As sure as bread.',
  'My mother told me so.',
  'My father told me so.',
  'I should know.',
  'Remember it well.',
  'Ask me again tomorrow.',
  'Mind your feet.',
  'Mind the step.',
  'Mind the ropes.',
  'Fair winds to you.',
  'So says the sea.',
  'So says my cat.',
  'So say the old people.',
  'The gulls know it too.',
  'Everybody knows that.',
  'I see it every day.',
  'I count it all day.',
  'Slow hands tie strong knots.',
  'A dry rope is a good rope.',
  'A warm coat is a good friend.',
  'Never forget it.',
  'Never turn your back to the fire.',
  'Never turn your back to the sea.',
  'The tide does not wait.',
  'The bread does not wait.',
  'Come again soon.',
  'Take some tea with it.',
  'Take a fish home with you.',
  'It keeps me young.',
  'I have seen it with my own eyes.',
  'Like the wind and the waves.',
  'Good for old and young.',
];

/** A voice has its own opener, its own name for the listener, and two or three sayings. */
export function voice(c: Choice): Voice {
  const opener = c.chance(75) ? c.one(OPENERS) : '';
  const address = c.chance(75) ? c.one(ADDRESSES) : '';
  const closers = c.some(CLOSERS, c.between(1, 3));
  const [addressed, closed] = [c.between(40, 90), c.one([0, 0, 20, 40])];
  return (answer) => {
    let text = answer;
    const named = address !== '' && c.chance(addressed);
    const atEnd = named && c.chance(60) && text.length < 90;
    if (atEnd) text = text.replace(/^([^.?!]*)([.?!])/, `$1, ${address}$2`);
    if (opener) text = `${opener}, ${named && !atEnd ? `${address}, ` : ''}${lowerStart(text)}`;
    else if (named && !atEnd) text = `${capital(address)}, ${lowerStart(text)}`;
    return c.chance(closed) ? `${text} ${c.one(closers)}` : text;
  };
}

function lowerStart(text: string): string {
  const [first = ''] = /^\w+/.exec(text) ?? [];
  return properNames.has(first) ? text : text.charAt(0).toLowerCase() + text.slice(1);
}
