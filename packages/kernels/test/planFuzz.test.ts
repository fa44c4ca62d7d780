import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const child = fileURLToPath(new URL('./planFuzz.ts', import.meta.url));

/** In a process of its own, as what is looked for would take the process with it. */
async function fuzz(kind: string, count: number): Promise<{ refused: number; accepted: number }> {
  const { stdout } = await promisify(execFile)(process.execPath, [child, kind, String(count)]);
  return JSON.parse(stdout) as { refused: number; accepted: number };
}

test('an undamaged plan runs', async () => {
  expect(await fuzz('none', 1)).toEqual({ refused: 0, accepted: 1 });
});

test('flipped bits and cut ends are refused', async () => {
  expect(await fuzz('flip', 3000)).toEqual({ refused: 3000, accepted: 0 });
  expect(await fuzz('cut', 1000)).toEqual({ refused: 1000, accepted: 0 });
});

test('nonsense with a right checksum is refused or stays inside the arena', async () => {
  const { refused, accepted } = await fuzz('seal', 1000);
  expect(refused).toBeGreaterThan(100);
  expect(accepted).toBeGreaterThan(100); // names, attributes and offsets that are others but not outside
  const cut = await fuzz('cut and seal', 1000);
  expect(cut).toEqual({ refused: 1000, accepted: 0 });
});
