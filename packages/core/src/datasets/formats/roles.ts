/** The template's role → the data's names of it. `function_call` is the assistant's, for a turn that is a call of a tool as JSON. */
export const USUAL_ROLES: Readonly<Record<string, readonly string[]>> = {
  system: ['system', 'developer'],
  user: ['user', 'human', 'prompter', 'input'],
  assistant: ['assistant', 'gpt', 'model', 'chatgpt', 'bing', 'bard', 'bot', 'output'],
  function_call: ['function_call', 'tool_call'],
  tool: ['tool', 'observation', 'function', 'ipython', 'function_response', 'tool_response'],
};

/** With the names that a recipe adds. One that it gives to another role is taken from the role that usually has it. */
export function withUsualRoles(written: Readonly<Record<string, readonly string[]>>): Record<string, string[]> {
  const taken = new Set(Object.values(written).flat());
  const names = Object.keys({ ...USUAL_ROLES, ...written }).map((role): [string, string[]] => {
    const usual = (USUAL_ROLES[role] ?? []).filter((name) => !taken.has(name));
    return [role, [...usual, ...(written[role] ?? [])]];
  });
  return Object.fromEntries(names.filter(([, some]) => some.length > 0));
}

/** A role as the data call it. */
export interface KnownRole {
  readonly role: string;
  readonly isCall: boolean;
}

/** @param written the name in the data, which counts in any case unless a recipe spells it so */
export type RoleNames = (written: unknown) => KnownRole | undefined;

export function roleNames(
  written: Readonly<Record<string, readonly string[]>>,
): RoleNames & { all: readonly string[] } {
  const roleOf = new Map<string, KnownRole>();
  for (const [role, names] of Object.entries(withUsualRoles(written))) {
    for (const name of names) {
      const isCall = role === 'function_call' || (USUAL_ROLES.function_call as readonly string[]).includes(name);
      roleOf.set(name, { role: role === 'function_call' ? 'assistant' : role, isCall });
    }
  }
  const find: RoleNames = (name) =>
    typeof name === 'string' ? (roleOf.get(name) ?? roleOf.get(name.toLowerCase())) : undefined;
  return Object.assign(find, { all: [...roleOf.keys()] });
}

/** Without what a recipe adds. */
export const usualRole = roleNames({});
