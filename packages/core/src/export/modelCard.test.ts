import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { type CardFacts, modelCard } from './modelCard.ts';

const facts: CardFacts = {
  repository: 'you/harbor',
  name: 'harbor',
  form: 'merged',
  type: 'bf16',
  base: { id: 'owner/base', license: 'apache-2.0' },
  files: [{ path: 'model.safetensors', bytes: 12, sha256: 'f'.repeat(64) }],
  adapterScale: 1,
  imatrix: [],
  run: null,
  parity: null,
};

const headOf = (card: string): unknown => parse(/^---\n([\s\S]*?)\n---\n/.exec(card)?.[1] ?? '');

test('the head says what the hub shows: license, base and what the model is to it', () => {
  expect(headOf(modelCard(facts))).toEqual({
    license: 'apache-2.0',
    base_model: 'owner/base',
    base_model_relation: 'finetune',
    library_name: 'transformers',
    pipeline_tag: 'text-generation',
    tags: ['anneal'],
  });
  const unknown = modelCard({ ...facts, form: 'gguf', base: { id: null, license: null } });
  expect(headOf(unknown)).toEqual({ pipeline_tag: 'text-generation', tags: ['anneal', 'gguf'] });
  expect(unknown).toContain('Its license is not recorded');
  expect(unknown).not.toContain('the effect it was trained to');
  expect(modelCard({ ...facts, adapterScale: 0.8 })).toContain('The adapter has 0.8 of the effect it was trained to');
});

test('types that an importance matrix was used for are named with where it came from', () => {
  const ofRows = { file: null, tokens: 65_536 };
  const imatrix = [
    { type: 'q3_k_m', ...ofRows },
    { type: 'iq3_s', ...ofRows },
    { type: 'q2_k', file: 'a`b.gguf', tokens: null },
  ];
  const card = modelCard({ ...facts, form: 'gguf', imatrix });
  expect(card).toContain(
    'Q3_K_M, IQ3_S: quantized by an importance matrix of 65536 tokens of the rows it was trained on.',
  );
  expect(card).toContain('Q2_K: quantized by an importance matrix of `a b.gguf`.');
  expect(modelCard(facts)).not.toContain('importance');
});

test('names from elsewhere stay on their line, and a recipe ends no fence', () => {
  const run: CardFacts['run'] = {
    id: 'run',
    step: 3,
    recipe: 'base_model: x\n# ```\n# <script>',
    hashes: null,
    data: { kept: 1, tokens: 2, targetTokens: 1, files: [{ name: 'a|b\n# c`', bytes: 1, sha256: '0' }] },
    measures: {
      steps: 3,
      recordedSteps: 3,
      loss: null,
      validationLoss: 1.5,
      bestValidationLoss: 1.25,
      tokensPerSecond: null,
      tokens: 30,
      milliseconds: 0,
      timedSteps: 0,
    },
    curve: [{ step: 3, loss: null, learningRate: 1e-4, validationLoss: 1.5 }],
  };
  const card = modelCard({ ...facts, name: 'x\n## y <b>', run, parity: { agreeing: 31, tokens: 32 } });
  expect(card).toContain('\n# x ## y b\n');
  expect(card).toContain('| `a b # c` | 1 | `0` |');
  expect(card).toContain('````yaml\nbase_model: x\n# ```\n# <script>\n````');
  expect(card).toContain('| 3 |  | 1.5000 | 1.00e-4 |');
  expect(card).toContain('best validation loss up to this step: 1.2500');
  expect(card).toContain('31 of 32 agree');
});
