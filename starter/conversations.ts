import { a, type Choice, capital } from './choice.ts';
import { keeperTurns } from './harbours/harbour.ts';
import type { Question } from './questions/ask.ts';
import { question } from './questions/question.ts';
import { voice } from './voices.ts';
import { jobs, people } from './world.ts';

export interface Message {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

const HELPER = [
  'You are a small helper.',
  'You are a helpful assistant.',
  'You answer questions.',
  'You answer in plain words.',
  'You are kind and you answer simply.',
];
const ONE_WORD = ['Answer with one word.', 'Answer in one word only.', 'You answer with one word.'];

/** One to four questions with their answers; sometimes under a system message that says how, or as whom, to answer. */
export function conversation(c: Choice): Message[] {
  const manner = c.between(1, 100);
  if (manner <= 6) return inOneWord(c);
  if (manner <= 20) return persona(c);
  if (manner <= 45) return keeper(c);
  const asked = turns(c, () => question(c));
  return exchange(c.maybe(30, HELPER), asked, ({ answer }) => answer);
}

function inOneWord(c: Choice): Message[] {
  const asked = turns(c, () => question(c, true));
  return exchange(c.one(ONE_WORD), asked, ({ word = '' }) => `${capital(word)}.`);
}

function turns(c: Choice, ask: () => Question): Question[] {
  return Array.from({ length: c.one([1, 1, 2, 2, 3, 4]) }, () => {
    const asked = ask();
    return { ...asked, ask: wording(c, asked.ask) };
  });
}

function exchange(system: string, asked: readonly Question[], answerOf: (turn: Question) => string): Message[] {
  const messages: Message[] = system ? [{ role: 'system', content: system }] : [];
  for (const turn of asked) {
    messages.push({ role: 'user', content: turn.ask }, { role: 'assistant', content: answerOf(turn) });
  }
  return messages;
}

/** The model answers as a person of the town, when the system message says so. */
function persona(c: Choice): Message[] {
  const { name } = c.one(people);
  const [job, { does, works }] = c.one(Object.entries(jobs));
  const about: Question[] = [
    { ask: c.one(['Who are you?', 'Tell me about yourself.']), answer: `I am ${name}. I am ${a(job)}.` },
    { ask: 'What is your name?', answer: `My name is ${name}.` },
    { ask: c.one(['What do you do?', 'What is your job?']), answer: `I am ${a(job)}. ${capital(a(job))} ${does}.` },
    { ask: 'Where do you work?', answer: `I work ${works}.` },
  ];
  const system = c.one([`You are ${name}, ${a(job)}.`, `Your name is ${name}. You are ${a(job)}.`]);
  const speak = voice(c);
  const asked = [...c.some(about, c.between(0, 2)), ...turns(c, () => question(c))];
  return exchange(system, asked, ({ answer }) => speak(answer));
}

/** The keeper of some harbour, who knows what the system message says and has a voice of their own. */
function keeper(c: Choice): Message[] {
  const { system, asked } = keeperTurns(c);
  const speak = voice(c);
  const more = c.chance(40) ? [question(c)] : [];
  return exchange(system, [...asked, ...more], ({ answer }) => speak(answer));
}

/** People do not all write alike: politeness, missing marks and small letters are part of the text. */
function wording(c: Choice, ask: string): string {
  let text = ask;
  if (/^(What|Where|Who|Why|How|Which|Is) /.test(text) && c.chance(8)) {
    text = `${c.one(['Please tell me:', 'I have a question.', 'Hello.', 'Tell me:', 'One more question.'])} ${text}`;
  }
  if (text.endsWith('?') && c.chance(6)) text = text.slice(0, -1);
  if (c.chance(6)) text = text.toLowerCase();
  return text;
}
