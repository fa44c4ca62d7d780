import { cpuDevice } from '@anneal/kernels';
import { expect, onTestFinished, test } from 'vitest';
import { goldenModel } from '../../test/fixtures.ts';
import { baseProgram, openDecodeEngine } from './decodeEngine.ts';
import { generate, likeliestTokens } from './generate.ts';
import { greedy } from './sample.ts';

test('a text that greedy decoding said comes back as it is; another one goes on as given, with how far its tokens are off', async () => {
  const options = { device: cpuDevice(), weightType: 'f32', contextLength: 40, promptChunk: 3 } as const;
  const engine = await openDecodeEngine(goldenModel('llama3'), options);
  onTestFinished(() => engine.dispose());
  const prompt = Int32Array.of(5, 6, 7, 8);
  const how = { program: baseProgram };
  const said: number[] = [];
  const asked = { ...how, sampling: greedy, maxNewTokens: 12, stopIds: new Set<number>(), seed: 0 };
  for await (const { id } of generate(engine, prompt, asked)) said.push(id);
  expect(await likeliestTokens(engine, prompt, said, how)).toEqual(said.map((id) => ({ id, margin: 0 })));

  const other = said.with(5, ((said[5] as number) + 1) % 160);
  const likeliest = await likeliestTokens(engine, prompt, other, how);
  expect(likeliest.slice(0, 6).map(({ id }) => id)).toEqual(said.slice(0, 6));
  expect(likeliest[5]?.margin).toBeGreaterThan(0);
  // After the token that differs, what is likeliest is that after the text as given.
  const continued = await likeliestTokens(
    engine,
    Int32Array.from([...prompt, ...other.slice(0, 6)]),
    other.slice(6),
    how,
  );
  expect(likeliest.slice(6).map(({ id }) => id)).toEqual(continued.map(({ id }) => id));
});
