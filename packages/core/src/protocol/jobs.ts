/** What the agent does for somebody and takes a while; it goes on whether or not somebody looks. Browser-safe. */
import type { ComparedExport, ExportedForm, ExportProgress, ParityProgress } from './exports.ts';
import type { CheckedModel, CheckModelProgress, PulledModel, PullProgress } from './models.ts';
import type { PushedRepository, PushProgress } from './push.ts';
import type { EditProgress, NewVersion } from './rowEdits.ts';
import type { ToldError } from './studio.ts';
import type { SynthesisProgress, SynthesisResult } from './synthesis.ts';

/** A kind of job: what it tells on the way, and what it ends with. */
export interface JobKinds {
  export: { progress: ExportProgress; result: ExportedForm[] };
  pull: { progress: PullProgress; result: PulledModel };
  /** Downloading a data set of a hub; `key` names it among the data that can be looked at. */
  pullData: { progress: PullProgress; result: PulledModel & { key: string } };
  /** Comparing a pulled model with the hashes of its source. */
  checkModel: { progress: CheckModelProgress; result: CheckedModel };
  /** Comparing answers. */
  parity: { progress: ParityProgress; result: ComparedExport[] };
  /** Sending to a hub what was exported. */
  push: { progress: PushProgress; result: PushedRepository };
  /** Writing a new version of a data file. */
  editRow: { progress: EditProgress; result: NewVersion };
  /** Making rows; of the result files are named by their keys. */
  synthesize: { progress: SynthesisProgress; result: SynthesisResult };
}
export type JobKind = keyof JobKinds;

/** `cancelling` until all that was begun is cleared away. */
export type JobState = 'running' | 'cancelling' | 'finished' | 'failed' | 'cancelled';

export interface JobOf<Kind extends JobKind> {
  id: string;
  kind: Kind;
  /** What it is for: the key of a run, the name of a model. */
  subject: string;
  state: JobState;
  /** ISO 8601, UTC. */
  started: string;
  ended: string | null;
  progress: JobKinds[Kind]['progress'] | null;
  result: JobKinds[Kind]['result'] | null;
  error: ToldError | null;
}
export type ListedJob = { [Kind in JobKind]: JobOf<Kind> }[JobKind];

/** A change of the list: what is new or different, and the ids of what is gone. The first holds everything. */
export interface JobListChange {
  jobs: ListedJob[];
  gone: string[];
}
