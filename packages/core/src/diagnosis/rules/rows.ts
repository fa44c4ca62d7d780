/** What became of the rows before anything was trained. */
import type { RunFinding } from '../../protocol/diagnoses.ts';
import { sight } from '../../protocol/sights.ts';
import { type Evidence, percent, rounded } from '../evidence.ts';

/** From this share of the rows on something is wrong with the data or the recipe, not with a row. */
const manyRows = 0.05;

export function rowsDropped({ data }: Evidence): RunFinding | undefined {
  if (!data) return undefined;
  const { rows, dropped, droppedBy, kept } = data.summary;
  const reasons = Object.entries(droppedBy).filter(([reason]) => reason !== 'duplicate');
  const wanted = reasons.reduce((sum, [, count]) => sum + count, 0);
  if (wanted / rows < manyRows) return undefined;
  const counts = reasons.toSorted(([, a], [, b]) => b - a).map(([reason, count]) => `${reason} ${count}`);
  return {
    code: 'rows_dropped',
    what: 'many rows were not trained at all',
    evidence: [sight('dropped', { dropped, rows, reasons: counts.join(', '), kept })],
    next: 'read why in data/dropped.jsonl of the run, or with `anneal inspect`',
    set: longerSequences(droppedBy.too_long ?? 0, data.summary.longest),
  };
}

export function rowsCut({ data, recipe }: Evidence): RunFinding | undefined {
  if (!data) return undefined;
  const { rows, truncated, longest } = data.summary;
  if (truncated / rows < manyRows) return undefined;
  return {
    code: 'rows_cut',
    what: 'many answers were cut: the model learns to stop in the middle, or never to stop',
    evidence: [
      sight('cut', { cut: truncated, rows, share: percent(truncated / rows), length: recipe.sequence_len, longest }),
    ],
    next: 'make sequence_len longer, or drop rows that are too long: excess_length_strategy: drop',
    set: longerSequences(truncated, longest),
  };
}

/** The loss counts next to nothing of what is read. */
export function nearlyAllMasked({ data, recipe }: Evidence): RunFinding | undefined {
  if (!data || recipe.trl || data.summary.tokens === 0) return undefined;
  const { tokens, targetTokens } = data.summary;
  const share = targetTokens / tokens;
  if (share > 0.02) return undefined;
  return {
    code: 'nearly_all_masked',
    what: 'nearly nothing of the rows is trained',
    evidence: [
      sight('targets', {
        targets: targetTokens,
        tokens,
        share: percent(share),
        perRow: rounded(targetTokens / data.summary.trainDocuments),
      }),
    ],
    next: 'look at the colors of `anneal inspect`: whether the roles to train, and the columns of prompt and answer, are the right ones',
    set: {},
  };
}

/** Answers that never end in training never end in chat. */
export function endNotLearned({ endings, recipe }: Evidence): RunFinding | undefined {
  if (!endings || recipe.trl || endings.documents === 0) return undefined;
  const missing = endings.documents - endings.ended;
  if (missing / endings.documents < 0.5) return undefined;
  return {
    code: 'end_not_learned',
    what: 'the model does not learn to end its answers: the token at which it stops is not trained',
    evidence: [sight('without_end', { rows: missing, of: endings.documents })],
    next: 'train the end of each turn, and use a template that ends answers as the model does',
    set: recipe.datasets.every(({ train_on_eos: end }) => end === 'none')
      ? Object.fromEntries(recipe.datasets.map((_, i) => [`datasets.${i}.train_on_eos`, 'turn']))
      : {},
  };
}

/** The model was made with other marks around its turns. */
export function foreignTemplate({ template, recipe }: Evidence): RunFinding | undefined {
  if (!template?.hasOwn || template.isOwn) return undefined;
  return {
    code: 'foreign_template',
    what: 'the chat template is not the one that the model was made with: it has to learn other marks for its turns first',
    evidence: [sight('template', { template: String(recipe.chat_template) })],
    next: "leave chat_template out, so that the model's own is used",
    set: { chat_template: null },
  };
}

/** The least power of two that holds the longest row, where rows were too long. */
function longerSequences(rows: number, longest: number): Record<string, number> {
  return rows === 0 || longest === 0 ? {} : { sequence_len: 2 ** Math.ceil(Math.log2(longest)) };
}
