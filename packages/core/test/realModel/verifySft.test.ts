import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { verify } from '../../src/verify/verify.ts';
import { peerSmolLm2 } from '../peers.ts';

const model = await peerSmolLm2();
const folder = fileURLToPath(new URL('../golden/smollm2-sft', import.meta.url));

test.skipIf(model === null)(
  'twelve steps of SmolLM2 as PyTorch, transformers and PEFT take them, and what it says before and after',
  { timeout: 300_000 },
  async () => {
    const quantities = await verify(folder, { model: model as string });
    expect(quantities.filter(({ passed }) => !passed)).toEqual([]);
    const golden = JSON.parse(readFileSync(`${folder}/golden.json`, 'utf8'));
    const names = quantities.map(({ name }) => name);
    for (const step of golden.loss.keys())
      expect(names).toEqual(expect.arrayContaining([`step.${step + 1}.loss`, `step.${step + 1}.grad_norm`]));
    expect(names.filter((name) => /^(base|tuned)\..*\.ids$/.test(name))).toHaveLength(golden.generations.length);
    expect(names.filter((name) => /^tokens\.\d+\.(ids|labels)$/.test(name))).toHaveLength(2 * golden.tokens.length);
  },
);
