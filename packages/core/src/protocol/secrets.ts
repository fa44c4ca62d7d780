/** Secrets of others that an agent keeps to use them. Browser-safe. */
import { z } from 'zod';
import { secretNames } from './secretNames.ts';

export const secretNameSchema = z.enum(secretNames);

/** The field is called `secret` wherever one is sent: of such fields the audit holds nothing. */
export const setSecretRequest = z.strictObject({
  name: secretNameSchema,
  secret: z
    .string()
    .trim()
    .regex(/^hf_\w{8,512}$/, 'a token of the Hugging Face Hub is hf_ and at least 8 letters or digits'),
});
export type SetSecretRequest = z.input<typeof setSecretRequest>;

/** What is told of one: never the secret itself. */
export const listedSecretSchema = z.object({
  name: secretNameSchema,
  /** Where it would come from now; null: there is none. */
  from: z.enum(['environment', 'kept']).nullable(),
  /** Its last four characters. */
  ending: z.string().nullable(),
  /** Of the one that is kept: when it was set (ISO 8601, UTC), and by whom; null on the command line. */
  set: z.string().nullable(),
  by: z.string().nullable(),
});
export type ListedSecret = z.infer<typeof listedSecretSchema>;
