/** What the curve of the loss, or of the reward, says. */
import type { RunFinding } from '../../protocol/diagnoses.ts';
import { type Sight, sight } from '../../protocol/sights.ts';
import { usualLearningRate } from '../../recipe/resolveOptimization.ts';
import { farAbove, fewestSteps, firstTenth, isBeyondNoise, type Level, lastTenth, levelOf } from '../curves.ts';
import { type Evidence, rounded } from '../evidence.ts';

/** The loss ends far above where it has been, or is no number any more. */
export function diverged({ steps, recipe }: Evidence): RunFinding | undefined {
  const broken = steps.firstNotFinite;
  const losses = steps.losses();
  const evidence: Sight[] = [];
  if (broken !== undefined) evidence.push(sight('not_finite', { step: broken }));
  if (losses.length >= fewestSteps && !recipe.trl) {
    const [lowest, last] = [lowestLevel(losses), levelOf(lastTenth(losses))];
    if (last.mean > farAbove * lowest.mean && isBeyondNoise(lowest, last)) {
      evidence.push(sight('loss_rose', { lowest: rounded(lowest.mean), last: rounded(last.mean) }));
    }
  }
  if (evidence.length === 0) return undefined;
  const rate = recipe.learning_rate / 4;
  return {
    code: 'diverged',
    what: 'training became unstable: the weights left the region where the model was good',
    evidence: [...evidence, sight('rate_and_clipping', { rate: recipe.learning_rate, norm: recipe.max_grad_norm })],
    next: 'take a quarter of the learning rate, and clip gradients; `anneal runs batch` shows which rows a step had',
    set: { learning_rate: rate, ...(recipe.max_grad_norm !== 1 && { max_grad_norm: 1 }), ...longerWarmup(recipe) },
  };
}

/** Imitation and preferences alike: what is trained on is not learned. */
export function lossDoesNotFall(evidence: Evidence): RunFinding | undefined {
  const { steps, recipe } = evidence;
  const losses = steps.losses();
  if (recipe.trl || losses.length < fewestSteps) return undefined;
  const [first, last] = [levelOf(firstTenth(losses)), levelOf(lastTenth(losses))];
  const fell = first.mean - last.mean > 0.03 * first.mean && isBeyondNoise(first, last);
  if (fell || heldOutFell(evidence)) return undefined;
  const rate = rateOf(recipe);
  return {
    code: 'loss_does_not_fall',
    what: 'the model does not learn from these rows',
    evidence: [
      sight('mean_loss', { first: rounded(first.mean), last: rounded(last.mean), steps: steps.lastStep }),
      rate.advice
        ? sight('unusual_rate', { rate: recipe.learning_rate, usual: rate.usual, adapter: recipe.adapter ?? '' })
        : sight('rate', { rate: recipe.learning_rate }),
    ],
    next:
      rate.advice ||
      'look at what is trained with `anneal inspect`: whether answers belong to their prompts, and whether the model knows them already',
    set: rate.advice ? { learning_rate: rate.usual } : {},
  };
}

/** Measured over the same rows each time, the loss of these says what noise hides in that of steps. */
function heldOutFell({ evaluations }: Evidence): boolean {
  const losses = evaluations.flatMap(({ loss }) => loss ?? []);
  const [first, last] = [losses[0], losses.at(-1)];
  return losses.length > 1 && (last as number) < 0.97 * (first as number);
}

/** All passes over the data are over before anything can be learned of it. */
export function tooFewSteps({ steps, recipe }: Evidence): RunFinding | undefined {
  const losses = steps.losses();
  const [first, last] = [losses[0], losses.at(-1)];
  const { max_steps, num_epochs: passes } = recipe;
  if (recipe.trl || max_steps !== null || passes === null || first === undefined || last === undefined)
    return undefined;
  const planned = Math.max(1, Math.round((steps.lastStep / steps.epochs()) * passes));
  if (planned >= fewestSteps || last < 0.7 * first) return undefined;
  const batch = recipe.micro_batch_size * recipe.gradient_accumulation_steps;
  return {
    code: 'too_few_steps',
    what: 'the run is over before the model can learn: too few rows, or too few updates by them',
    evidence: [sight('steps_in_all', { steps: planned, passes: rounded(passes), batch })],
    next: 'train on more rows, with fewer of them a step, or for more epochs',
    set: moreSteps(recipe, passes, Math.ceil((2 * fewestSteps) / planned)),
  };
}

