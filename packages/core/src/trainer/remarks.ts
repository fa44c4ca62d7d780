/** `remarks.json`: what people say of a run, beside what it says of itself. There is none until somebody says something. */
import { join } from 'node:path';
import { replaceFile } from '@anneal/formats/files/atomicWrite';
import { z } from 'zod';
import { UserError } from '../errors.ts';
import { acknowledgementSchema, alertName } from '../protocol/alerts.ts';
import { noteSchema } from '../protocol/remarks.ts';
import { kindOf, readRunFile } from './runFiles.ts';

export const remarksName = 'remarks.json';

const remarksSchema = z.object({
  version: z.literal(1),
  /** Alerts that were looked at. */
  acknowledged: z.array(alertName.extend(acknowledgementSchema.shape)).default([]),
  note: noteSchema.nullable().default(null),
  tags: z.array(z.string()).default([]),
});
export type Remarks = z.infer<typeof remarksSchema>;

/** @throws UserError `remarks_damaged` */
export function readRemarks(run: string): Remarks {
  const path = join(run, remarksName);
  if (kindOf(path) === undefined) return remarksSchema.parse({ version: 1 });
  const { data } = remarksSchema.safeParse(jsonOf(readRunFile(path)));
  if (data) return data;
  throw new UserError({
    what: 'what people have said of this run cannot be read',
    where: path,
    next: 'restore the file from a copy, or remove it: the run itself is as it was',
    code: 'remarks_damaged',
  });
}

/** Of two processes that change them at once the caller lets one wait. */
export function writeRemarks(run: string, remarks: Remarks): void {
  replaceFile(join(run, remarksName), `${JSON.stringify(remarks, null, 2)}\n`, { sync: true });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
