import { diffLines } from 'diff';

/** At a place of the text before: so many characters go, and these come. */
export interface TextChange {
  at: number;
  remove: number;
  insert: string;
}

/** Two texts that have nothing in common take long to compare. */
const patienceMilliseconds = 200;

/** What turns one text into another, line by line and without what a line keeps at its ends; the last place first. */
export function textChanges(before: string, after: string): TextChange[] {
  const parts = diffLines(before, after, { timeout: patienceMilliseconds });
  if (!parts) return before === after ? [] : [narrowed({ at: 0, remove: before.length, insert: after }, before)];
  const changes: TextChange[] = [];
  let at = 0;
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i] as (typeof parts)[number];
    const next = parts[i + 1];
    if (part.removed) {
      const insert = next?.added ? next.value : '';
      changes.push(narrowed({ at, remove: part.value.length, insert }, before));
      if (next?.added) i++;
      at += part.value.length;
    } else if (part.added) changes.push({ at, remove: 0, insert: part.value });
    else at += part.value.length;
  }
  return changes.toReversed();
}

function narrowed({ at, remove, insert }: TextChange, text: string): TextChange {
  const old = text.slice(at, at + remove);
  const most = Math.min(old.length, insert.length);
  let start = 0;
  while (start < most && old[start] === insert[start]) start++;
  let end = 0;
  while (end < most - start && old[old.length - 1 - end] === insert[insert.length - 1 - end]) end++;
  return { at: at + start, remove: remove - start - end, insert: insert.slice(start, insert.length - end) };
}
