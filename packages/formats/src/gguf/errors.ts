import { UserError } from '../errors.ts';

export function invalidGguf(what: string, where: string, next = 'download or convert the file again'): UserError {
  return new UserError({ what: `not a valid GGUF file: ${what}`, where, next, code: 'gguf_invalid' });
}
