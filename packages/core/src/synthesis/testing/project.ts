/** A folder with a recipe and twelve harbors to ask about, for tests. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { temporaryFolder } from '../../../../../scripts/testing/temporaryFolder.ts';
import { UserError } from '../../errors.ts';
import { readSynthesisRecipe } from '../../recipe/synthesis/read.ts';
import type { Provenance, Rejected } from '../candidates.ts';
import type { RowMessage } from '../plan.ts';
import { type SynthesisCall, synthesize } from '../synthesize.ts';
import type { EndpointStandIn } from './endpointStandIn.ts';

export interface Row {
  readonly messages: readonly RowMessage[];
  readonly anneal_provenance: Provenance;
}

export const paragraphs = Array.from(
  { length: 12 },
  (_, i) =>
    `Harbor ${i} has number ${i * 37} on its gate. ${'abcdefghijkl'[i]?.repeat(9)} ships moor there each week ${i}.`,
);

function folderWith(files: Record<string, string>): string {
  const folder = temporaryFolder('synthesis');
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

/** A recipe about twelve harbors, one in a request. */
export function project({ url }: Pick<EndpointStandIn, 'url'>, more: Record<string, unknown> = {}): string {
  const { endpoint, ...keys } = more;
  return folderWith({
    'docs/harbors.md': paragraphs.join('\n\n'),
    'recipe.yaml': JSON.stringify({
      endpoint: { url, model: 'small', concurrency: 3, ...(endpoint as object) },
      sources: [{ path: 'docs' }],
      output: 'rows.jsonl',
      chunk_chars: 100,
      ...keys,
    }),
  });
}

export async function make(folder: string, call: Partial<SynthesisCall> = {}) {
  const { options } = await readSynthesisRecipe(join(folder, 'recipe.yaml'));
  return synthesize(options, {
    dryRun: false,
    samples: 2,
    overwrite: false,
    apiKeys: { rows: null, judge: null },
    pauses: { firstMilliseconds: 1, longestMilliseconds: 20 },
    signal: new AbortController().signal,
    onProgress: () => undefined,
    ...call,
  });
}

export const linesIn = <T>(path: string): T[] =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as T);
export const rowsIn = (folder: string): Row[] => linesIn(join(folder, 'rows.jsonl'));
export const rejectedIn = (folder: string): Rejected[] => linesIn(join(folder, 'rows.synthesis', 'rejected.jsonl'));
export const errorOf = (work: Promise<unknown>): Promise<UserError> =>
  work.then(
    () => expect.fail('it should have failed'),
    (error: unknown) => (error instanceof UserError ? error : Promise.reject(error)),
  );
