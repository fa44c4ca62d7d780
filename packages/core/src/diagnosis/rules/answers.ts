/** What the model answered while it was trained. */
import type { RunFinding } from '../../protocol/diagnoses.ts';
import { sight } from '../../protocol/sights.ts';
import { fewestSteps, lastTenth, levelOf } from '../curves.ts';
import { type Evidence, percent } from '../evidence.ts';

/** Of `rl: grpo`: most of the last answers have no end of their own, and were judged without it. */
export function answersCut({ steps, recipe: { trl, sequence_len: whole } }: Evidence): RunFinding | undefined {
  const shares = steps.cutShares();
  if (!trl || shares.length < fewestSteps) return undefined;
  const { mean } = levelOf(lastTenth(shares));
  if (mean <= 1 / 2) return undefined;
  const { max_completion_length: length } = trl;
  return {
    code: 'answers_cut',
    what: 'most answers are cut before they end: rewards judge beginnings, and nothing teaches the model to stop',
    evidence: [sight('cut_answers', { share: percent(mean), length })],
    next: 'give answers more room, reward short ones, or leave cut ones out of the loss with trl.mask_truncated_completions: true',
    // Prompts have as much room as before.
    set: { 'trl.max_completion_length': 2 * length, sequence_len: whole + length },
  };
}

/** Many of the newest sample answers end in a loop. */
export function answersLoop({ samples }: Evidence): RunFinding | undefined {
  const loops = samples.flatMap(({ prompt, text }) => {
    const unit = loopAtEnd(text);
    return unit === undefined ? [] : [{ prompt, unit }];
  });
  if (loops.length === 0 || loops.length / samples.length < 1 / 3) return undefined;
  const [{ prompt, unit }] = loops as [(typeof loops)[0]];
  return {
    code: 'answers_loop',
    what: 'answers end in a loop: the model says the same again and again',
    evidence: [
      sight('loops', { loops: loops.length, samples: samples.length, step: (samples[0] as (typeof samples)[0]).step }),
      sight('loop', { prompt: excerpt(prompt), unit: excerpt(unit) }),
    ],
    next: 'look whether rows repeat themselves, whether their end is trained, and whether the model was trained for too long: an earlier checkpoint may be better',
    set: {},
  };
}

/** At least so often, and over at least so many characters. */
const turns = 3;
const characters = 60;

/** What a text repeats at its end; undefined where it does not. */
export function loopAtEnd(text: string): string | undefined {
  const end = text.trimEnd();
  for (let period = 1; period <= end.length / turns; period++) {
    let same = 0;
    while (same < end.length - period && end[end.length - 1 - same] === end[end.length - 1 - same - period]) same++;
    const whole = same + period;
    if (whole >= turns * period && whole >= characters) return end.slice(-period);
  }
  return undefined;
}

function excerpt(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > 60 ? `${line.slice(0, 60).toWellFormed()}…` : line;
}
