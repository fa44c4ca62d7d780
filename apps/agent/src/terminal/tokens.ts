/** Text as the model sees it: token by token, with what the loss counts. */
import { colors } from './colors.ts';

export interface ShownToken {
  text: string;
  supervised: boolean;
}

/**
 * Supervised tokens green, the others dim; neighbors differ in brightness, so that each token can be told.
 * Without colors supervised stretches stand in ⟦ ⟧ and tokens are parted by `·`.
 */
export function formatTokens(tokens: readonly ShownToken[], colored: boolean = colors.isColorSupported): string {
  return colored ? inColor(tokens) : inBrackets(tokens);
}

function inColor(tokens: readonly ShownToken[]): string {
  return tokens
    .map(({ text, supervised }, index) => {
      const bright = index % 2 === 0;
      const paint = supervised
        ? (part: string) => (bright ? colors.black(colors.bgGreen(part)) : colors.black(colors.bgGreenBright(part)))
        : (part: string) => (bright ? colors.dim(part) : colors.dim(colors.underline(part)));
      return linewise(text, paint);
    })
    .join('');
}

function inBrackets(tokens: readonly ShownToken[]): string {
  let out = '';
  let inside = false;
  tokens.forEach(({ text, supervised }, index) => {
    if (supervised !== inside) out += supervised ? '⟦' : '⟧';
    else if (index > 0) out += '·';
    inside = supervised;
    out += linewise(text, (part) => part);
  });
  return inside ? `${out}⟧` : out;
}

/** Colors do not run over the end of a line, which is shown; other control characters could play with the terminal. */
function linewise(text: string, paint: (part: string) => string): string {
  return text
    .split('\n')
    .map((part, index, all) => {
      const visible = part.replace(/\p{Cc}/gu, (character) => (character === '\t' ? '→' : '�'));
      return paint(index < all.length - 1 ? `${visible}⏎` : visible);
    })
    .join('\n');
}
