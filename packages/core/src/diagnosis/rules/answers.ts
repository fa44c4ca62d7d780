/** What the model answered while it was trained. */
import type { RunFinding } from '../../protocol/diagnoses.ts';
import { sight } from '../../protocol/sights.ts';
import type { Evidence } from '../evidence.ts';

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
