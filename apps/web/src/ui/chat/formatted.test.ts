import { createElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { expect, it } from 'vitest';
import { Formatted } from './Formatted.tsx';

const shown = (text: string) => renderToStaticMarkup(createElement(Formatted, { text, parting: null, isGoing: false }));

it('is Markdown', () => {
  const html = shown('# Plan\n\n- **one**\n- `two`\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```js\nlet x = 1;\n```');
  for (const part of ['<h4>Plan</h4>', '<strong>one</strong>', '<code>two</code>', '<td>1</td>', 'let x = 1;'])
    expect(html).toContain(part);
});

it('shows HTML as it is written, and fetches nothing', () => {
  const html = shown(
    '<script>alert(1)</script>\n\n<img src=x onerror=alert(1)>\n\n![cat](https://example.com/cat.png)',
  );
  expect(html).not.toMatch(/<(script|img)/);
  expect(html).toContain('&lt;script&gt;');
  expect(html).toContain('href="https://example.com/cat.png"');
});

it('makes no link that runs something', () => {
  const html = shown('[a](javascript:alert(1)) [b](data:text/html;base64,PHNjcmlwdD4=) [c](https://example.com)');
  expect(html).not.toMatch(/href="(javascript|data):/);
  expect(html).toContain('href="https://example.com"');
});
