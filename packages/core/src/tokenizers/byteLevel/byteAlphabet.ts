/** GPT-2's spelling of bytes in vocabularies: a printable character for each, a blank as Ġ. */

const isPrintable = (byte: number): boolean =>
  (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;

/** The character of every byte. */
export const BYTE_CHARACTERS: readonly string[] = (() => {
  let next = 256; // the unprintable ones follow Latin-1, in the order of the bytes
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isPrintable(byte) ? byte : next++));
})();

const BYTES = new Map(BYTE_CHARACTERS.map((character, byte) => [character, byte]));

/** The bytes that a token of the vocabulary spells; null where it holds a character that spells none. */
export function bytesOf(token: string): Uint8Array | null {
  const bytes = new Uint8Array(token.length);
  for (let i = 0; i < token.length; i++) {
    const byte = BYTES.get(token[i] as string);
    if (byte === undefined) return null;
    bytes[i] = byte;
  }
  return bytes;
}

/** How a vocabulary spells some bytes. */
export function spellBytes(bytes: Uint8Array): string {
  let spelled = '';
  for (const byte of bytes) spelled += BYTE_CHARACTERS[byte];
  return spelled;
}
