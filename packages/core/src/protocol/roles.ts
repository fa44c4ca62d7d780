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

/** What else a program may ask for than procedures, each with the part of the agent that answers. */
export const areas = ['chat', 'data', 'exports', 'metrics'] as const;
export type Area = (typeof areas)[number];

/** What programs may have as well: everything that people of the role may. Who may do what is decided by people alone. */
export const tokenRoles = ['viewer', 'editor', 'operator'] as const satisfies readonly Role[];
export type TokenRole = (typeof tokenRoles)[number];

/**
 * What a token of a program may do. `chat`: talk to models, by `/v1`; `data`: read and send data; `exports`: download what was
 * exported; `metrics`: read `/metrics`; a role: whatever people of that role may.
 */
export const scopes = [...areas, ...tokenRoles] as const;
export type Scope = (typeof scopes)[number];

/** The role of a scope; undefined for one that opens a single area. */
export function roleOf(scope: Scope): TokenRole | undefined {
  return tokenRoles.find((role) => role === scope);
}
