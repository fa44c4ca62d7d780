import { verbs } from '../verbs.ts';

/** Set by launchers that are called by another name; `bin/anneal.mjs` and the bundle do. */
export const calledAs = process.env.ANNEAL_CALLED_AS ?? 'npx anneal';

const named = new RegExp(`(?<![\\w/.-]|npx )anneal(?= (${verbs.map(({ name }) => name).join('|')})\\b)`, 'g');

/** Another agent, of which texts speak. */
let elsewhere = { words: '', verbs: new Set<string>() };

/** From now on texts come from another agent. @param words by which it is asked for these verbs, as `remote --host …` */
export function calledElsewhere(words: string, asked: Iterable<string>): void {
  elsewhere = { words, verbs: new Set(asked) };
}

/** A text for a person, in which every `anneal <verb>` can be typed as it stands. */
export function asCalled(text: string, name = calledAs): string {
  return text.replaceAll(named, (_, verb: string) => (elsewhere.verbs.has(verb) ? `${name} ${elsewhere.words}` : name));
}
