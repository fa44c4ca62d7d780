/** Endpoints that an agent may ask for rows: configured by an admin, each with its key. Browser-safe. */
import { z } from 'zod';

export const endpointName = z
  .string()
  .trim()
  .regex(/^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,63}$/u, 'letters, digits, blanks and . _ -, at most 64');

/** The field is called `secret`: of such fields the audit holds nothing. */
export const setEndpointRequest = z.strictObject({
  name: endpointName,
  /** Up to and without `/chat/completions`. */
  url: z.string().trim().min(1).max(2048),
  /** Its API key. null: it has none; absent: the one that is kept, as long as the address is the same. */
  secret: z
    .string()
    .trim()
    .regex(/^[\x21-\x7e]{1,4096}$/, 'a key has no blanks')
    .nullable()
    .optional(),
});
export type SetEndpointRequest = z.input<typeof setEndpointRequest>;

/** What is told of one: never the key. */
export interface ListedEndpoint {
  name: string;
  url: string;
  /** The last four characters of its key; null: it has none. */
  ending: string | null;
  /** When it was set (ISO 8601, UTC), and by whom; null on the command line. */
  set: string;
  by: string | null;
}
