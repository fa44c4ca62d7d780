/** Several values of a recipe at once, as a diagnosis proposes them. Browser-safe. */
import { applyEdit, parseText, readValue, removeValue, setValue, sourceOf, type TextEdit } from './edit.ts';

/** By the path of a key with dots, `datasets.0.train_on_eos`, as `--set` names it. */
export type Settings = Readonly<Record<string, unknown>>;

export function pathOf(key: string): (string | number)[] {
  return key.split('.').map((step) => (/^\d+$/.test(step) ? Number(step) : step));
}

/**
 * The edits, one after the other, that write all settings, and the keys that are taken out because they exclude one of them.
 * Undefined where that cannot be done without a change of anything else.
 * @param order of the keys; @param excludedBy the keys beside which a key cannot stand
 */
export function proposedEdits(
  text: string,
  settings: Settings,
  order: readonly string[],
  excludedBy: (key: string) => readonly string[],
): { edits: TextEdit[]; takenOut: string[] } | undefined {
  const edits: TextEdit[] = [];
  const takenOut: string[] = [];
  let changed = text;
  const apply = (edit: TextEdit | undefined): boolean => {
    if (!edit) return false;
    edits.push(edit);
    changed = applyEdit(changed, edit);
    return true;
  };
  for (const [key, value] of Object.entries(settings)) {
    const path = pathOf(key);
    const written = readValue(parseText(changed), path);
    if (written && isEqual(written.value, value)) continue;
    for (const other of path.length === 1 && value !== null ? excludedBy(key) : []) {
      if (!readValue(parseText(changed), [other])) continue;
      if (!apply(removeValue(changed, [other]))) return undefined;
      takenOut.push(other);
    }
    if (!apply(setValue(changed, path, sourceOf(value, written?.source), order))) return undefined;
  }
  return { edits, takenOut };
}

const isEqual = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
