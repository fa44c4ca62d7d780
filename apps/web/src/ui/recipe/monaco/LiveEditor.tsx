'use client';
/** The text that several people edit. */
import { type ComponentProps, useMemo } from 'react';
import type { LiveRecipe } from '../live/liveRecipe.ts';
import CodeEditor, { type EditedText } from './CodeEditor.tsx';
import { share } from './sharing.ts';

export default function LiveEditor({
  live,
  ...others
}: {
  /** Open, so that its text is there. */
  live: LiveRecipe;
} & Omit<ComponentProps<typeof CodeEditor>, 'kind' | 'edited' | 'leastHeight'>) {
  const edited = useMemo(
    (): EditedText => ({
      text: () => live.text.toString(),
      bind: (editor, model) => share(editor, model, live),
    }),
    [live],
  );
  return <CodeEditor kind="recipe" edited={edited} {...others} />;
}
