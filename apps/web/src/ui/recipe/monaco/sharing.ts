/** Monaco and the document that others edit, too. */
import { MonacoBinding } from 'y-monaco';
import type { LiveRecipe } from '../live/liveRecipe.ts';
import { colorOf } from '../live/me.ts';
import { monaco } from './features.ts';

/** Keeps the editor and the document the same. The model has to hold the document's text. Returns what ends it. */
export function share(
  editor: monaco.editor.IStandaloneCodeEditor,
  model: monaco.editor.ITextModel,
  live: LiveRecipe,
): () => void {
  const binding = new MonacoBinding(live.text, model, new Set([editor]), live.provider.awareness);
  // Monaco's own undo knows nothing of others: it would take their changes back, and by places that have moved.
  const { undo } = live;
  undo.addTrackedOrigin(binding);
  const { CtrlCmd, Shift } = monaco.KeyMod;
  const { KeyY, KeyZ } = monaco.KeyCode;
  const action = (id: string, keybindings: number[], run: () => void) =>
    editor.addAction({ id, label: id, keybindings, run });
  const disposables = [
    action('recipe.undo', [CtrlCmd | KeyZ], () => undo.undo()),
    action('recipe.redo', [CtrlCmd | Shift | KeyZ, CtrlCmd | KeyY], () => undo.redo()),
  ];
  const stopColoring = colorCursors(live);
  return () => {
    stopColoring();
    for (const each of disposables) each.dispose();
    undo.removeTrackedOrigin(binding);
    binding.destroy();
  };
}

/** y-monaco gives the cursor of each client classes with its number. What they look like is said here. */
function colorCursors(live: LiveRecipe): () => void {
  const style = document.createElement('style');
  document.head.append(style);
  const color = () => {
    style.textContent = live.state
      .get()
      .people.filter(({ isMe }) => !isMe)
      .map((person) => {
        const shade = colorOf(person);
        return [
          `.yRemoteSelection-${person.id} { background: color-mix(in srgb, ${shade} 22%, transparent) }`,
          `.yRemoteSelectionHead-${person.id} { border-color: ${shade} }`,
          `.yRemoteSelectionHead-${person.id}::after { background: ${shade}; content: ${cssText(person.name)} }`,
        ].join('\n');
      })
      .join('\n');
  };
  color();
  const stop = live.state.subscribe(color);
  return () => {
    stop();
    style.remove();
  };
}

/** As a text in a style sheet: everything but letters and digits by its number. */
function cssText(text: string): string {
  const escaped = [...text].map((character) =>
    /[a-z0-9]/i.test(character) ? character : `\\${character.codePointAt(0)?.toString(16)} `,
  );
  return `"${escaped.join('')}"`;
}
