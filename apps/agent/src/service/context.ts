import type { SecretName } from '@anneal/core/protocol/secretNames';

/** What every use case is given beside its input. */
export interface Context {
  /** Where runs are kept. Undefined: where a recipe says, and `runs` where there is none. */
  readonly runsFolder?: string | undefined;
  /** From where relative paths of a request go on, where a use case says so. Undefined: the working folder of this process. */
  readonly baseFolder?: string | undefined;
  /** Ends what is done, wherever it is. Without it, whoever stops listening ends it at its next progress. */
  readonly signal?: AbortSignal | undefined;
  /** Tokens of hubs. They go to nobody else, and into no message. */
  readonly secrets?: Readonly<Partial<Record<SecretName, string>>> | undefined;
  /** Of an agent, what a recipe of `anneal synthesize` may do. Undefined on the command line: all that this user may. */
  readonly synthesis?: AllowedSynthesis | undefined;
}

export interface AllowedSynthesis {
  readonly endpoints: readonly AllowedEndpoint[];
  /** Where its sources lie, and its output. */
  readonly folder: string;
}

/** An address that may be asked. Its key goes there and nowhere else. */
export interface AllowedEndpoint {
  readonly name: string;
  readonly url: string;
  readonly apiKey: string | null;
}

const usualRunsFolder = 'runs';

export function runsFolderOf({ runsFolder = usualRunsFolder }: Context): string {
  return runsFolder;
}
