import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Quantity } from '@anneal/core/verify/quantity';
import { expect, test } from 'vitest';
import { goldenPath } from '../../../packages/core/test/fixtures.ts';
import { type TensorPlace, tensorsOf } from '../../../packages/core/test/tamper.ts';
import { exitCodes } from '../src/exitCodes.ts';
import { annealIn, temporaryFolder } from './helpers/anneal.ts';

interface Report {
  passed: boolean;
  verifications: { passed: boolean; quantities: Quantity[]; error?: { what: string } }[];
}

/** A copy of a reference folder with one integer of golden.safetensors changed. */
function changed(folder: string, tensor: string): string {
  const copy = join(folder, tensor);
  cpSync(goldenPath('smollm2'), copy, { recursive: true });
  const file = join(copy, 'golden.safetensors');
  const bytes = readFileSync(file);
  const { start } = tensorsOf(file).find(({ name }) => name === tensor) ?? { start: 0 };
  bytes.writeInt32LE(bytes.readInt32LE(start) + 1, start);
  writeFileSync(file, bytes);
  return copy;
}

test('a line a quantity, and the same as JSON', async () => {
  const anneal = annealIn(temporaryFolder());
  const text = await anneal('verify', goldenPath('llama3'));
  const report = await anneal('verify', goldenPath('llama3'), '--json');
  expect([text.code, report.code]).toEqual([exitCodes.done, exitCodes.done]);
  const { verifications } = JSON.parse(report.stdout) as Report;
  const lines = text.stdout.split('\n').filter((line) => line.startsWith('  pass'));
  expect(lines.map((line) => line.split(/ +/)[2])).toEqual(verifications[0]?.quantities.map(({ name }) => name));
});

test.each(['greedy.output', 'packed.lengths'])('one wrong number in %s fails', async (tensor) => {
  const folder = temporaryFolder();
  const { code, stdout } = await annealIn(folder)('verify', goldenPath('qwen2'), changed(folder, tensor), '--json');
  expect(code).toBe(exitCodes.failed);
  const { passed, verifications } = JSON.parse(stdout) as Report;
  expect([passed, ...verifications.map((verification) => verification.passed)]).toEqual([false, true, false]);
});

test('what is no number stands as text in JSON, not as null', async () => {
  const folder = join(temporaryFolder(), 'copy');
  cpSync(goldenPath('smollm2'), folder, { recursive: true });
  const file = join(folder, 'golden.safetensors');
  const bytes = readFileSync(file);
  const place = tensorsOf(file).find(({ name }) => name === 'loss') as TensorPlace;
  bytes.writeFloatLE(Number.NaN, place.start);
  writeFileSync(file, bytes);
  const { code, stdout } = await annealIn(folder)('verify', folder, '--json');
  expect(code).toBe(exitCodes.failed);
  expect(stdout).not.toContain('null');
  const { verifications } = JSON.parse(stdout) as Report;
  const loss = verifications[0]?.quantities.find(({ name }) => name === 'loss');
  expect(loss).toMatchObject({ error: 'NaN', passed: false });
});

test('a preference objective and an adapter are told apart, and computed from the model that is named', async () => {
  const anneal = annealIn(temporaryFolder());
  const golden = join(goldenPath('llama3'), '..', '..');
  const [objective, adapter] = [join(golden, 'preference/orpo/llama3'), join(golden, 'peft/dora')];
  const report = await anneal('verify', objective, adapter, '--model', goldenPath('llama3'), '--json');
  expect(report.code).toBe(exitCodes.done);
  const { passed, verifications } = JSON.parse(report.stdout) as Report;
  expect(passed).toBe(true);
  const [ofObjective, ofAdapter] = verifications.map(({ quantities }) => quantities.map(({ name }) => name));
  expect(ofObjective).toEqual(expect.arrayContaining(['beta0.1.loss', 'logps.policy.chosen']));
  expect(ofAdapter).toEqual(expect.arrayContaining(['curve.loss', 'curve.schedule']));
  expect(ofAdapter).not.toContain('beta0.1.loss');

  const without = await anneal('verify', objective);
  expect(without.code).toBe(exitCodes.badInput);
  expect(without.stderr).toContain('add --model DIR, the base they were computed from');
  expect((await anneal('verify', adapter)).code).toBe(exitCodes.done);
  const other = await anneal('verify', adapter, '--model', goldenPath('mistral'), '--json');
  expect(other.code).toBe(exitCodes.failed);
  expect(JSON.parse(other.stdout)).toMatchObject({ passed: false });
});

test('a folder without reference values is wrong usage', async () => {
  const { code, stderr } = await annealIn(temporaryFolder())('verify', '.');
  expect(code).toBe(exitCodes.badInput);
  expect(stderr).toContain('there are no reference values here');
});

test('one wrong path does not end the others', async () => {
  const folder = temporaryFolder();
  const anneal = annealIn(folder);
  const { code, stdout } = await anneal('verify', 'nothing', goldenPath('llama3'), '--json');
  expect(code).toBe(exitCodes.failed);
  expect(JSON.parse(stdout)).toMatchObject({
    passed: false,
    verifications: [{ path: 'nothing', passed: false, error: { code: 'golden_not_found' } }, { passed: true }],
  });
  const none = await anneal('verify', 'nothing', 'nowhere');
  expect(none.code).toBe(exitCodes.badInput);
  expect(none.stderr).toMatch(/at nothing\n[^]*at nowhere\n/);
});
