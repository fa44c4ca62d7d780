/** What every use case is given beside its input. */
export interface Context {
  /** Where runs are kept. Undefined: where a recipe says, and `runs` where there is none. */
  readonly runsFolder?: string | undefined;
}

const usualRunsFolder = 'runs';

export function runsFolderOf({ runsFolder = usualRunsFolder }: Context): string {
  return runsFolder;
}
