import dynamic from 'next/dynamic';
import { createElement } from 'react';
import { editorPlace } from './editorPlace.ts';

/** Monaco takes its own words from where this puts them, while it is loaded. */
async function loadWords(): Promise<void> {
  if (document.documentElement.lang === 'zh-CN') await import('monaco-editor/nls/lang/zh-cn.js');
}

export const LiveEditor = dynamic(
  async () => {
    await loadWords();
    return import('./LiveEditor.tsx');
  },
  { ssr: false, loading: () => createElement('div', { className: editorPlace }) },
);

export const PlainEditor = dynamic(
  async () => {
    await loadWords();
    return import('./PlainEditor.tsx');
  },
  { ssr: false },
);
