import { expect, it, vi } from 'vitest';
import { firstSteps, parsedWay, settleSoon, stepOfPage, stepsSettled } from './firstSteps.ts';

it('each step has a page, and other pages are none', () => {
  const pages = [stepOfPage('/data', null), stepOfPage('/recipes', null), stepOfPage('/run', null)];
  expect([...pages, stepOfPage('/chat', null), stepOfPage('/run', 'exports')]).toEqual([...firstSteps]);
  expect(stepOfPage('/', null)).toBeUndefined();
  expect(stepOfPage('/host', 'exports')).toBeUndefined();
});

it('what is kept is read again, and anything else is nothing', () => {
  expect([parsedWay('0'), parsedWay('5'), parsedWay('closed')]).toEqual([0, 5, 'closed']);
  for (const text of [null, '', '6', '-1', '1.5', '{}', 'open']) expect(parsedWay(text)).toBe('unknown');
});

it('a page waits for them for a second, and no longer', () => {
  vi.useFakeTimers();
  try {
    settleSoon()();
    settleSoon();
    vi.advanceTimersByTime(999);
    expect(stepsSettled.get()).toBe(false);
    vi.advanceTimersByTime(1);
    expect(stepsSettled.get()).toBe(true);
  } finally {
    vi.useRealTimers();
  }
});
