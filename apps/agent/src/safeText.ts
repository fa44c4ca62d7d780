/**
 * Texts of models, data, recipes and runs may hold control characters that move the cursor, set the title or hide what
 * follows. Everything printed goes through here; of what a terminal obeys only line feeds and tabs pass.
 */

// Cc: C0, DEL and C1. The others turn the direction of text, so that it reads as what it is not.
const unsafe = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;
const everyUnsafe = new RegExp(unsafe.source, 'gu');

export function safeText(text: string): string {
  if (!unsafe.test(text)) return text;
  return text
    .replace(/\r(?=\n|$)/g, '')
    .replace(everyUnsafe, (character) => (character === '\n' || character === '\t' ? character : visible(character)));
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
