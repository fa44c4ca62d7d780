import type { UserError } from '../errors.ts';
import type { Warning } from '../protocol/events.ts';

/** A cache that cannot be written, or was damaged, costs time and nothing else. @param what could not be kept in it, or taken from it */
export function cacheWarning(what: string, error: UserError): Warning {
  if (error.code === 'token_cache_damaged') {
    const message = `${what} lay in the cache and were made again: ${error.what}`;
    return { type: 'warning', code: 'cache_damaged', message, next: 'nothing; if it happens again, look at the disk' };
  }
  return {
    type: 'warning',
    code: 'cache_not_writable',
    message: `${what} could not be kept for the next time: ${error.what}`,
    ...(error.where !== undefined && { where: error.where }),
    next: 'make the cache folder writable, or point ANNEAL_CACHE to another',
  };
}
