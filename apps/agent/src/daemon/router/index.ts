/** What a client can ask for, a file a noun. Adding one: a file beside this one and a line here. */
import { agent } from './agent.ts';
import { audit } from './audit.ts';
import { chat } from './chat.ts';
import { data } from './data.ts';
import { endpoints } from './endpoints.ts';
import { exports } from './exports.ts';
import { host } from './host.ts';
import { jobs } from './jobs.ts';
import { models } from './models.ts';
import { people } from './people.ts';
import { queue } from './queue.ts';
import { recipes } from './recipes.ts';
import { runs } from './runs.ts';
import { secrets } from './secrets.ts';
import { storage } from './storage.ts';
import { synthesis } from './synthesis.ts';
import { tokens } from './tokens.ts';
import { router } from './trpc.ts';

export const appRouter = router({
  agent,
  audit,
  chat,
  data,
  endpoints,
  exports,
  host,
  jobs,
  models,
  people,
  queue,
  recipes,
  runs,
  secrets,
  storage,
  synthesis,
  tokens,
});

/** All that the studio knows of the agent's code. */
export type AppRouter = typeof appRouter;
