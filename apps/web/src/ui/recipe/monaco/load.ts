import dynamic from 'next/dynamic';
import { createElement } from 'react';
import { fetchPart } from '../../../agent/fetchPart.ts';
import { editorPlace } from './editorPlace.ts';

/** Monaco takes its own words from where this puts them, while it is loaded. */
async function loadWords(): Promise<void> {
  if (document.documentElement.lang === 'zh-CN') await import('monaco-editor/nls/lang/zh-cn.js');
}

const fetchEditor = <T>(load: () => Promise<T>): Promise<T> =>
  fetchPart(async () => {
    await loadWords();
    return load();
  });

export const LiveEditor = dynamic(() => fetchEditor(() => import('./LiveEditor.tsx')), {
  ssr: false,
  loading: () => createElement('div', { className: editorPlace }),
});

export const PlainEditor = dynamic(() => fetchEditor(() => import('./PlainEditor.tsx')), { ssr: false });
