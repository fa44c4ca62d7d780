/** The problems that the agent finds, under their words, and what mends them. */
import type { RecipeCheck } from '@anneal/core/protocol/recipes';
import { monaco } from './features.ts';

type Problem = RecipeCheck['problems'][number];

const owner = 'recipe';
/** Of each model, the problems that can be mended, and the text that is put right, by their markers. */
const mendable = new WeakMap<monaco.editor.ITextModel, Map<string, { fix: string; wrong: string }>>();

export function showProblems(model: monaco.editor.ITextModel, problems: readonly Problem[]): void {
  const markers: monaco.editor.IMarkerData[] = [];
  const fixes = new Map<string, { fix: string; wrong: string }>();
  for (const problem of problems) {
    const range = rangeOf(model, problem);
    if (!range) continue;
    const { what, next, code, fix } = problem;
    const marker = { ...range, message: next === '' ? what : `${what}\n${next}` };
    markers.push({ ...marker, severity: monaco.MarkerSeverity.Error, code });
    if (fix !== undefined) fixes.set(identity(marker), { fix, wrong: model.getValueInRange(range) });
  }
  mendable.set(model, fixes);
  monaco.editor.setModelMarkers(model, owner, markers);
}

/** Quick fixes for the markers of `showProblems`. @param title how a fix is offered */
export function offerFixes(title: (fix: string) => string): monaco.IDisposable {
  return monaco.languages.registerCodeActionProvider('yaml', {
    provideCodeActions(model, _, context) {
      const actions = context.markers.flatMap((marker) => {
        const known = mendable.get(model)?.get(identity(marker));
        // The text may have moved since it was checked.
        if (!known || model.getValueInRange(marker) !== known.wrong) return [];
        const textEdit = { range: monaco.Range.lift(marker), text: known.fix };
        return {
          title: title(known.fix),
          kind: 'quickfix',
          diagnostics: [marker],
          isPreferred: true,
          edit: { edits: [{ resource: model.uri, textEdit, versionId: model.getVersionId() }] },
        };
      });
      return { actions, dispose() {} };
    },
  });
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
