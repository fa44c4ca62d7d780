import { useEffect } from 'react';

/** What Ctrl or Cmd does with a key, wherever the focus is: a button that waits has none. */
export function useRecipeKeys(actions: Readonly<Record<string, () => unknown>>): void {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      const action = event.ctrlKey || event.metaKey ? actions[event.key] : undefined;
      if (!action) return;
      action();
      event.preventDefault();
      event.stopPropagation();
    };
    // Before the editor, which has a meaning of its own for some of them.
    document.addEventListener('keydown', onKeyDown, { capture: true });
    return () => document.removeEventListener('keydown', onKeyDown, { capture: true });
  });
}
