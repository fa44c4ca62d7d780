import type * as z from 'zod';
import type { EndpointOptions } from '../../synthesis/options.ts';
import { withoutSlash } from './address.ts';
import type { endpointSchema } from './schema.ts';

/** How an endpoint is asked, as a recipe says it. */
export function endpointOf(written: z.output<typeof endpointSchema>): EndpointOptions {
  return {
    url: withoutSlash(written.url),
    model: written.model,
    apiKeyVariable: written.api_key_env,
    parameters: {
      ...(written.parameters !== null && 'max_completion_tokens' in written.parameters
        ? {}
        : { max_tokens: written.max_tokens }),
      temperature: written.temperature,
      ...(written.top_p !== null && { top_p: written.top_p }),
      ...written.parameters,
    },
    sendSeed: written.send_seed,
    concurrency: written.concurrency,
    timeoutMilliseconds: written.timeout_seconds * 1000,
    retries: written.retries,
  };
}
