'use client';
import { type Ref, useImperativeHandle, useRef } from 'react';

export interface CodeAreaHandle {
  /** Puts the cursor there; both count from 1. */
  goTo(line: number, column: number): void;
}

/** A text with numbered lines, of which some are marked. It grows with its text and scrolls with the page. */
export function CodeArea({
  ref,
  label,
  value,
  onChange,
  marked,
}: {
  ref: Ref<CodeAreaHandle>;
  label: string;
  value: string;
  onChange: (value: string) => void;
  marked: ReadonlySet<number>;
}) {
  const area = useRef<HTMLTextAreaElement>(null);
  const lines = value.split('\n');
  useImperativeHandle(ref, () => ({
    goTo(line, column) {
      const before = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
      area.current?.focus();
      area.current?.setSelectionRange(before + column - 1, before + column - 1);
    },
  }));
  return (
    <div className="relative flex font-mono text-[13px] leading-5">
      {[...marked].map((line) => (
        <div
          key={line}
          className="absolute inset-x-0 h-5 border-bad border-l-2 bg-bad-soft"
          style={{ top: `calc(var(--spacing) * ${3 + 5 * (line - 1)})` }}
          aria-hidden="true"
        />
      ))}
      <ol
        className="figures relative w-11 shrink-0 select-none py-3 pr-3 text-right text-[11.5px] text-muted"
        aria-hidden="true"
      >
        {lines.map((_, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a line is its number
          <li key={index} className={`h-5 ${marked.has(index + 1) ? 'font-semibold text-bad' : ''}`}>
            {index + 1}
          </li>
        ))}
      </ol>
      <textarea
        ref={area}
        aria-label={label}
        value={value}
        onChange={(event) => onChange(event.target.value.replaceAll('\r\n', '\n'))}
        spellCheck={false}
        autoCapitalize="off"
        autoCorrect="off"
        wrap="off"
        rows={Math.max(20, lines.length + 1)}
        className="relative grow resize-none overflow-x-auto overflow-y-hidden bg-transparent py-3 pr-4 leading-5 outline-none"
      />
    </div>
  );
}
