/** Who uses an agent, and what each may do. Browser-safe. */
import { z } from 'zod';

/**
 * Each may all that the one before may. `viewer`: see everything; `editor`: change recipes and rows, talk to models; `operator`: train,
 * export, order the queue; `admin`: people, tokens and the audit.
 */
export const roles = ['viewer', 'editor', 'operator', 'admin'] as const;
export const roleSchema = z.enum(roles);
export type Role = z.infer<typeof roleSchema>;

export function reaches(role: Role, needed: Role): boolean {
  return roles.indexOf(role) >= roles.indexOf(needed);
}

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

/**
 * What a token of a program may do. `chat`: talk to models, by `/v1`; `data`: read and send data; `exports`: download what was
 * exported; `metrics`: read `/metrics`.
 */
export const scopes = ['chat', 'data', 'exports', 'metrics'] as const;
export type Scope = (typeof scopes)[number];

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
