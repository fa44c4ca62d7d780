/** Prepared data that somebody changed: opened, or refused by a UserError. */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../../../scripts/testing/temporaryFolder.ts';
import { type Choices, fuzz, mutated, placesIn, replacedAt } from '../../test/fuzz.ts';
import { type PreparedSummary, summaryOf } from './preparedSummary.ts';
import { MANIFEST_FILE, readManifest, type StoreManifest, sealManifest, verifyTokenStore } from './storeManifest.ts';
import { openTokenStore, type TokenStore } from './tokenStore.ts';
import { TokenStoreWriter } from './tokenStoreWriter.ts';

const folder = temporaryFolder('store-fuzz');

const values = [undefined, null, -1, 0, 1, 0.5, 2 ** 32, 2 ** 53, 1e300, '', 'x', [], [0], {}, true];

test('manifest', { timeout: 100_000_000 }, async () => {
  const manifest = await writeStore();
  const text = sealManifest(manifest);
  const tokens = readFileSync(join(folder, 'tokens.bin'));
  await fuzz('manifest', 400, { read: 0, token_cache_damaged: 0 }, async (choose) => {
    const [manifestText, words] = choose.of([
      () => [mutated(Buffer.from(text), choose, ['"', '{', '0']), tokens] as const,
      () => [text, mutated(tokens, choose, ['\u0000', '\xff\xff\xff\xff'])] as const,
      // Whoever changes a file on purpose makes its checksum anew.
      () => [resealed(otherManifest(manifest, choose), tokens), tokens] as const,
      () => {
        const other = otherWords(tokens, choose);
        return [resealed(choose.below(4) === 0 ? otherManifest(manifest, choose) : manifest, other), other] as const;
      },
    ])();
    writeFileSync(join(folder, MANIFEST_FILE), manifestText);
    writeFileSync(join(folder, 'tokens.bin'), words);
    if (choose.below(2) === 0) await verifyTokenStore(folder);
    const train = openTokenStore(folder, 'train');
    let validation: TokenStore | null = null;
    try {
      validation = openTokenStore(folder, 'validation');
      for (const store of [train, validation]) readAll(store);
      summaryOf(folder, readManifest(folder), train, validation);
    } finally {
      train.close();
      validation?.close();
    }
  });
});

/** What is read is what the index speaks of. */
function readAll(store: TokenStore): void {
  for (let document = 0; document < store.count; document++) {
    const { file, row } = store.source(document);
    const right = store.words(document).length === store.lengths[document] && typeof file === 'string';
    if (!right || !Number.isInteger(row)) throw new Error(`document ${document} is not as the index has it`);
  }
}

test.each(['tokens', 'targetTokens', 'trainDocuments', 'validationDocuments', 'rows', 'dropped', 'kept'])(
  'a manifest that was sealed anew with another number of %s is not believed',
  async (key) => {
    const manifest = await writeStore();
    const summary = manifest.summary as Record<string, number>;
    const changed = { ...manifest, summary: { ...summary, [key]: (summary[key] as number) + 1 } };
    writeFileSync(join(folder, MANIFEST_FILE), sealManifest(changed));
    await verifyTokenStore(folder);
    const [train, validation] = [openTokenStore(folder, 'train'), openTokenStore(folder, 'validation')];
    expect(summaryOf(folder, manifest, train, validation)).toEqual(manifest.summary);
    expect(() => summaryOf(folder, readManifest(folder), train, validation)).toThrow(
      expect.objectContaining({ code: 'token_cache_damaged', what: expect.stringMatching(/ says \w+ \d+, there are/) }),
    );
    for (const store of [train, validation]) store.close();
  },
);

async function writeStore(): Promise<Parameters<typeof sealManifest>[0]> {
  const writer = await TokenStoreWriter.create(folder);
  for (let i = 0; i < 5; i++)
    await writer.append(
      Uint32Array.from({ length: i + 1 }, (_, j) => j),
      i,
      0,
      i + 1,
      i % 2 === 0 ? { side: 'chosen', margin: i / 4 } : { side: 'rejected' },
    );
  const { sha256 } = await writer.finish(Uint32Array.of(0, 1, 2, 2), Uint32Array.of(4));
  const { tokens, documents } = writer;
  const path = 'a.jsonl';
  const summary: PreparedSummary = {
    rows: 7,
    kept: 4,
    truncated: 1,
    dropped: 2,
    droppedBy: { empty: 2 },
    leftOut: { system: { rows: 1, first: 'a.jsonl:1' } },
    tokens: 1 + 2 + 3 + 3,
    targetTokens: 0 + 1 + 2 + 2,
    trainDocuments: 4,
    validationDocuments: 1,
    longest: 5,
    duplicates: 0,
    histogram: { width: 1, open: false, total: [0, 1, 1], supervised: [0, 2] },
    files: [
      { path, bytes: 3, sha256: 'x', format: 'chat_template', rejectedUnread: false, unread: { id: 2 }, provenance: 0 },
    ],
  };
  return {
    version: writer.version,
    key: 'k',
    tokens,
    documents,
    train: 4,
    validation: 1,
    sha256,
    files: [path],
    summary,
  };
}

/** Another value in one place of the manifest, or of what it is altogether; half of them in its own fields. */
function otherManifest(manifest: object, { of, below }: Choices): unknown {
  if (below(16) === 0) return of(values.slice(1));
  const places = placesIn(manifest).filter(({ length }) => length === 1 || below(2) === 0);
  const place = of(below(2) === 0 ? places.filter(({ length }) => length === 1) : places);
  return replacedAt(manifest, place, of(values));
}

/** One to three words of another value, most of them in the index behind the tokens. */
function otherWords(tokens: Buffer, { of, below }: Choices): Buffer {
  const words = Buffer.from(tokens);
  for (let change = below(3); change >= 0; change--) {
    words.writeUInt32LE(
      of([0, 1, 2, 5, 15, 16, 0x3ff0_0000, 0x7ff8_0000, 0xbff0_0000, 2 ** 32 - 1]),
      4 * below(words.length / 4),
    );
  }
  return words;
}

/** With the checksums of these tokens and of itself. */
function resealed(manifest: unknown, tokens: Buffer): string {
  if (typeof manifest !== 'object' || manifest === null || Array.isArray(manifest)) return JSON.stringify(manifest);
  const sha256 = createHash('sha256').update(tokens).digest('hex');
  return sealManifest({ ...manifest, sha256 } as StoreManifest);
}
