/** What the endpoint is asked. */
export const placeholders: readonly string[] = ['text', 'count', 'language'];

/** Names in braces; JSON in a prompt has none. */
const PLACE = /\{([a-z_]+)\}/g;

export function placeholdersIn(prompt: string): string[] {
  return [...new Set([...prompt.matchAll(PLACE)].map(([, name]) => name as string))];
}

const questionsAndAnswers = `Write {count} questions that the text below answers, each with its answer.
Somebody who knows the subject but has never seen this text must understand each question: name what it is about, and do not
speak of "the text". Answer fully and only with what the text says. Write in {language}.
Reply with JSON only, a list of {count} objects: [{"question": "…", "answer": "…"}]

Text:
{text}`;

/** @param own the recipe's words, in the place of ours */
export function promptOf(
  own: string | null,
  { text, count, language }: { text: string; count: number; language: string | null },
): string {
  const values: Record<string, string> = {
    text,
    count: String(count),
    language: language ?? 'the language of the text',
  };
  return (own ?? questionsAndAnswers).replaceAll(PLACE, (place, name: string) => values[name] ?? place);
}
