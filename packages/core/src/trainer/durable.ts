/** Writing so that a crash at any moment leaves the old content or the new one, never half of it. */
import { closeSync, fsyncSync, openSync, renameSync, writeFileSync } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { diskFull } from '@anneal/formats/files/diskFull';
import { UserError } from '../errors.ts';

/** Replaces the file at once: readers see the old text or the new. Survives a power cut only with `sync`. */
export function replaceFile(path: string, text: string, options: { sync: boolean }): void {
  const temporary = `${path}.${process.pid}.tmp`;
  const file = openSync(temporary, 'w');
  try {
    writeFileSync(file, text);
    if (options.sync) fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
  if (options.sync) syncFolder(dirname(path));
}

/** Makes names created in or renamed into the folder durable. */
export function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** Flushes every file and folder below `path`, and `path` itself, to the disk. */
export async function syncTree(path: string): Promise<void> {
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const child = join(path, entry.name);
    if (entry.isDirectory()) await syncTree(child);
    else await syncHandle(child);
  }
  await syncHandle(path);
}

async function syncHandle(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A full disk is the user's to mend; anything else stays what it is. */
export function asDiskError(error: unknown, path: string): unknown {
  const full = diskFull(error);
  if (!full) return error;
  return new UserError({
    what: full,
    where: path,
    next: 'free some space, then continue with `anneal runs resume`; nothing written before is lost',
    code: 'disk_full',
    cause: error,
  });
}
