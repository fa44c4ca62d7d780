import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { addon, cpuDevice } from '@anneal/kernels';
import { describe, expect, test } from 'vitest';
import { openGolden } from '../src/verify/golden.ts';
import { verifyModel } from '../src/verify/verifyModel.ts';
import { goldenModels, goldenPath, laterGoldenModels, temporaryFolder } from './fixtures.ts';
import { enlargeLargest, type TensorPlace, tensorsOf, withChanged } from './tamper.ts';

const verified = [
  ...goldenModels.flatMap((name) =>
    addon()
      .instructionSets()
      .map((isa) => ({ name, isa })),
  ),
  ...laterGoldenModels.map((name) => ({ name, isa: undefined })),
];

describe('a model as PyTorch, transformers and PEFT compute it', () => {
  test.each(verified)('$name $isa', async ({ name, isa }) => {
    const quantities = await verifyModel(goldenPath(name), cpuDevice({ ...(isa && { isa }), threads: 2 }));
    expect(quantities.filter(({ passed }) => !passed)).toEqual([]);
    const compared = new Set(quantities.map((quantity) => quantity.name));
    const golden = openGolden(goldenPath(name));
    golden.close();
    const inputs = ['input_ids', 'packed.input_ids', 'packed.lengths', 'greedy.prompt', 'greedy.output'];
    const expected = [...golden.names.filter((value) => !inputs.includes(value)), 'greedy'];
    expect(compared).toEqual(
      new Set([
        ...expected,
        ...['full', 'lora'].flatMap((which) => [`curve.${which}.loss`, `curve.${which}.grad_norm`]),
        'curve.schedule',
        'curve.lora.adapter',
      ]),
    );
  });
});

const device = cpuDevice({ threads: 1 });

/** Whether everything passes although something in the folder was changed. */
async function unnoticed(name: string, file: string, change: (bytes: Buffer) => Buffer | void): Promise<boolean> {
  const copy = join(temporaryFolder(), name);
  const quantities = await withChanged(goldenPath(name), copy, file, change, (folder) => verifyModel(folder, device));
  return quantities.every(({ passed }) => passed);
}

describe('a folder in which one value is wrong fails', () => {
  const files = ['model.safetensors', 'golden.safetensors', 'adapter/adapter_model.safetensors'];

  test.each([
    // The largest value of this embedding is in the row of a token that no reference value comes from.
    { name: 'llama3', exceptions: ['model.embed_tokens.weight'] },
    { name: 'qwen2', exceptions: [] },
  ])('every tensor of $name, its largest value 1 % off', { timeout: 600_000 }, async ({ name, exceptions }) => {
    const missed: string[] = [];
    let count = 0;
    for (const file of files) {
      for (const tensor of tensorsOf(join(goldenPath(name), file))) {
        if (tensor.dtype !== 'F32') continue;
        count++;
        if (await unnoticed(name, file, (bytes) => void enlargeLargest(bytes, tensor))) missed.push(tensor.name);
      }
    }
    expect(count).toBeGreaterThan(80);
    expect(missed).toEqual(exceptions);
    for (const exception of exceptions) expectUnread(name, exception);
  });

  test('every tenth token id, label and length, and all at the edges', { timeout: 600_000 }, async () => {
    const name = 'smollm2';
    const missed: string[] = [];
    for (const tensor of tensorsOf(join(goldenPath(name), 'golden.safetensors'))) {
      if (tensor.dtype !== 'I32') continue;
      for (let i = 0; i < tensor.elements; i++) {
        if (i % 10 !== 0 && !isAtEdge(i, tensor)) continue;
        const change = (bytes: Buffer) => {
          const id = bytes.readInt32LE(tensor.start + 4 * i);
          bytes.writeInt32LE(id + Math.max(1, Math.round(Math.abs(id) / 100)), tensor.start + 4 * i);
        };
        if (await refused(() => unnoticed(name, 'golden.safetensors', change))) continue;
        missed.push(`${tensor.name}[${i}]`);
      }
    }
    expect(missed).toEqual([]);
  });

  test('every number of curves.json', { timeout: 600_000 }, async () => {
    const name = 'mistral';
    const curves = JSON.parse(readFileSync(join(goldenPath(name), 'curves.json'), 'utf8'));
    const places = numbersOf(curves);
    expect(places.length).toBeGreaterThan(50);
    const missed: string[] = [];
    for (const place of places) {
      const change = () => Buffer.from(JSON.stringify(enlargedAt(curves, place)));
      if (await refused(() => unnoticed(name, 'curves.json', change))) continue;
      missed.push(place.join('.'));
    }
    // 1 % of numbers as small as these moves the curves by less than rounding does.
    expect(missed).toEqual(['optimizer.eps', 'optimizer.weight_decay']);
  });
});

/** Fails a value outright, as a vocabulary has no token 161, or finds it wrong. */
async function refused(isUnnoticed: () => Promise<boolean>): Promise<boolean> {
  try {
    return !(await isUnnoticed());
  } catch {
    return true;
  }
}

function isAtEdge(i: number, { shape }: TensorPlace): boolean {
  const length = shape.at(-1) as number;
  return i % length === 0 || i % length === length - 1;
}

/** The largest value lies in a row of the embedding that no input reads, and the head has weights of its own. */
function expectUnread(name: string, tensor: string): void {
  const path = join(goldenPath(name), 'model.safetensors');
  const place = tensorsOf(path).find((t) => t.name === tensor) as TensorPlace;
  const row = Math.floor(enlargeLargest(readFileSync(path), place) / (place.shape[1] as number));
  const golden = openGolden(goldenPath(name));
  const read = ['input_ids', 'packed.input_ids', 'greedy.output'].flatMap((ids) => [...golden.int32(ids)]);
  golden.close();
  expect(tensor).toContain('embed_tokens');
  expect(JSON.parse(readFileSync(join(goldenPath(name), 'config.json'), 'utf8')).tie_word_embeddings).toBe(false);
  expect(read).not.toContain(row);
}

function numbersOf(value: unknown, path: (string | number)[] = []): (string | number)[][] {
  if (typeof value === 'number') return [path];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => numbersOf(inner, [...path, key]));
}

/** A copy with the number at `path` 1 % larger; a zero becomes 0.01. */
function enlargedAt(value: unknown, [key, ...rest]: readonly (string | number)[]): unknown {
  if (key === undefined) return value === 0 ? 0.01 : (value as number) * 1.01;
  const copy = structuredClone(value) as Record<string | number, unknown>;
  copy[key] = enlargedAt(copy[key], rest);
  return copy;
}
