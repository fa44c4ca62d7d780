import { verbs } from '../verbs.ts';

/** Set by launchers that are called by another name; `bin/anneal.mjs` and the bundle do. */
const calledAs = process.env.ANNEAL_CALLED_AS ?? 'npx anneal';

const named = new RegExp(`(?<![\\w/.-]|npx )anneal(?= (?:${verbs.map(({ name }) => name).join('|')})\\b)`, 'g');

/** A text for a person, in which every `anneal <verb>` can be typed as it stands. */
export function asCalled(text: string, name = calledAs): string {
  return text.replaceAll(named, () => name);
}
