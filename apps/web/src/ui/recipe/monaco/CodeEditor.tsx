'use client';
/** The text of a recipe in Monaco. Loaded on demand: it is larger than the rest of the studio. */
import type { RecipeCheck } from '@anneal/core/protocol/recipes';
import { useTheme } from 'next-themes';
import { useContext, useEffect, useRef, useState } from 'react';
import { useTranslations } from 'use-intl';
import { ProblemTextsContext, problemText } from '../../../i18n/problems.tsx';
import { type Defaults, showDefaults } from './defaults.ts';
import { editorPlace } from './editorPlace.ts';
import { monaco } from './features.ts';
import { knowRecipes, textOf } from './language.ts';
import { offerFixes, showProblems } from './problems.ts';
import { applyTheme } from './theme.ts';

/** A place in the text; both count from 1. */
export interface Place {
  line: number;
  column: number;
}

/** A text that is edited: what it is at first, and what is done while an editor shows it. */
export interface EditedText {
  text(): string;
  /** Returns what ends it. */
  bind(editor: monaco.editor.IStandaloneCodeEditor, model: monaco.editor.ITextModel): () => void;
}

/** What is above and below the editor on a screen; where the page has one column, the start of a run is to be in sight, too. */
const besideEditor = 250;
const besideInOneColumn = 500;
const leastInOneColumn = 340;

export default function CodeEditor({
  label,
  kind,
  schema,
  problems,
  edited,
  leastHeight = 420,
  isReadOnly,
  place,
  defaults,
}: {
  label: string;
  /** Of the recipe: there is one editor of a kind at a time. */
  kind: 'recipe' | 'synthesis';
  schema: object;
  problems: RecipeCheck['problems'];
  edited: EditedText;
  leastHeight?: number;
  isReadOnly: boolean;
  /** Where the cursor is put, once for each object. */
  place: Place | undefined;
  /** Shown in gray where the keys would stand; undefined for none. */
  defaults: Defaults | undefined;
}) {
  const t = useTranslations('recipes');
  const problemTexts = useContext(ProblemTextsContext);
  const container = useRef<HTMLDivElement>(null);
  const [editor, setEditor] = useState<monaco.editor.IStandaloneCodeEditor>();
  const isDark = useTheme().resolvedTheme === 'dark';

  useEffect(() => knowRecipes(kind, schema), [kind, schema]);
  useEffect(() => applyTheme(isDark), [isDark]);
  useEffect(() => {
    const element = container.current;
    if (!element) return;
    const model = monaco.editor.createModel(edited.text(), 'yaml', textOf(kind));
    model.setEOL(monaco.editor.EndOfLineSequence.LF);
    const created = monaco.editor.create(element, {
      model,
      ...options,
      fontFamily: getComputedStyle(element).fontFamily,
    });
    const end = edited.bind(created, model);
    const grow = () => {
      // A text that others share comes a moment later: until then the room is kept.
      if (kind === 'recipe' && model.getValueLength() === 0) return;
      element.style.minHeight = '0';
      element.style.height = `${heightFor(created.getContentHeight(), leastHeight)}px`;
    };
    created.onDidContentSizeChange(grow);
    grow();
    void document.fonts.ready.then(() => monaco.editor.remeasureFonts());
    setEditor(created);
    return () => {
      end();
      created.dispose();
      model.dispose();
    };
  }, [edited, kind, leastHeight]);
  useEffect(() => editor?.updateOptions({ readOnly: isReadOnly }), [editor, isReadOnly]);
  useEffect(() => editor?.updateOptions({ ariaLabel: label }), [editor, label]);
  useEffect(() => {
    const model = editor?.getModel();
    if (model) showProblems(model, problems, (problem) => problemText(problem, problemTexts));
  }, [editor, problems, problemTexts]);
  useEffect(() => {
    const offered = offerFixes({ replace: (fix) => t('replaceBy', { fix }), remove: (key) => t('removeKey', { key }) });
    return () => offered.dispose();
  }, [t]);
  useEffect(() => {
    const model = editor?.getModel();
    if (!model || !defaults) return;
    const shown = showDefaults(model, defaults);
    return () => shown.dispose();
  }, [editor, defaults]);
  useEffect(() => {
    if (!editor || !place) return;
    const position = { lineNumber: place.line, column: place.column };
    editor.setPosition(position);
    editor.revealPositionInCenterIfOutsideViewport(position);
    editor.focus();
  }, [editor, place]);
  return <div ref={container} className={`font-mono ${kind === 'recipe' ? editorPlace : ''}`} />;
}

function heightFor(contentHeight: number, leastHeight: number): number {
  const isOneColumn = matchMedia('(width < 64rem)').matches;
  const least = isOneColumn ? Math.min(leastHeight, leastInOneColumn) : leastHeight;
  const room = window.innerHeight - (isOneColumn ? besideInOneColumn : besideEditor);
  return Math.min(Math.max(least, room), Math.max(least, contentHeight));
}

const options: monaco.editor.IStandaloneEditorConstructionOptions = {
  automaticLayout: true,
  fontSize: 13,
  lineHeight: 20,
  padding: { top: 12, bottom: 12 },
  lineNumbersMinChars: 3,
  lineDecorationsWidth: 12,
  minimap: { enabled: false },
  overviewRulerBorder: false,
  overviewRulerLanes: 1,
  scrollBeyondLastLine: false,
  // At its end the page goes on scrolling.
  scrollbar: { alwaysConsumeMouseWheel: false, verticalScrollbarSize: 10, horizontalScrollbarSize: 10 },
  tabSize: 2,
  insertSpaces: true,
  detectIndentation: false,
  fixedOverflowWidgets: true,
  renderLineHighlight: 'line',
  renderLineHighlightOnlyWhenFocus: true,
  wordWrap: 'on',
  wrappingIndent: 'indent',
  quickSuggestions: { other: true, comments: false, strings: true },
  suggestOnTriggerCharacters: true,
  wordBasedSuggestions: 'off',
  // All of a line's hints, however long; the text wraps.
  inlayHints: { maximumLength: 0 },
  stickyScroll: { enabled: false },
  renderFinalNewline: 'on',
  unusualLineTerminators: 'off',
  // Its menus take the colors of the page.
  useShadowDOM: false,
};
