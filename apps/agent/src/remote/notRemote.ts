import { UserError } from '@anneal/core/errors';

/** Something that was asked for and has no meaning for another machine: nothing is ignored. */
export function notRemote(what: string, where: string, next: string): UserError {
  return new UserError({ what, where, next, code: 'not_remote' });
}
