import { UserError } from '@anneal/formats/errors';

const REPAIR = 'download the file again; it must be written by the tokenizers library';

export const tokenizerInvalid = (cause: unknown, where: string, next = REPAIR): UserError =>
  new UserError({
    what: `the tokenizer cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`,
    where,
    next,
    code: 'tokenizer_invalid',
    cause,
  });

/** What the library did instead of answering. */
export const tokenizerFailed = (reason: string, where: string): UserError =>
  new UserError({
    what: `the tokenizers library failed on this tokenizer: ${reason}`,
    where,
    next: 'check that tokenizer.json is the one its model came with; a text of millions of equal characters can cause it, too',
    code: 'tokenizer_failed',
  });
