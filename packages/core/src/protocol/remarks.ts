/** What people say of a run. Browser-safe. */
import { z } from 'zod';
import { tagForm } from './remarkForms.ts';

export const tagSchema = z
  .string()
  .regex(tagForm, 'a tag is a word of at most 40 letters, digits, dots, dashes and underscores');

export const noteSchema = z.object({
  text: z.string(),
  by: z.string(),
  /** ISO 8601, UTC. */
  time: z.string(),
});
export type Note = z.infer<typeof noteSchema>;
