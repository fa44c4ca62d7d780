import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '@anneal/core/errors';
import { readProvenance } from '@anneal/core/hub/cache';
import {
  type CachedModelRequest,
  type CheckedModel,
  type CheckModelProgress,
  cachedModelRequest,
} from '@anneal/core/protocol/models';
import type { Context } from '../context.ts';
import { parseRequest } from '../parseRequest.ts';
import { reporting } from '../reporting.ts';
import { cachedNamed } from './list.ts';

/** Reads every byte of a pulled model, and compares its files with the hashes that they came with. @throws UserError `model_not_whole` */
export function checkModel(
  { signal: outer }: Context,
  request: CachedModelRequest,
): AsyncGenerator<CheckModelProgress, CheckedModel> {
  return reporting(async (report, signal) => {
    const { folder, path } = cachedNamed(parseRequest(cachedModelRequest, request).model);
    const provenance = path === undefined ? undefined : readProvenance(folder);
    if (path === undefined || !provenance) throw notWhole(folder);
    const expected = provenance.files.map((file) => ({ ...file, bytes: statSync(join(folder, file.path)).size }));
    const total = expected.reduce((sum, { bytes }) => sum + bytes, 0);
    const files: CheckedModel['files'] = [];
    let done = 0;
    for (const { path: file, sha256, bytes } of expected) {
      const hash = createHash('sha256');
      for await (const piece of createReadStream(join(folder, file), { highWaterMark: 1 << 22 })) {
        signal.throwIfAborted();
        hash.update(piece as Buffer);
        done += (piece as Buffer).length;
        report({ file, done, total });
      }
      files.push({ path: file, bytes, isSame: hash.digest('hex') === sha256 });
    }
    return { path, files };
  }, outer);
}

function notWhole(folder: string): UserError {
  return new UserError({
    what: 'this model has not arrived whole',
    where: folder,
    next: 'pull it again: that goes on where it stopped',
    code: 'model_not_whole',
  });
}
