'use client';
/** The text of a recipe in Monaco. Loaded on demand: it is larger than the rest of the studio. */
import type { RecipeCheck } from '@anneal/core/protocol/recipes';
import { useTheme } from 'next-themes';
import { type Ref, useEffect, useImperativeHandle, useRef, useState } from 'react';
import { useTranslations } from 'use-intl';
import type { LiveRecipe } from '../live/liveRecipe.ts';
import { monaco } from './features.ts';
import { knowRecipes } from './language.ts';
import { offerFixes, showProblems } from './problems.ts';
import { share } from './sharing.ts';
import { applyTheme } from './theme.ts';

export interface CodeEditorHandle {
  /** Puts the cursor there; both count from 1. */
  goTo(line: number, column: number): void;
}

/** What is above and below the editor on a screen. */
const besideEditor = 250;
const leastHeight = 420;

export default function CodeEditor({
  ref,
  label,
  schema,
  problems,
  live,
  isReadOnly,
}: {
  ref: Ref<CodeEditorHandle>;
  label: string;
  schema: object;
  problems: RecipeCheck['problems'];
  /** Open, so that its text is there. */
  live: LiveRecipe;
  isReadOnly: boolean;
}) {
  const t = useTranslations('recipes');
  const container = useRef<HTMLDivElement>(null);
  const [editor, setEditor] = useState<monaco.editor.IStandaloneCodeEditor>();
  const isDark = useTheme().resolvedTheme === 'dark';

  useEffect(() => knowRecipes(schema), [schema]);
  useEffect(() => applyTheme(isDark), [isDark]);
  useEffect(() => {
    const element = container.current;
    if (!element) return;
    const model = monaco.editor.createModel(live.text.toString(), 'yaml', monaco.Uri.parse('file:///recipe.yaml'));
    model.setEOL(monaco.editor.EndOfLineSequence.LF);
    const created = monaco.editor.create(element, {
      model,
      ...options,
      fontFamily: getComputedStyle(element).fontFamily,
    });
    const end = share(created, model, live);
    const grow = () => {
      const most = Math.max(leastHeight, window.innerHeight - besideEditor);
      element.style.height = `${Math.min(most, Math.max(leastHeight, created.getContentHeight()))}px`;
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
  }, [live]);
  useEffect(() => editor?.updateOptions({ readOnly: isReadOnly }), [editor, isReadOnly]);
  useEffect(() => editor?.updateOptions({ ariaLabel: label }), [editor, label]);
  useEffect(() => {
    const model = editor?.getModel();
    if (model) showProblems(model, problems);
  }, [editor, problems]);
  useEffect(() => {
    const offered = offerFixes((fix) => t('replaceBy', { fix }));
    return () => offered.dispose();
  }, [t]);
  useImperativeHandle(ref, () => ({
    goTo(lineNumber, column) {
      editor?.setPosition({ lineNumber, column });
      editor?.revealPositionInCenterIfOutsideViewport({ lineNumber, column });
      editor?.focus();
    },
  }));
  return <div ref={container} className="font-mono" />;
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
  stickyScroll: { enabled: false },
  renderFinalNewline: 'on',
  unusualLineTerminators: 'off',
  // Its menus take the colors of the page.
  useShadowDOM: false,
};
