/** What keeps a synthesis as a whole from going on. */
import { UserError } from '../errors.ts';
import type { RequestFailure } from './endpoint.ts';
import type { EndpointOptions } from './options.ts';

/** No request to this endpoint will do; null where only this one did not. @param answered whether one has */
export function fatalError(
  failure: RequestFailure,
  { url, model, apiKeyVariable }: EndpointOptions,
  answered: boolean,
): UserError | null {
  if (failure.reason === 'not_reached' && !answered) {
    return new UserError({
      what: `nobody answers there: ${failure.message}`,
      where: url,
      next: 'check the address, and start the server; nothing was lost',
      code: 'endpoint_not_reached',
      cause: failure,
    });
  }
  if (failure.status === 401 || failure.status === 403) {
    return new UserError({
      what: `the endpoint does not let us in: ${failure.message}`,
      where: url,
      next:
        apiKeyVariable === null
          ? 'name the environment variable that holds the API key: api_key_env'
          : `check the key in ${apiKeyVariable}`,
      code: 'endpoint_refused',
      cause: failure,
    });
  }
  if (failure.status === 404) {
    return new UserError({
      what: `the endpoint has no model '${model}', or the address is wrong: ${failure.message}`,
      where: `${url}/chat/completions`,
      next: 'check `model` and `url`: the address ends before /chat/completions, mostly in /v1',
      code: 'endpoint_refused',
      cause: failure,
    });
  }
  return null;
}

export function endpointFailing(failure: RequestFailure, { url }: EndpointOptions, failed: number): UserError {
  return new UserError({
    what: `${failed} ${failed === 1 ? 'request' : 'requests'} failed in a row: ${failure.message}`,
    where: url,
    next: 'look at the server, then give the same command again: no answer is asked for twice',
    code: 'endpoint_failing',
    cause: failure,
  });
}
