/** The tokens of a row as they are drawn. */
import type { InspectedToken } from '@anneal/core/protocol/data';
import type { DataRow } from '@anneal/core/protocol/dataView';

/** What `TokenText` draws of a token. */
export interface TextToken extends Pick<InspectedToken, 'id' | 'text' | 'bytes' | 'target'> {
  /** In the whole row, from 0. */
  index: number;
  /** Its part of the text; empty for one that only continues a character, or stands for no text. */
  part: string;
  /** The row is cut before it. */
  isCut: boolean;
  /** It stands for no text of a message: a control token, in the words of its vocabulary. */
  isControl: boolean;
  /** How much color it has, from 0 to 1, instead of the mark of what is trained. */
  shade?: number | undefined;
}

export type ShownToken = InspectedToken & TextToken;

/** Tokens that lie together in one message, or between messages. */
export interface TokenBlock<Token extends TextToken = ShownToken> {
  message: number | null;
  role: string | null;
  tokens: Token[];
}

/** @param parts of one row, from its first token on */
export function tokenBlocks(parts: readonly DataRow[]): TokenBlock[] {
  const blocks: TokenBlock[] = [];
  const roles = new Map(parts.flatMap(({ turns }) => turns.map(({ message, role }) => [message, role] as const)));
  for (const { text, textStart, tokens, from, verdict, sequenceLen } of parts) {
    let shownTo = textStart;
    for (const [i, token] of (tokens ?? []).entries()) {
      const index = from + i;
      const start = Math.max(token.start, shownTo);
      const part = text === null ? '' : text.slice(start - textStart, Math.max(start, token.end) - textStart);
      shownTo = Math.max(shownTo, token.end);
      const isCut = verdict.kind === 'truncated' && index >= sequenceLen;
      const shown = { ...token, index, part, isCut, isControl: isControl(token, part) };
      const last = blocks.at(-1);
      if (last && last.message === token.message) last.tokens.push(shown);
      else blocks.push({ message: token.message, role: roles.get(token.message ?? -1) ?? null, tokens: [shown] });
    }
  }
  return blocks;
}

/** Control tokens are spelled in brackets of their own, or stand for no text. */
function isControl({ text }: InspectedToken, part: string): boolean {
  return part === '' ? /^<.*>$|^\[.*\]$/.test(text) : /^(?:<[|｜].*[|｜]>|<\/?s>|\[\/?[A-Z_]+\])$/.test(part);
}

/** With white space that can be seen, where it is wanted. A line break stays one. */
export function visible(text: string, showsSpace: boolean): string {
  if (!showsSpace) return text;
  return text.replaceAll(' ', '·').replaceAll('\t', '→\t').replaceAll('\r', '␍').replaceAll('\n', '⏎\n');
}

/** On one line, with everything visible. */
export function spelled({ part, text, bytes }: TextToken): string {
  if (part !== '') return part.replaceAll(' ', '·').replaceAll('\t', '→').replaceAll('\r', '␍').replaceAll('\n', '⏎');
  return /^<.*>$/.test(text) || bytes === null ? text : spacedBytes(bytes);
}

/** The background of a token with so much color. */
export const shadeStyle = (shade: number): { backgroundColor: string } => ({
  backgroundColor: `color-mix(in oklab, var(--ember) ${Math.round(55 * shade)}%, transparent)`,
});

export const spacedBytes = (hexadecimal: string): string => hexadecimal.match(/../g)?.join(' ') ?? '';
