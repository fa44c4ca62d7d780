import { UserError } from '@anneal/core/errors';
import { z } from 'zod';

/**
 * A request with its defaults. A command may give all its options, of which some are its own; what comes from elsewhere was held to
 * the keys of the schema before. @throws UserError `bad_request` with the first field that cannot be used, and why
 */
export function parseRequest<Schema extends z.ZodType>(schema: Schema, request: z.input<Schema>): z.output<Schema> {
  const known = schema instanceof z.ZodObject ? schema.strip() : schema;
  const { success, data, error } = known.safeParse(request) as z.ZodSafeParseResult<z.output<Schema>>;
  if (success) return data;
  throw badRequest(error);
}

/** Says the first of the issues. */
export function badRequest({ issues: [issue], message }: z.core.$ZodError): UserError {
  if (issue?.code === 'unrecognized_keys') {
    return new UserError({
      what: `${issue.keys.map((key) => JSON.stringify(key)).join(', ')} is nothing that can be asked for here`,
      where: issue.path.join('.') || 'the request',
      next: 'leave it out, or ask an agent of a version that knows it',
      code: 'bad_request',
    });
  }
  return new UserError({
    what: issue?.message ?? message,
    where: issue?.path.join('.') || 'the request',
    next: 'give another value there',
    code: 'bad_request',
  });
}
