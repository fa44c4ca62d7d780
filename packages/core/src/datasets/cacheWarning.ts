import type { UserError } from '../errors.ts';
import type { Warning } from '../protocol/events.ts';

/** A cache that cannot be written costs time and nothing else. @param what could not be kept in it */
export function cacheWarning(what: string, error: UserError): Warning {
  return {
    type: 'warning',
    code: 'cache_not_writable',
    message: `${what} could not be kept for the next time: ${error.what}`,
    ...(error.where !== undefined && { where: error.where }),
    next: 'make the cache folder writable, or point ANNEAL_CACHE to another',
  };
}
