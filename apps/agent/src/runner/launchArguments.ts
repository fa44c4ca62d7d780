/** What a launch of a run is told: the arguments of the worker behind the run's directory. */
export interface Launch {
  /** It outlives the process that started it, also where that listens to it. */
  detached?: boolean | undefined;
  /** The last event that the run may have: a launch that was ordered twice happens once. */
  afterSeq?: number | undefined;
  /** `key=value` of the recipe that this launch changes. */
  changes?: readonly string[] | undefined;
}

const detachedFlag = '--detached';
const afterFlag = '--after=';

export function launchArguments({ detached, afterSeq, changes = [] }: Launch): string[] {
  return [
    ...(detached ? [detachedFlag] : []),
    ...(afterSeq === undefined ? [] : [`${afterFlag}${afterSeq}`]),
    ...changes,
  ];
}

export function parseLaunch(args: readonly string[]): Launch & { changes: readonly string[] } {
  const after = args.find((arg) => arg.startsWith(afterFlag))?.slice(afterFlag.length);
  return {
    detached: args.includes(detachedFlag),
    afterSeq: after === undefined ? undefined : Number(after),
    changes: args.filter((arg) => !arg.startsWith('--')),
  };
}
