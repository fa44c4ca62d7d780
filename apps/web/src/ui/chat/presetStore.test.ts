import { expect, test } from 'vitest';
import { parsed, savedAs } from './presetStore.ts';
import { usualSettings } from './settings.ts';

test('a preset is found again whatever the seed is, and only as it was saved', () => {
  const settings = { ...usualSettings, system: 'Be short.', temperature: 0.7 };
  const presets = parsed(JSON.stringify([{ name: 'short', settings: { ...settings, seed: undefined } }]));
  expect(savedAs(presets, { ...settings, seed: 5 })).toBe('short');
  expect(savedAs(presets, { ...settings, seed: 5, temperature: 0.8 })).toBeUndefined();
});

test('tools are part of a preset; one that was saved before there were any has none', () => {
  const settings = { ...usualSettings, tools: '[{"name": "tide"}]' };
  const presets = parsed(
    JSON.stringify([
      { name: 'old', settings: { ...usualSettings, seed: undefined, tools: undefined } },
      { name: 'tide', settings: { ...settings, seed: undefined } },
    ]),
  );
  expect(savedAs(presets, settings)).toBe('tide');
  expect(savedAs(presets, usualSettings)).toBe('old');
  expect(parsed(JSON.stringify([{ name: 'odd', settings: { ...usualSettings, tools: 3 } }]))).toEqual([]);
});

test('what this browser holds otherwise is left out', () => {
  const whole = { name: 'a', settings: { system: '', maxTokens: 9 } };
  const found = [whole, null, 3, { name: 1 }, { name: 'b', settings: { system: '', maxTokens: 9, topP: 'high' } }];
  expect(parsed(JSON.stringify(found))).toEqual([whole]);
  for (const text of [null, '{', '{}', '"x"']) expect(parsed(text)).toEqual([]);
});
