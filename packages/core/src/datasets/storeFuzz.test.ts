/** Prepared data that somebody changed: opened, or refused by a UserError. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { type Choices, fuzz, fuzzRuns, mutated } from '../../test/fuzz.ts';
import { MANIFEST_FILE, openTokenStore, sealManifest, TokenStoreWriter, verifyTokenStore } from './tokenStore.ts';

const folder = mkdtempSync(join(tmpdir(), 'anneal-store-fuzz-'));
afterAll(() => rmSync(folder, { recursive: true }));

const values = [null, -1, 0, 1, 0.5, 2 ** 32, 2 ** 53, 1e300, '', 'x', [], [0], {}, true];

test('manifest', { timeout: 100_000_000 }, async () => {
  const manifest = await writeStore();
  const text = sealManifest(manifest);
  const tokens = readFileSync(join(folder, 'tokens.bin'));
  const outcomes = await fuzz('manifest', fuzzRuns(400), async (choose) => {
    const kind = choose.below(3);
    writeFileSync(join(folder, MANIFEST_FILE), kind === 0 ? mutated(Buffer.from(text), choose, ['"', '{', '0']) : text);
    // Whoever changes a file on purpose makes its checksum anew.
    if (kind === 1) writeFileSync(join(folder, MANIFEST_FILE), resealed(manifest, choose));
    const words = kind === 2 ? mutated(tokens, choose, ['\u0000', '\xff\xff\xff\xff']) : tokens;
    writeFileSync(join(folder, 'tokens.bin'), words);
    if (choose.below(2) === 0) await verifyTokenStore(folder);
    for (const name of ['train', 'validation'] as const) {
      const store = openTokenStore(folder, name);
      try {
        for (let document = 0; document < store.count; document++) {
          store.words(document);
          store.source(document);
        }
      } finally {
        store.close();
      }
    }
  });
  expect(Object.keys(outcomes)).toEqual(expect.arrayContaining(['read', 'token_cache_damaged']));
});

async function writeStore(): Promise<Parameters<typeof sealManifest>[0]> {
  const writer = await TokenStoreWriter.create(folder);
  for (let i = 0; i < 5; i++)
    await writer.append(
      Uint32Array.from({ length: i + 1 }, (_, j) => j),
      i,
      0,
      i + 1,
    );
  const { sha256 } = await writer.finish(Uint32Array.of(0, 1, 2, 2), Uint32Array.of(4));
  const { tokens, documents } = writer;
  return { version: 1, key: 'k', tokens, documents, train: 4, validation: 1, sha256, files: ['a.jsonl'], summary: {} };
}

function resealed(manifest: object, { of }: Choices): string {
  const changed = of([() => ({ ...manifest, [of(Object.keys(manifest))]: of(values) }), () => of(values)])();
  const checksum = createHash('sha256').update(JSON.stringify(changed)).digest('hex');
  const sealed = typeof changed === 'object' && !Array.isArray(changed) ? { ...changed, checksum } : changed;
  return JSON.stringify(sealed);
}
