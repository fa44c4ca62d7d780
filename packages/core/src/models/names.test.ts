import { readdirSync, readFileSync } from 'node:fs';
import { openSafetensors } from '@anneal/formats/safetensors/read';
import { describe, expect, test } from 'vitest';
import { architectureOf, architectures, readConfig } from './index.ts';
import { findName } from './names.ts';
import { storedTensors } from './stored.ts';
import { expectedTensors } from './tensors.ts';

const folder = new URL('../../test/golden/models/', import.meta.url);

describe.each(readdirSync(folder).filter((name) => !name.endsWith('.json')))('%s', (name) => {
  const json = JSON.parse(readFileSync(new URL(`${name}/config.json`, folder), 'utf8'));
  const config = readConfig(json, null, name);
  const { names } = architectureOf(config.architecture, name);

  test('our names and shapes are exactly what transformers saved', () => {
    const source = openSafetensors(new URL(name, folder).pathname);
    const ours = [...expectedTensors(config)].flatMap(([tensor, shape]) =>
      storedTensors(names, config, { name: tensor, shape }, 'huggingFace'),
    );
    expect(Object.fromEntries(ours.map((stored) => [stored.name, stored.shape]))).toEqual(
      Object.fromEntries([...source.tensors.values()].map((stored) => [stored.name, stored.shape])),
    );
    source.close();
  });
});

test.each(architectures.map((architecture) => [architecture.modelType, architecture.names] as const))(
  '%s: no name stands twice in a column, and layers are starred in all of them',
  (_, names) => {
    for (const column of ['ours', 'huggingFace', 'gguf'] as const) {
      expect(new Set(names.map((row) => row[column])).size).toBe(names.length);
    }
    for (const row of names) {
      const starred = [row.ours, row.huggingFace, row.gguf].map((text) => text.split('*').length - 1);
      expect(new Set(starred).size, row.ours).toBe(1);
    }
  },
);

test('a name is filled in with its layer; an unknown one is null', () => {
  const { names } = architectureOf('llama', '');
  expect(findName(names, 'layers.12.q')).toEqual({
    ours: 'layers.12.q',
    huggingFace: 'model.layers.12.self_attn.q_proj.weight',
    gguf: 'blk.12.attn_q.weight',
    transform: 'permuteHeads',
  });
  expect(findName(names, 'layers.x.q')).toBeNull();
});
