import { useEffect } from 'react';
import { isTyping } from '../../data/isTyping.ts';

interface StepKeys {
  /** The documents that are listed, and which of them is shown. */
  documents: readonly number[];
  at: number;
  onChoose: (document: number) => void;
  onClose: () => void;
}

/** J and K go through what is listed of a step, Escape closes it. */
export function useStepKeys({ documents, at, onChoose, onClose }: StepKeys): void {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isTyping(event.target)) return;
      const next = documents[{ j: at + 1, k: at - 1 }[event.key] ?? -1];
      if (event.key === 'Escape') onClose();
      else if (next !== undefined) onChoose(next);
      else return;
      event.preventDefault();
    };
    document.addEventListener('keydown', onKeyDown);
    return () => document.removeEventListener('keydown', onKeyDown);
  });
}
