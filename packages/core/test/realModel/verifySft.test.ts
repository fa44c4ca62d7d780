import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { verify } from '../../src/verify/verify.ts';
import { temporaryFolder } from '../fixtures.ts';
import { peerSmolLm2 } from '../peers.ts';

const model = await peerSmolLm2();
const folder = fileURLToPath(new URL('../golden/smollm2-sft', import.meta.url));
const readGolden = () => JSON.parse(readFileSync(join(folder, 'golden.json'), 'utf8'));

describe.skipIf(model === null)('twelve steps of SmolLM2', { timeout: 900_000 }, () => {
  test('are those of PyTorch, transformers and PEFT, and so is what it says before and after', async () => {
    const quantities = await verify(folder, { model: model as string });
    expect(quantities.filter(({ passed }) => !passed)).toEqual([]);
    const golden = readGolden();
    const names = quantities.map(({ name }) => name);
    for (const step of golden.loss.keys())
      expect(names).toEqual(expect.arrayContaining([`step.${step + 1}.loss`, `step.${step + 1}.grad_norm`]));
    expect(names.filter((name) => /^(base|tuned)\..*\.ids$/.test(name))).toHaveLength(golden.generations.length);
    expect(names.filter((name) => /^tokens\.\d+\.(ids|labels)$/.test(name))).toHaveLength(2 * golden.tokens.length);
  });

  test('fail exactly where the reference is wrong', async () => {
    const copy = join(temporaryFolder(), 'smollm2-sft');
    cpSync(folder, copy, { recursive: true });
    const golden = readGolden();
    golden.tokens[0].ids[7]++;
    golden.tokens[1].labels[golden.tokens[1].labels.length - 1]++;
    golden.target_tokens[3]++;
    golden.learning_rate[5] *= 1.01;
    golden.loss[0] *= 1.01;
    golden.loss[11] *= 1.01;
    golden.grad_norm[4] *= 1.01;
    const [first, second] = golden.generations;
    first.prompt_ids[3]++;
    second.ids[2]++;
    writeFileSync(join(copy, 'golden.json'), JSON.stringify(golden));
    const quantities = await verify(copy, { model: model as string });
    expect(new Set(quantities.filter(({ passed }) => !passed).map(({ name }) => name))).toEqual(
      new Set([
        'tokens.0.ids',
        'tokens.1.labels',
        'target_tokens',
        'learning_rate',
        'step.1.loss',
        'step.12.loss',
        'step.5.grad_norm',
        `${first.model}.${first.prompt}.prompt_ids`,
        `${second.model}.${second.prompt}.ids`,
      ]),
    );
  });
});
