/** The text in a recipe's Yjs document, and changes of it. */
import * as Y from 'yjs';
import type { TextChange } from './textChanges.ts';

export const textOf = (document: Y.Doc): Y.Text => document.getText('recipe');

export function applyChanges(text: Y.Text, changes: readonly TextChange[]): void {
  for (const { at, remove, insert } of changes) {
    if (remove > 0) text.delete(at, remove);
    if (insert !== '') text.insert(at, insert);
  }
}

/** What no editor of ours writes, and what would set others apart by a character: carriage returns, and what is no text. */
export function foreignIn(event: Y.YTextEvent): TextChange[] {
  const found: TextChange[] = [];
  let at = 0;
  for (const { retain = 0, insert } of event.delta) {
    at += retain;
    if (insert === undefined) continue;
    if (typeof insert === 'string') {
      for (const { index } of insert.matchAll(/\r/g)) found.push({ at: at + index, remove: 1, insert: '' });
      at += insert.length;
    } else {
      found.push({ at, remove: 1, insert: '' });
      at += 1;
    }
  }
  return found.toReversed();
}
