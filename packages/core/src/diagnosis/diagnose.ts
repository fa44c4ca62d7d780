import { RUN_FINDINGS, type RunFinding, type RunFindingCode } from '../protocol/diagnoses.ts';
import type { Evidence } from './evidence.ts';
import { answersCut, answersLoop } from './rules/answers.ts';
import { diverged, lossDoesNotFall, rewardDoesNotRise, tooFewSteps } from './rules/curve.ts';
import { duplicates, knownByHeart, leakage, overfitted } from './rules/fitting.ts';
import { endNotLearned, foreignTemplate, nearlyAllMasked, rowsCut, rowsDropped } from './rules/rows.ts';

type Rule = (evidence: Evidence) => RunFinding | undefined;

const rules: Record<RunFindingCode, Rule> = {
  diverged,
  loss_does_not_fall: lossDoesNotFall,
  too_few_steps: tooFewSteps,
  reward_does_not_rise: rewardDoesNotRise,
  overfitted,
  known_by_heart: knownByHeart,
  leakage,
  rows_dropped: rowsDropped,
  rows_cut: rowsCut,
  nearly_all_masked: nearlyAllMasked,
  end_not_learned: endNotLearned,
  foreign_template: foreignTemplate,
  duplicates,
  answers_cut: answersCut,
  answers_loop: answersLoop,
};

/** What follows from one of these others says nothing of its own. */
const follows: Partial<Record<RunFindingCode, readonly RunFindingCode[]>> = {
  loss_does_not_fall: ['diverged'],
  too_few_steps: ['diverged', 'rows_dropped'],
  overfitted: ['diverged', 'loss_does_not_fall'],
};

/** What looks wrong, the worst first; nothing where a run is healthy. */
export function diagnose(evidence: Evidence): RunFinding[] {
  const findings = RUN_FINDINGS.flatMap((code) => rules[code](evidence) ?? []);
  const codes = new Set(findings.map(({ code }) => code));
  return findings.filter(({ code }) => !follows[code]?.some((cause) => codes.has(cause)));
}
