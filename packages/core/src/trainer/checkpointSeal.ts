/** COMPLETE of a checkpoint: names every file with size and SHA-256, so that one that changed is noticed before it is trained on. */
import { createHash } from 'node:crypto';
import { existsSync, lstatSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../errors.ts';
import { sha256OfFile } from '../fileHash.ts';
import { kindOf, readRunFile } from './runFiles.ts';

export const sealName = 'COMPLETE';

const sealSchema = z.object({
  step: z.int().min(0),
  metric: z.number().optional(),
  /** By path within the checkpoint. */
  files: z.record(z.string(), z.object({ bytes: z.int().min(0), sha256: z.string() })),
});
export type CheckpointSeal = z.infer<typeof sealSchema>;

/** Writes COMPLETE over all files of the folder. Returns its own SHA-256. */
export async function sealCheckpoint(
  folder: string,
  about: { step: number; metric?: number | undefined },
): Promise<string> {
  const files: CheckpointSeal['files'] = {};
  for (const path of await filesBelow(folder)) {
    files[path] = { bytes: lstatSync(join(folder, path)).size, sha256: await sha256OfFile(join(folder, path)) };
  }
  const { step, metric } = about;
  const text = `${JSON.stringify({ step, ...(metric === undefined ? {} : { metric }), files }, null, 1)}\n`;
  await writeFile(join(folder, sealName), text);
  return sha256(text);
}

export function isSealed(folder: string): boolean {
  return existsSync(join(folder, sealName));
}

/** @throws UserError `checkpoint_damaged` */
export function readSeal(folder: string): CheckpointSeal {
  return parseSeal(folder, readRunFile(join(folder, sealName)));
}

/**
 * Reads every byte of the checkpoint.
 * @param sha256 of COMPLETE as the run's events have it
 * @throws UserError `checkpoint_damaged` for anything that is not as it was saved
 */
export async function verifyCheckpoint(folder: string, expected?: string): Promise<CheckpointSeal> {
  if (kindOf(join(folder, sealName)) !== 'file') throw damagedCheckpoint(folder, `${sealName} is missing`);
  const text = readRunFile(join(folder, sealName));
  if (expected !== undefined && sha256(text) !== expected) {
    throw damagedCheckpoint(join(folder, sealName), 'it is not the one that the events speak of');
  }
  const seal = parseSeal(folder, text);
  for (const path of await filesBelow(folder)) {
    // What somebody put beside them is not read, unless it passes for a part of the checkpoint.
    if (/\.(safetensors|json)$/.test(path) && !(path in seal.files)) {
      throw damagedCheckpoint(join(folder, path), `${sealName} does not name it`);
    }
  }
  for (const [name, { bytes, sha256: saved }] of Object.entries(seal.files)) {
    const path = join(folder, name);
    // Names are ours only if nobody wrote them: none may lead out of the folder.
    if (name.split(/[\\/]/).includes('..') || kindOf(path) !== 'file') throw damagedCheckpoint(path, 'it is missing');
    if (lstatSync(path).size !== bytes || (await sha256OfFile(path)) !== saved) {
      throw damagedCheckpoint(path, 'its content is not what was saved');
    }
  }
  return seal;
}

function parseSeal(folder: string, text: string): CheckpointSeal {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  const { data } = sealSchema.safeParse(value);
  if (data && Number(/checkpoint-(\d+)$/.exec(folder)?.[1] ?? data.step) === data.step) return data;
  throw damagedCheckpoint(
    join(folder, sealName),
    data ? `it says step ${data.step}` : 'it does not list the files of the checkpoint',
  );
}

export function damagedCheckpoint(where: string, what: string): UserError {
  return new UserError({
    what: `the checkpoint is damaged: ${what}`,
    where,
    next: 'restore it from a copy, or remove its folder: the run then goes on from the checkpoint before',
    code: 'checkpoint_damaged',
  });
}

async function filesBelow(folder: string, prefix = ''): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(join(folder, prefix), { withFileTypes: true })) {
    const path = prefix ? `${prefix}/${entry.name}` : entry.name;
    if (entry.isDirectory()) found.push(...(await filesBelow(folder, path)));
    else found.push(path);
  }
  return found.sort();
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
