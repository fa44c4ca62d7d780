/** The job of making rows: whom it may ask is decided when it begins. */
import type { SynthesisRequest } from '@anneal/core/protocol/synthesis';
import { runApart } from '../../runner/runApart.ts';
import type { AllowedEndpoint } from '../../service/context.ts';
import type { Agent } from '../router/trpc.ts';

type Makers = Pick<Agent, 'workspace' | 'jobs' | 'endpoints' | 'tokens' | 'ownApi'>;

/** @param recipe its key @returns the id of the job @throws UserError `recipe_not_found`, `job_running`, `secrets_damaged` */
export function startSynthesis(agent: Makers, { recipe, ...request }: SynthesisRequest): string {
  const { workspace, jobs } = agent;
  const path = workspace.recipe(recipe);
  const order = { kind: 'synthesize', subject: recipe, target: recipe } as const;
  const configured = agent.endpoints.open();
  const { id } = jobs.start(order, async function* (signal) {
    const lent = agent.tokens.lend(`rows of ${recipe}`, 'chat');
    const own: AllowedEndpoint = { name: 'this agent', url: agent.ownApi(), apiKey: lent.token };
    try {
      const endpoints = [own, ...configured.filter(({ url }) => url !== own.url)];
      const context = { synthesis: { endpoints, folder: workspace.root } };
      const result = yield* runApart('synthesize', context, { recipe: path, ...request }, signal);
      const keyOf = (file: string | null) => file && workspace.keyOf(file);
      return { ...result, output: keyOf(result.output), rejectedFile: keyOf(result.rejectedFile) };
    } finally {
      lent.end();
    }
  });
  return id;
}
