/** Whether the model learned the rows, or what they have in common. */
import type { RunFinding } from '../../protocol/diagnoses.ts';
import { sight } from '../../protocol/sights.ts';
import { firstTenth, knownLoss, lastTenth, levelOf } from '../curves.ts';
import { type Evidence, percent, rounded } from '../evidence.ts';
import { rowsCut } from './rows.ts';

/** The loss of held-out rows rises again while that of the trained ones falls. */
export function overfitted(evidence: Evidence): RunFinding | undefined {
  const { evaluations, steps, recipe } = evidence;
  const measured = evaluations.flatMap(({ step, loss }) => (loss === null ? [] : [{ step, loss }]));
  const best = measured.reduce(
    (least, each) => (each.loss < least.loss ? each : least),
    measured[0] as (typeof measured)[0],
  );
  const last = measured.at(-1);
  if (!last || recipe.load_best_model_at_end) return undefined;
  const after = measured.length - 1 - measured.indexOf(best);
  if (after < 2 || last.loss < 1.03 * best.loss) return undefined;
  return {
    code: 'overfitted',
    what: 'the model learned the rows by heart: on held-out rows it got worse again',
    evidence: [
      sight('held_out_loss', { step: best.step, lowest: rounded(best.loss), last: rounded(last.loss) }),
      sight('passes', { best: rounded(steps.epochs(best.step)), all: rounded(steps.epochs()) }),
    ],
    next: 'keep the best checkpoint, and train for fewer epochs; what the model could do before stays better where general rows are mixed in (percent of a data set)',
    set: { load_best_model_at_end: true, early_stopping_patience: 2 },
  };
}

/** Nothing was held out that could show it. */
export function knownByHeart(evidence: Evidence): RunFinding | undefined {
  const { evaluations, steps, recipe } = evidence;
  const losses = steps.losses();
  const epochs = steps.epochs();
  if (evaluations.length > 0 || recipe.rl !== null || losses.length < 10 || epochs < 2) return undefined;
  const [first, last] = [levelOf(firstTenth(losses)), levelOf(lastTenth(losses))];
  if (last.mean > knownLoss || last.mean > first.mean / 3) return undefined;
  return {
    code: 'known_by_heart',
    what: 'the rows are nearly known by heart, and no rows were held out that would show what else the model can do',
    evidence: [sight('known_loss', { first: rounded(first.mean), last: rounded(last.mean), passes: rounded(epochs) })],
    next: 'hold some rows out, and train for fewer epochs, or on more rows',
    set: { val_set_size: 0.05, load_best_model_at_end: true },
  };
}

/** What is measured was trained. Of rows that are cut the beginnings are left, which are alike. */
export function leakage(evidence: Evidence): RunFinding | undefined {
  const { data, recipe } = evidence;
  const { exact = 0, near: found = 0 } = data?.leakage ?? {};
  const near = rowsCut(evidence) ? 0 : found;
  const held = data?.summary.validationDocuments ?? 0;
  if (held === 0 || (exact + near) / held < 0.01) return undefined;
  return {
    code: 'leakage',
    what: 'held-out rows stand among the trained ones: their loss says less than it seems',
    evidence: [sight('held_out_rows_trained', { rows: held, exact, near })],
    next: 'take rows that are equal once, and hold out rows of another source; `anneal inspect` lists those that are alike',
    set: exact > 0 ? apart(exact / held, recipe) : {},
  };
}

/** Equal rows are taken once where they stand first, among the trained ones: few would be left of a set of its own that is mostly these. */
const apart = (share: number, recipe: Evidence['recipe']): RunFinding['set'] =>
  share > 0.5 && recipe.test_datasets !== null
    ? { test_datasets: null, val_set_size: 0.05 }
    : { dataset_exact_deduplication: true };

export function duplicates(evidence: Evidence): RunFinding | undefined {
  const { data, recipe } = evidence;
  if (!data) return undefined;
  const { rows, duplicates: found } = data.summary;
  // Of these a held-out row that is trained, too, is told of as leakage.
  const equal = Math.max(0, found - data.leakage.exact);
  const { compared, pairs } = data.nearDuplicates;
  const isEqual = equal / rows >= 0.1 && !recipe.dataset_exact_deduplication;
  const isAlike = pairs / Math.max(1, compared) >= 0.25 && !rowsCut(evidence);
  if (!isEqual && !isAlike) return undefined;
  return {
    code: 'duplicates',
    what: 'many rows say the same: the model sees them more often than the number of epochs says',
    evidence: [
      sight('equal_rows', { equal, rows, share: percent(equal / rows) }),
      ...(pairs > 0 ? [sight('near_rows', { pairs, compared })] : []),
    ],
    next: isEqual ? 'take equal rows once' : 'take one of each pair that `anneal inspect` lists',
    set: isEqual ? { dataset_exact_deduplication: true } : {},
  };
}
