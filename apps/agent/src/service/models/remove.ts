import { UserError } from '@anneal/core/errors';
import { removeCached } from '@anneal/core/hub/removeCached';
import { type RemoveModelRequest, removeModelRequest } from '@anneal/core/protocol/models';
import type { Context } from '../context.ts';
import { parseRequest } from '../parseRequest.ts';
import { cachedNamed } from './list.ts';
import { usersOf } from './users.ts';

/** The folder that would be removed. @throws UserError `model_not_in_cache`, `model_in_use` */
export function removableModel(_: Context, request: RemoveModelRequest): { folder: string } {
  const { model, runs } = parseRequest(removeModelRequest, request);
  const { folder } = cachedNamed(model);
  const users = usersOf(runs)(folder);
  if (users.length === 0) return { folder };
  throw new UserError({
    what: `runs need this model to be resumed, exported or talked to: ${users.slice(0, 5).join(', ')}${users.length > 5 ? ' …' : ''}`,
    where: folder,
    next: 'remove those runs first',
    code: 'model_in_use',
  });
}

/** Removes a model from the cache. It can be pulled again. */
export function removeModel(context: Context, request: RemoveModelRequest): { folder: string } {
  const { folder } = removableModel(context, request);
  removeCached(folder);
  return { folder };
}
