/** What people and programs may do. Without a schema, so that a page can use it for nothing. */

/**
 * Each may all that the one before may. `viewer`: see everything; `editor`: change recipes and rows, talk to models; `operator`: train,
 * export, order the queue; `admin`: people, tokens and the audit.
 */
export const roles = ['viewer', 'editor', 'operator', 'admin'] as const;
export type Role = (typeof roles)[number];

export function reaches(role: Role, needed: Role): boolean {
  return roles.indexOf(role) >= roles.indexOf(needed);
}

/**
 * What a token of a program may do. `chat`: talk to models, by `/v1`; `data`: read and send data; `exports`: download what was
 * exported; `metrics`: read `/metrics`.
 */
export const scopes = ['chat', 'data', 'exports', 'metrics'] as const;
export type Scope = (typeof scopes)[number];
