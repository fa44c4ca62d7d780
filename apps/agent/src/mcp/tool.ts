import type { Role } from '@anneal/core/protocol/roles';
import type { z } from 'zod';
import type { UseCases } from '../commands/useCases.ts';
import type { Connection } from '../remote/connection.ts';

export interface Surroundings {
  connection: Connection;
  /** The use cases of the agent; what they begin ends with `signal`. */
  ask: UseCases;
  /** Aborted where the client cancels the call. */
  signal: AbortSignal;
  /** Tells the client how far it is. */
  report(done: number, total: number | undefined, what: string): void;
}

/** A verb as a tool. Its input is described by the schema of the request, and checked with it. */
export interface Tool {
  name: string;
  description: string;
  /** Who has less is not offered it. A viewer's change nothing. */
  role: Role;
  request: z.ZodObject;
  run(surroundings: Surroundings, input: unknown): Promise<unknown>;
}
