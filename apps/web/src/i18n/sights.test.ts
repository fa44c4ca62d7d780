/** What a diagnosis saw has the same numbers and names in each language. */
import { type SightCode, type SightTexts, sightTexts } from '@anneal/core/protocol/sights';
import { expect, test } from 'vitest';
import { sights } from './zhCN/sights.ts';

type Values = { [Code in SightCode]: Parameters<SightTexts[Code]>[0] };

const values: Values = {
  not_finite: { step: 31 },
  loss_rose: { lowest: '1.25', last: '8.5' },
  rate_and_clipping: { rate: 0.02, norm: 7 },
  mean_loss: { first: '2.75', last: '2.5', steps: 106 },
  rate: { rate: 0.02 },
  unusual_rate: { rate: 0.02, usual: 0.0003, adapter: 'lora' },
  steps_in_all: { steps: 3, passes: '2', batch: 8 },
  mean_reward: { first: '0.25', last: '0.5', steps: 106 },
  equal_rewards: { share: '62 %' },
  held_out_loss: { step: 40, lowest: '1.5', last: '1.75' },
  passes: { best: '2.5', all: '8' },
  known_loss: { first: '2.5', last: '0.05', passes: '7' },
  held_out_rows_trained: { rows: 90, exact: 13, near: 4 },
  equal_rows: { equal: 130, rows: 900, share: '14 %' },
  near_rows: { pairs: 37, compared: 900 },
  dropped: { dropped: 70, rows: 900, reasons: 'too_long 70', kept: 830 },
  cut: { cut: 71, rows: 900, share: '7.9 %', length: 512, longest: 3333 },
  targets: { targets: 17, tokens: 9000, share: '0.2 %', perRow: '1.7' },
  without_end: { rows: 88, of: 90 },
  template: { template: 'chatml' },
  cut_answers: { share: '80 %', length: 256 },
  loops: { loops: 3, samples: 4, step: 200 },
  loop: { prompt: 'Who is there?', unit: 'ha ' },
};

test.each(Object.keys(values) as SightCode[])('%s', (code) => {
  const say = (texts: SightTexts) => (texts[code] as (seen: unknown) => string)(values[code]);
  const told = Object.entries(values[code]).filter(([name]) => name !== 'adapter');
  for (const text of [say(sightTexts), say(sights)])
    for (const [, value] of told) expect(text).toContain(String(value));
  expect(say(sights)).toMatch(/\p{Script=Han}/u);
});
