/** The values of keys that are not written, in gray at the end of the line below which they would stand. */
import type { FormField, FormSection } from '@anneal/core/protocol/recipeForm';
import { newKey, parseText, readValue, sourceOf } from '@anneal/core/recipe/edit';
import { monaco } from './features.ts';

export interface Defaults {
  sections: readonly FormSection[];
  /** Every key with its value as it was when the recipe was last in order. */
  values: Readonly<Record<string, unknown>>;
}

/** Two clicks on one write it. */
export function showDefaults(model: monaco.editor.ITextModel, defaults: Defaults): monaco.IDisposable {
  return monaco.languages.registerInlayHintsProvider('yaml', {
    provideInlayHints(asked, range) {
      const hints = asked === model ? hintsOf(model, defaults) : [];
      return { hints: hints.filter((hint) => range.containsPosition(hint.position)), dispose() {} };
    },
  });
}

function hintsOf(model: monaco.editor.ITextModel, { sections, values }: Defaults): monaco.languages.InlayHint[] {
  const parsed = parseText(model.getValue());
  const hintsIn = (fields: readonly FormField[], path: readonly (string | number)[], known: unknown) => {
    const order = fields.map(({ key }) => key);
    return fields.flatMap(({ key, description }): monaco.languages.InlayHint[] => {
      const value = (known as Record<string, unknown> | undefined)?.[key];
      if (!isWorthTelling(value)) return [];
      const source = sourceOf(value);
      const edit = newKey(parsed, [...path, key], source, order);
      if (!edit?.insert.startsWith('\n')) return [];
      const position = model.getPositionAt(edit.at);
      const range = monaco.Range.fromPositions(position);
      return [
        {
          position,
          label: `· ${key}: ${source}`,
          tooltip: { value: description },
          paddingLeft: true,
          textEdits: [{ range, text: edit.insert }],
        },
      ];
    });
  };
  const fields = sections.flatMap((section) => section.fields);
  const inLists = fields.flatMap(({ key, control }) => {
    const written = control.kind === 'datasets' ? readValue(parsed, [key])?.value : undefined;
    if (control.kind !== 'datasets' || !Array.isArray(written)) return [];
    const known = values[key] as readonly unknown[] | null | undefined;
    return written.flatMap((_, i) => hintsIn(control.fields, [key, i], known?.[i]));
  });
  return [...hintsIn(fields, [], values), ...inLists];
}

/** What is off or empty goes without saying, and mappings are too long. */
function isWorthTelling(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === false) return false;
  return Array.isArray(value) ? value.length > 0 : typeof value !== 'object';
}
