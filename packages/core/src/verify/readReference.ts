import { RandomAccessFile, readSmallFile } from '@anneal/formats/files/randomAccess';
import { parseJsonObject } from '@anneal/formats/json';
import { LIMITS } from '@anneal/formats/limits';
import { z } from 'zod';
import { UserError } from '../errors.ts';

/** @param form what is read of it; @throws UserError `golden_incomplete` where a JSON file of reference values has another one */
export function readReference<Golden>(path: string, form: z.ZodType): Golden {
  const read = form.safeParse(parseJsonObject(readSmallFile(path, LIMITS.tokenizerBytes), path));
  if (read.success) return read.data as Golden;
  const [{ path: keys, message } = { path: [], message: '' }] = read.error.issues;
  throw new UserError({
    what: `these reference values have another form: ${keys.join('.')}: ${message}`,
    where: path,
    next: 'make them again with the tool that makes reference values',
    code: 'golden_incomplete',
  });
}

export const NUMBERS = z.array(z.number());
export const IDS = z.array(z.int());

/** How a file begins. @throws UserError */
export function headOf(path: string, bytes: number): string {
  const file = new RandomAccessFile(path);
  try {
    return Buffer.from(file.read(0, Math.min(bytes, file.size))).toString();
  } finally {
    file.close();
  }
}
