import { Fragment, type ReactNode } from 'react';

/** A text in which `code` is set as such. @param plain what becomes of the parts between */
export function CodeText({ text, plain = (part) => part }: { text: string; plain?: (part: string) => ReactNode }) {
  return text.split('`').map((part, at) => {
    const key = `${at} ${part}`;
    return at % 2 === 1 ? (
      <code key={key} className="font-mono text-[0.95em]">
        {part}
      </code>
    ) : (
      <Fragment key={key}>{plain(part)}</Fragment>
    );
  });
}
