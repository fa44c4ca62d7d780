/**
 * Whether a path of a repository matches a pattern as `data_files` of a data set has them: `*` and `?` within a name, `[0-9]`, and `**`
 * over any number of folders. Takes at most the product of both lengths, whatever a stranger wrote.
 */
export function matchesGlob(path: string, pattern: string): boolean {
  return matches(path.split('/'), pattern.split('/'), (part) => part === '**', matchesName);
}

function matchesName(part: string, name: string): boolean {
  const tokens = part.match(/\*+|\[[^\]]+\]|[^]/gu) ?? [];
  return matches([...name], tokens, (token) => token.startsWith('*'), matchesCharacter);
}

function matchesCharacter(token: string, character: string): boolean {
  if (token === '?') return true;
  if (token.length < 3 || !token.startsWith('[')) return token === character;
  const negated = /^\[[!^]/.test(token);
  const members = token.slice(negated ? 2 : 1, -1).match(/[^]-[^]|[^]/gu) ?? [];
  const found = members.some((member) => {
    const [first = '', , last = first] = member;
    return character >= first && character <= last;
  });
  return found !== negated;
}

/** Items against a pattern in which a star stands for any number of them: only the last star is ever tried again. */
function matches(
  items: readonly string[],
  pattern: readonly string[],
  isStar: (part: string) => boolean,
  isOne: (part: string, item: string) => boolean,
): boolean {
  let [at, place, star, starItem] = [0, 0, -1, 0];
  while (at < items.length) {
    const part = pattern[place];
    if (part !== undefined && isStar(part)) [star, starItem, place] = [place, at, place + 1];
    else if (part !== undefined && isOne(part, items[at] as string)) [at, place] = [at + 1, place + 1];
    else if (star >= 0) [starItem, at, place] = [starItem + 1, starItem + 1, star + 1];
    else return false;
  }
  return pattern.slice(place).every(isStar);
}
