import type { RowExcerpt } from '../protocol/data.ts';
import type { Content, Message, RawRow } from './types.ts';

const mostParts = 6;
const mostCharacters = 160;

/** The beginnings of a row's messages, or of its text; of a row that is not understood, of what it holds. */
export function excerptOf({ value, fault }: RawRow, content: Content | null): RowExcerpt {
  if (fault !== undefined) return [];
  if (content === null) return [{ role: null, text: shortened(JSON.stringify(value)) }];
  if (content.kind === 'text') return [{ role: null, text: shortened(content.text) }];
  return content.messages.slice(0, mostParts).map((message) => ({ role: message.role, text: said(message) }));
}

function said({ content, tool_calls: calls = [] }: Message): string {
  const words = typeof content === 'string' ? content : content ? JSON.stringify(content) : '';
  const called = calls.map(({ function: { name } }) => `${name}(…)`);
  return shortened([words, ...called].filter((part) => part !== '').join(' '));
}

/** On one line. */
function shortened(text: string): string {
  const line = text
    .slice(0, 4 * mostCharacters)
    .replaceAll(/\s+/g, ' ')
    .trim();
  const isWhole = line.length <= mostCharacters && text.length <= 4 * mostCharacters;
  return isWhole ? line : `${line.slice(0, mostCharacters).toWellFormed()}…`;
}
