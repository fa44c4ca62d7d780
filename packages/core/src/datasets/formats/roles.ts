/** The template's role → the data's names of it. */
export const USUAL_ROLES: Readonly<Record<string, readonly string[]>> = {
  system: ['system', 'developer'],
  user: ['user', 'human'],
  assistant: ['assistant', 'gpt', 'function_call'],
  tool: ['tool', 'observation', 'function'],
};
