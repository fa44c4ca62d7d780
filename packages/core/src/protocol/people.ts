/** Who uses an agent, and what each may do. Browser-safe. */
import { z } from 'zod';
import { roles } from './roles.ts';

export const roleSchema = z.enum(roles);

export const personNameSchema = z.string().trim().min(1).max(40);

export const personSchema = z.object({
  id: z.string(),
  name: personNameSchema,
  role: roleSchema,
  /** ISO 8601, UTC. */
  created: z.string(),
});
export type Person = z.infer<typeof personSchema>;

export interface ListedPerson extends Person {
  /** Browsers that are paired. */
  browsers: number;
  /** Until when an invitation of theirs may be opened; null where none is out. */
  invited: string | null;
}

/** A browser that is paired. */
export interface PairedBrowser {
  id: string;
  /** As it calls itself. */
  browser: string;
  created: string;
  until: string;
  /** The one that asks. */
  isThis: boolean;
}

/** A code that pairs one browser; the page makes a link of it. */
export interface PairingCode {
  code: string;
  until: string;
}

/** Who did what. */
export const auditEntrySchema = z.object({
  /** ISO 8601, UTC. */
  time: z.string(),
  /** Their name then; null where nobody is known. */
  name: z.string().nullable(),
  /** What was asked for: a procedure, or what the command line did. */
  action: z.string(),
  /** With what, in short. */
  input: z.string(),
  /** `done`, or the code of the error. */
  outcome: z.string(),
});
export type AuditEntry = z.infer<typeof auditEntrySchema>;

export interface AuditPage {
  /** Newest first. */
  entries: AuditEntry[];
  /** What the next page is asked for with; null where there is none. */
  before: number | null;
}