/** So many times as many, by fewer rows a step; by more epochs where there are no fewer. */
function moreSteps(recipe: Evidence['recipe'], passes: number, times: number): RunFinding['set'] {
  const { micro_batch_size: micro, gradient_accumulation_steps: accumulated } = recipe;
  const fewest = recipe.rl === 'kto' ? 2 : 1; // it compares the rows of a step
  if (micro * accumulated <= fewest) return { num_epochs: passes * times };
  const rows = Math.max(fewest, Math.floor((micro * accumulated) / times));
  const fewer = Math.min(micro, rows);
  return { micro_batch_size: fewer, gradient_accumulation_steps: Math.max(1, Math.floor(rows / fewer)) };
}

/** Far from what is usual; small models bear ten times as much. */
function rateOf(recipe: Evidence['recipe']): { usual: number; advice: string } {
  const { learning_rate: rate } = recipe;
  const usual = usualLearningRate(recipe);
  if (rate < usual / 4) return { usual, advice: 'raise the learning rate to what is usual' };
  return { usual, advice: rate > 20 * usual ? 'lower the learning rate to what is usual' : '' };
}

/** Of `rl: grpo`. */
export function rewardDoesNotRise({ steps, recipe }: Evidence): RunFinding | undefined {
  const rewards = steps.rewards();
  if (!recipe.trl || rewards.length < fewestSteps) return undefined;
  const [first, last] = [levelOf(firstTenth(rewards)), levelOf(lastTenth(rewards))];
  if (last.mean > first.mean && isBeyondNoise(first, last)) return undefined;
  const equal = levelOf(steps.equalShares()).mean;
  return {
    code: 'reward_does_not_rise',
    what: 'the rewards of the answers do not rise',
    evidence: [
      sight('mean_reward', { first: rounded(first.mean), last: rounded(last.mean), steps: steps.lastStep }),
      sight('equal_rewards', { share: `${rounded(100 * equal)} %` }),
    ],
    next:
      equal > 0.5
        ? 'sample more answers to a prompt, choose prompts that the model answers now and then, or reward a part of the way; where this is the best reward there is, nothing is left to learn'
        : 'raise the learning rate, or train for more steps; `anneal runs answers` shows what was rewarded',
    set: equal > 0.5 ? twiceTheAnswers(recipe.trl, recipe) : {},
  };
}

/** As many prompts a step as before. */
function twiceTheAnswers(
  { num_generations: answers }: NonNullable<Evidence['recipe']['trl']>,
  { gradient_accumulation_steps: accumulated }: Evidence['recipe'],
) {
  return { 'trl.num_generations': 2 * answers, gradient_accumulation_steps: 2 * accumulated };
}

/** Of all runs of values as long as a tenth; in one pass, for there may be a million steps. */
function lowestLevel(values: readonly number[]): Level {
  const { length } = lastTenth(values);
  let sum = values.slice(0, length).reduce((total, value) => total + value, 0);
  let lowest = { sum, first: 0 };
  for (let first = 1; first + length <= values.length; first++) {
    sum += (values[first + length - 1] as number) - (values[first - 1] as number);
    if (sum < lowest.sum) lowest = { sum, first };
  }
  return levelOf(values.slice(lowest.first, lowest.first + length));
}

function longerWarmup({ warmup_ratio: ratio, warmup_steps: steps }: Evidence['recipe']) {
  return steps === null && (ratio ?? 0) < 0.05 ? { warmup_ratio: 0.05 } : {};
}
