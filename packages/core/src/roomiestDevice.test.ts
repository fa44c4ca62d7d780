import { expect, test } from 'vitest';
import { parseFreeMemory, withMostRoom } from './roomiestDevice.ts';

const gpus = [{ busId: '00000000:41:00.0' }, { busId: '00000000:81:00.0' }, { busId: '00000000:C1:00.0' }] as const;

test('what may be anywhere goes where most memory is free, not to the first GPU', () => {
  const free = parseFreeMemory('00000000:41:00.0, 1024\n00000000:81:00.0, 80000\n00000000:C1:00.0, [N/A]\n\n');
  expect(withMostRoom(gpus, free)).toBe(gpus[1]);
});

test('of those with the same, and where nobody tells, to the first', () => {
  expect(withMostRoom(gpus, parseFreeMemory('No devices were found\n'))).toBe(gpus[0]);
  const same = parseFreeMemory('00000000:C1:00.0, 80000\n00000000:81:00.0, 80000\n');
  expect(withMostRoom(gpus, same)).toBe(gpus[1]);
});
