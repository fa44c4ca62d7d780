/** Which secrets of others an agent keeps. Without a schema, so that a page can use it for nothing. */

/** Adding one: a name here, its form in `secrets.ts`, its words in the studio, and whoever uses it. */
export const secretNames = ['hf_token'] as const;
export type SecretName = (typeof secretNames)[number];

/** The variable of the environment that comes before what is kept. */
export const secretVariables: Readonly<Record<SecretName, string>> = { hf_token: 'HF_TOKEN' };
