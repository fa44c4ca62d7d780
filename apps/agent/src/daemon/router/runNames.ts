/** Runs as a client names them. */
import { z } from 'zod';

/** What an agent calls a run: its path below the workspace. */
export const key = z.string().min(1).max(1024);
export const named = z.strictObject({ run: key });
