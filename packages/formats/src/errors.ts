/**
 * An error a person can act on: what went wrong, where, and what to do next.
 * Only edges (command line, API, parsers of foreign bytes) make one; invariants inside are assertions.
 * It lives in the lowest package so that every edge can throw the same class; core re-exports it.
 */
export class UserError extends Error {
  readonly what: string;
  readonly where: string | undefined;
  readonly next: string | undefined;
  /** Stable machine-readable name, snake_case. */
  readonly code: string;

  constructor(parts: {
    what: string;
    where?: string | undefined;
    next?: string | undefined;
    code: string;
    cause?: unknown;
  }) {
    super(
      [parts.what, parts.where && `  at ${parts.where}`, parts.next && `  ${parts.next}`].filter(Boolean).join('\n'),
      {
        cause: parts.cause,
      },
    );
    this.name = 'UserError';
    this.what = parts.what;
    this.where = parts.where;
    this.next = parts.next;
    this.code = parts.code;
  }

  toJSON(): { code: string; what: string; where?: string; next?: string } {
    return {
      code: this.code,
      what: this.what,
      ...(this.where === undefined ? {} : { where: this.where }),
      ...(this.next === undefined ? {} : { next: this.next }),
    };
  }
}
