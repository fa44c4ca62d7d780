/** Handing on to a hub what was exported. Browser-safe. */
import { z } from 'zod';

const bytes = z.number().min(0);

export const pushRequest = z.strictObject({
  /** A run, or the path of something that it was exported as. */
  source: z.string().min(1),
  /** `owner/name` at the hub. */
  to: z.string().min(1),
  hub: z.enum(['huggingface', 'modelscope']).default('huggingface'),
  /** Everybody can see the repository; without it is private. */
  public: z.boolean().default(false),
  /** Also into a repository that holds something else: files of the same names get a new version. */
  replace: z.boolean().default(false),
});
export type PushRequest = z.input<typeof pushRequest>;

/** Bytes, where a phase has them; `total` is 0 where it is not known. */
export const pushProgressSchema = z.object({
  phase: z.enum(['hashing', 'asking', 'uploading', 'committing']),
  file: z.string().optional(),
  done: bytes,
  total: bytes,
});
export type PushProgress = z.infer<typeof pushProgressSchema>;

export const pushedRepositorySchema = z.object({
  repository: z.string(),
  /** Its page. */
  url: z.string(),
  commit: z.string(),
  isPrivate: z.boolean(),
  /** Each compared with the hub's hash of it. */
  files: z.array(z.object({ path: z.string(), bytes, sha256: z.string() })),
  /** Those of them that were not there. */
  sent: z.array(z.string()),
  /** What whoever downloads it will find otherwise than it is here, in sentences. */
  warnings: z.array(z.string()),
});
export type PushedRepository = z.infer<typeof pushedRepositorySchema>;
