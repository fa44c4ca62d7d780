import { type Repetition, repetitionSchema } from '@anneal/core/trainer/repetition';

/** What a launch of a run is told: the arguments of the worker behind the run's directory. */
export interface Launch {
  /** It outlives the process that started it, also where that listens to it. */
  detached?: boolean | undefined;
  /** The last event that the run may have: a launch that was ordered twice happens once. */
  afterSeq?: number | undefined;
  /** `key=value` of the recipe that this launch changes. */
  changes?: readonly string[] | undefined;
  /** Of a launch that repeats steps of another run. */
  repetition?: Repetition | undefined;
}

const detachedFlag = '--detached';
const afterFlag = '--after=';
const repetitionFlag = '--repetition=';

export function launchArguments({ detached, afterSeq, changes = [], repetition }: Launch): string[] {
  return [
    ...(detached ? [detachedFlag] : []),
    ...(afterSeq === undefined ? [] : [`${afterFlag}${afterSeq}`]),
    ...(repetition ? [`${repetitionFlag}${JSON.stringify(repetition)}`] : []),
    ...changes,
  ];
}

export function parseLaunch(args: readonly string[]): Launch & { changes: readonly string[] } {
  const valueOf = (flag: string) => args.find((arg) => arg.startsWith(flag))?.slice(flag.length);
  const after = valueOf(afterFlag);
  const repetition = valueOf(repetitionFlag);
  return {
    detached: args.includes(detachedFlag),
    afterSeq: after === undefined ? undefined : Number(after),
    repetition: repetition === undefined ? undefined : repetitionSchema.parse(JSON.parse(repetition)),
    changes: args.filter((arg) => !arg.startsWith('--')),
  };
}
