'use client';
import { Markdown, type MarkdownToJSX, RuleType, sanitizer } from 'markdown-to-jsx/react';
import { Fragment, type ReactNode } from 'react';
import { atSign, signWord, withoutSign } from './markWord.ts';
import { PartingWord } from './PartingWord.tsx';

/** An answer's Markdown. HTML in it is shown as it is written, and nothing is fetched: pictures are links. */
export function Formatted({ text, parting, isGoing }: { text: string; parting: number | null; isGoing: boolean }) {
  return (
    <div className={`formatted max-w-[76ch] [overflow-wrap:anywhere] ${isGoing ? 'going' : ''}`}>
      <Markdown options={options}>{parting === null ? text : signWord(text, parting)}</Markdown>
    </div>
  );
}

const options: MarkdownToJSX.Options = {
  disableFrontmatter: true,
  disableParsingRawHTML: true,
  forceBlock: true,
  forceWrapper: true,
  wrapper: Fragment,
  sanitizer: (value) => sanitizer(withoutSign(value)),
  renderRule: (next, node, _renderChildren, { key }) =>
    node.type === RuleType.text && atSign(node.text) ? <Marked key={key} text={node.text} /> : next(),
  overrides: {
    a: Link,
    img: ({ alt, src }: { alt?: string; src?: string }) => <Link href={src}>{alt || src}</Link>,
    code: ({ children }: { children?: ReactNode }) => (
      <code>{typeof children === 'string' ? <Marked text={children} /> : children}</code>
    ),
    // Wide ones scroll, by keys as well.
    pre: ({ children }: { children?: ReactNode }) => <pre tabIndex={0}>{children}</pre>,
    table: ({ children }: { children?: ReactNode }) => (
      <div className="overflow-x-auto" tabIndex={0}>
        <table>{children}</table>
      </div>
    ),
    ...Object.fromEntries(['h1', 'h2', 'h3', 'h4', 'h5', 'h6'].map((name) => [name, Heading])),
  },
};

function Marked({ text }: { text: string }) {
  const parts = atSign(text);
  if (!parts) return text;
  return (
    <>
      {parts.before}
      <PartingWord word={parts.word} />
      {parts.after}
    </>
  );
}

function Link({ href, children }: { href?: string | undefined; children?: ReactNode }) {
  return (
    <a href={href} target="_blank" rel="noreferrer noopener">
      {children}
    </a>
  );
}

/** Below the heading of the column, and without an address: several answers may have the same heading. */
function Heading({ children }: { children?: ReactNode }) {
  return <h4>{children}</h4>;
}
