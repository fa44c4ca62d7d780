/** COMPLETE of a checkpoint: names every file with size and SHA-256, so that one that changed is noticed before it is trained on. */
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../errors.ts';
import { sha256OfFile } from '../fileHash.ts';
import { kindOf, readRunFile } from './runFiles.ts';

const sealName = 'COMPLETE';

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
  for (const path of filesBelow(folder)) {
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

/**
 * What COMPLETE says, once a look at every file, but not into it, agrees: all are there, none is a link, nothing beside them passes for
 * a part.
 * @throws UserError `checkpoint_damaged`
 */
export function readSeal(folder: string): CheckpointSeal {
  const text = readRunFile(join(folder, sealName));
  const seal = parseSeal(folder, text);
  assertFiles(folder, seal);
  return seal;
}

/**
 * Reads every byte of the checkpoint.
 * @param sha256 of COMPLETE as the run's events have it
 * @throws UserError `checkpoint_damaged` for anything that is not as it was saved
 */
export async function verifyCheckpoint(folder: string, expected?: string): Promise<CheckpointSeal> {
  if (kindOf(join(folder, sealName)) !== 'file') throw damagedCheckpoint(folder, `${sealName} is missing`);
  if (expected !== undefined && sha256(readRunFile(join(folder, sealName))) !== expected) {
    throw damagedCheckpoint(join(folder, sealName), 'it is not the one that the events speak of');
  }
  const seal = readSeal(folder);
  for (const [name, { sha256: saved }] of Object.entries(seal.files)) {
    const path = join(folder, name);
    if ((await sha256OfFile(path)) !== saved) throw damagedCheckpoint(path, 'its content is not what was saved');
  }
  return seal;
}

/** What somebody put beside them is not read, unless it is called like a part of a model. */
const partOfModel = /\.(safetensors|json|jinja)$|(^|\/)(tokenizer\.model|merges\.txt)$/;

/** Links are not followed, not even those to folders: their files are missing. */
function assertFiles(folder: string, { files }: CheckpointSeal): void {
  const found = new Set(filesBelow(folder));
  const surplus = [...found].find((name) => partOfModel.test(name) && !(name in files));
  if (surplus !== undefined) throw damagedCheckpoint(join(folder, surplus), `${sealName} does not name it`);
  for (const [name, { bytes }] of Object.entries(files)) {
    const path = join(folder, name);
    if (!found.has(name)) throw damagedCheckpoint(path, 'it is missing');
    const status = lstatSync(path);
    if (!status.isFile()) throw damagedCheckpoint(path, 'it is no regular file');
    if (status.size !== bytes)
      throw damagedCheckpoint(path, `it has ${status.size} bytes, and was saved with ${bytes}`);
  }
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

function filesBelow(folder: string, prefix = ''): string[] {
  const found: string[] = [];
  for (const entry of readdirSync(join(folder, prefix), { withFileTypes: true })) {
    const path = prefix ? `${prefix}/${entry.name}` : entry.name;
    if (entry.isDirectory()) found.push(...filesBelow(folder, path));
    else found.push(path);
  }
  return found.sort();
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
