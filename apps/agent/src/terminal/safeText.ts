/**
 * Texts of models, data, recipes and runs may hold control characters that move the cursor, set the title or hide what
 * follows. Everything printed goes through here; only line feeds, tabs and our own colors pass.
 */

/** What picocolors writes: one attribute or color, and nothing of several. */
const ownColor = /^\[(?:[0-4]|7|2[2-479]|[349][0-7]|[34]9|10[0-7])m/;
// Cc: C0, DEL and C1. The others turn the direction of text, so that it reads as what it is not.
const unsafe = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;
const everyUnsafe = new RegExp(unsafe.source, 'gu');

/** With `colored` our colors pass; without, there are none of ours to let through. */
export function safeText(text: string, colored: boolean): string {
  if (!unsafe.test(text)) return text;
  return text.replace(/\r(?=\n|$)/g, '').replace(everyUnsafe, (character, offset: number, whole: string) => {
    if (character === '\n' || character === '\t') return character;
    if (character === '\u001b' && colored && ownColor.test(whole.slice(offset + 1, offset + 8))) return character;
    return visible(character);
  });
}

/** JSON escapes C0 itself; DEL, C1 and the direction marks mean the same escaped. */
export function safeJson(json: string): string {
  return json.replace(/(?!\n)[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, escaped);
}

function visible(character: string): string {
  const code = character.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(0x2400 + code); // ␛ and the other pictures of control characters
  return code === 0x7f ? '␡' : escaped(character);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
