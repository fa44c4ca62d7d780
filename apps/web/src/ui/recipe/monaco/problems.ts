/** The problems that the agent finds, under their words, and what mends them. */
import type { RecipeCheck } from '@anneal/core/protocol/recipes';
import { removeValue, type TextEdit } from '@anneal/core/recipe/edit';
import type { ShownProblem } from '../../../i18n/problems.tsx';
import { monaco } from './features.ts';

type Problem = RecipeCheck['problems'][number];

const owner = 'recipe';
interface Mendable {
  problem: Problem;
  /** The text under the marker when it was checked. */
  wrong: string;
}

/** Of each model, what is wrong, by its marker. */
const mendable = new WeakMap<monaco.editor.ITextModel, Map<string, Mendable>>();

/** @param textOf how a problem is said to whoever reads the page */
export function showProblems(
  model: monaco.editor.ITextModel,
  problems: readonly Problem[],
  textOf: (problem: Problem) => ShownProblem,
): void {
  const markers: monaco.editor.IMarkerData[] = [];
  const known = new Map<string, Mendable>();
  for (const problem of problems) {
    const range = rangeOf(model, problem);
    if (!range) continue;
    const { what, next, said } = textOf(problem);
    const marker = { ...range, message: [what, next, said].filter(Boolean).join('\n') };
    markers.push({ ...marker, severity: monaco.MarkerSeverity.Error, code: problem.code });
    known.set(identity(marker), { problem, wrong: model.getValueInRange(range) });
  }
  mendable.set(model, known);
  monaco.editor.setModelMarkers(model, owner, markers);
}

/** Quick fixes for the markers of `showProblems`: what is likely meant, and what can be taken out. */
export function offerFixes(titles: { replace(fix: string): string; remove(key: string): string }): monaco.IDisposable {
  return monaco.languages.registerCodeActionProvider('yaml', {
    provideCodeActions(model, _, context) {
      const actions = context.markers.flatMap((marker) => {
        const known = mendable.get(model)?.get(identity(marker));
        // The text may have moved since it was checked.
        if (!known || model.getValueInRange(marker) !== known.wrong) return [];
        const { fix, removable = [] } = known.problem;
        const action = (title: string, textEdit: monaco.languages.TextEdit, isPreferred: boolean) => ({
          title,
          kind: 'quickfix',
          diagnostics: [marker],
          isPreferred,
          edit: { edits: [{ resource: model.uri, textEdit, versionId: model.getVersionId() }] },
        });
        const replacing =
          fix === undefined ? [] : [action(titles.replace(fix), { range: monaco.Range.lift(marker), text: fix }, true)];
        const removing = removable.flatMap((path) => {
          const edit = removeValue(model.getValue(), path);
          return edit
            ? [action(titles.remove(path.join('.')), editOf(model, edit), fix === undefined && removable.length === 1)]
            : [];
        });
        return [...replacing, ...removing];
      });
      return { actions, dispose() {} };
    },
  });
}

function editOf(model: monaco.editor.ITextModel, { at, remove, insert }: TextEdit): monaco.languages.TextEdit {
  const [start, end] = [model.getPositionAt(at), model.getPositionAt(at + remove)];
  return { range: monaco.Range.fromPositions(start, end), text: insert };
}

/** From the problem's beginning to its end in that line; where the check knows no end, to the end of the line. */
function rangeOf(model: monaco.editor.ITextModel, { line, column, endLine, endColumn }: Problem) {
  if (line === undefined || column === undefined) return undefined;
  const startLineNumber = Math.min(line, model.getLineCount());
  const last = model.getLineMaxColumn(startLineNumber);
  const isInLine = endLine === line && endColumn !== undefined && endColumn > column;
  const startColumn = Math.min(column, last);
  const end = Math.min(isInLine ? endColumn : last, last);
  return { startLineNumber, startColumn, endLineNumber: startLineNumber, endColumn: end };
}

function identity(marker: monaco.IRange & { message: string }): string {
  const { startLineNumber, startColumn, endLineNumber, endColumn, message } = marker;
  return [startLineNumber, startColumn, endLineNumber, endColumn, message].join(' ');
}
