'use client';
/** A text that one person edits, and that is sent as a whole. */
import { type ComponentProps, useEffect, useMemo, useRef, useState } from 'react';
import CodeEditor, { type EditedText } from './CodeEditor.tsx';
import type { monaco } from './features.ts';

export default function PlainEditor({
  value,
  onChange,
  ...others
}: {
  value: string;
  /** What somebody has written. */
  onChange: (text: string) => void;
} & Omit<ComponentProps<typeof CodeEditor>, 'edited'>) {
  const [model, setModel] = useState<monaco.editor.ITextModel>();
  const latest = useRef({ value, onChange });
  const edited = useMemo(
    (): EditedText => ({
      text: () => latest.current.value,
      bind(_, created) {
        const listening = created.onDidChangeContent(() => {
          const text = created.getValue();
          if (text !== latest.current.value) latest.current.onChange(text);
        });
        setModel(created);
        return () => {
          listening.dispose();
          setModel(undefined);
        };
      },
    }),
    [],
  );
  useEffect(() => {
    latest.current = { value, onChange };
    if (model && model.getValue() !== value) model.setValue(value);
  }, [model, value, onChange]);
  return <CodeEditor edited={edited} {...others} />;
}
