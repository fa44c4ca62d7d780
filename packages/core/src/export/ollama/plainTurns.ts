import type { ChatFamily } from './chatFamily.ts';

interface Message {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

const [SYSTEM, ASKED, ANSWERED, ASKED_AGAIN] = ['\u0001s', '\u0001q', '\u0001a', '\u0001r'];

/**
 * The family of a template that only puts fixed texts around each message, such as Alpaca's or a prompt of a recipe; read off
 * what it prints. Null where it does something else.
 * @param render the conversation with the generation prompt, without the BOS token; null where the template refuses it
 */
export function plainTurns(render: (messages: readonly Message[]) => string | null): ChatFamily | null {
  const user = { role: 'user', content: ASKED } as const;
  const one = render([user])?.split(ASKED);
  const more = render([user, { role: 'assistant', content: ANSWERED }, { role: 'user', content: ASKED_AGAIN }]);
  if (one?.length !== 2 || more === null) return null;
  const [before = '', prompt = ''] = one;
  const [opening = '', closing = ''] = (more.split(ASKED)[1] ?? '').split(ASKED_AGAIN)[0]?.split(ANSWERED) ?? [];
  // A default system text stands before the first question only.
  const lead = commonEnd(closing, before);
  const end = closing.slice(0, closing.length - lead.length);
  const withSystem = render([{ role: 'system', content: SYSTEM }, user])?.split(SYSTEM);
  const open = withSystem?.[0] ?? '';
  const rest = withSystem?.[1]?.split(ASKED)[0] ?? '';
  const close = rest.slice(0, rest.length - lead.length);
  const texts = [lead, prompt, opening, end, open, close];
  if (texts.some((text) => /\{\{|\}\}|"""/.test(text))) return null; // a Modelfile cannot write them
  const system = withSystem ? `{{ if eq .Role "system" }}${open}{{ .Content }}${close}{{ else if` : '{{ if';
  return {
    name: 'Written from what the chat template prints',
    template: `{{ range .Messages }}${system} eq .Role "user" }}${lead}{{ .Content }}{{ else if eq .Role "assistant" }}${opening}{{ .Content }}${end}{{ end }}{{ end }}${prompt}`,
    stops: [],
  };
}

/** The end of `a` that `b` ends with, too. */
function commonEnd(a: string, b: string): string {
  let length = 0;
  while (length < a.length && length < b.length && a.at(-1 - length) === b.at(-1 - length)) length++;
  return a.slice(a.length - length);
}
