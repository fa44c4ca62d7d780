import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { type OpenModel, openModel } from '../../models/open.ts';

/** A golden checkpoint, closed when the test ends. */
export function goldenModel(name: string): OpenModel {
  const model = openModel(goldenPath(name));
  onTestFinished(() => model.close());
  return model;
}

export function goldenPath(name: string): string {
  return fileURLToPath(new URL(`../../../test/golden/models/${name}`, import.meta.url));
}

/** A fresh folder, removed when the test ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'anneal-export-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
