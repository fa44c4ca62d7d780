/**
 * What the agent does that takes more than a moment. A job belongs to the agent, not to the client that asked for it: it
 * goes on when a tab is closed, and whoever comes back finds it. It ends with the agent, which then clears away what
 * it began.
 */
import { randomBytes } from 'node:crypto';
import { deviceFault } from '@anneal/core/deviceFault';
import { UserError } from '@anneal/core/errors';
import type { JobKind, JobKinds, JobOf, ListedJob } from '@anneal/core/protocol/jobs';

/** Each has a process of its own. */
const mostRunning = 8;
/** Of those that have ended, the newest are kept for whoever looks later. */
const mostEnded = 30;

export interface JobOrder<Kind extends JobKind> {
  kind: Kind;
  subject: string;
  /** Two jobs that would write the same have the same: the second is refused. */
  target: string;
}

type Work<Kind extends JobKind> = (
  signal: AbortSignal,
) => AsyncGenerator<JobKinds[Kind]['progress'], JobKinds[Kind]['result']>;

interface Kept {
  job: ListedJob;
  target: string;
  /** Higher after every change. */
  version: number;
  cancel: AbortController;
  ended: Promise<void>;
}

export class Jobs {
  readonly #kept = new Map<string, Kept>();
  readonly #listeners = new Set<() => void>();
  readonly #log: (text: string) => void;
  #closed = false;

  /** @param log is told of defects */
  constructor(log: (text: string) => void) {
    this.#log = log;
  }

  /**
   * Begins a job, and returns at once. `work` ends early when its signal aborts, with nothing half-done left behind.
   * @throws UserError `job_running`, `too_many_jobs`
   */
  start<Kind extends JobKind>({ kind, subject, target }: JobOrder<Kind>, work: Work<Kind>): ListedJob {
    const running = [...this.#kept.values()].filter(({ job }) => job.ended === null);
    if (this.#closed) throw refusal('the agent ends', subject, 'try again when it is back', 'agent_ends');
    if (running.some((kept) => kept.job.kind === kind && kept.target === target)) {
      throw refusal('this is being done already', subject, 'wait for it, or cancel it first', 'job_running');
    }
    if (running.length >= mostRunning) {
      throw refusal(`${mostRunning} jobs are running`, subject, 'wait for one of them, or cancel it', 'too_many_jobs');
    }
    const job: JobOf<Kind> = {
      id: randomBytes(8).toString('hex'),
      kind,
      subject,
      state: 'running',
      started: new Date().toISOString(),
      ended: null,
      progress: null,
      result: null,
      error: null,
    };
    const cancel = new AbortController();
    const kept: Kept = { job: job as ListedJob, target, version: 0, cancel, ended: Promise.resolve() };
    this.#kept.set(job.id, kept);
    kept.ended = this.#follow(kept, job, work(cancel.signal));
    this.#changed(kept);
    return kept.job;
  }

  /** Every job with its version, oldest first. */
  all(): { job: ListedJob; version: number }[] {
    return [...this.#kept.values()].map(({ job, version }) => ({ job: { ...job }, version }));
  }

  /** Asks a job to end. One that has ended stays as it is. @throws UserError `job_not_found` */
  cancel(id: string): void {
    const kept = this.#get(id);
    if (kept.job.state !== 'running') return;
    kept.job.state = 'cancelling';
    kept.cancel.abort();
    this.#changed(kept);
  }

  /** Forgets a job that has ended. @throws UserError `job_not_found` */
  forget(id: string): void {
    const { job } = this.#get(id);
    if (job.ended === null) throw refusal('this job has not ended', job.subject, 'cancel it first', 'job_running');
    this.#kept.delete(id);
    this.#tell();
  }

  /** Calls `listener` after changes. Returns how to end that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Cancels what is running, and resolves when all of it has cleared up. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { job } of this.#kept.values()) if (job.ended === null) this.cancel(job.id);
    await Promise.all([...this.#kept.values()].map(({ ended }) => ended));
  }

  async #follow<Kind extends JobKind>(kept: Kept, job: JobOf<Kind>, work: ReturnType<Work<Kind>>): Promise<void> {
    try {
      for (;;) {
        const { value, done } = await work.next();
        if (done) {
          job.result = value;
          job.state = 'finished';
          break;
        }
        job.progress = value;
        this.#changed(kept);
      }
    } catch (error) {
      // What is thrown after a cancel is how the work ends then.
      job.state = kept.cancel.signal.aborted ? 'cancelled' : 'failed';
      if (job.state === 'failed') job.error = this.#told(error, job.kind);
    }
    job.ended = new Date().toISOString();
    this.#forgetOldest();
    this.#changed(kept);
  }

  #told(error: unknown, kind: JobKind): ListedJob['error'] {
    const known = error instanceof UserError ? error : deviceFault(error);
    if (known) return known.toJSON();
    this.#log(`defect in a job (${kind}): ${error instanceof Error ? error.stack : String(error)}`);
    return {
      code: 'internal_error',
      what: 'unexpected error in the agent',
      next: 'what it is stands in the output of the agent: please report it',
    };
  }

  #forgetOldest(): void {
    const ended = [...this.#kept.values()].filter(({ job }) => job.ended !== null);
    ended.sort((a, b) => ((a.job.ended as string) < (b.job.ended as string) ? -1 : 1));
    for (const { job } of ended.slice(0, Math.max(0, ended.length - mostEnded))) this.#kept.delete(job.id);
  }

  #get(id: string): Kept {
    const kept = this.#kept.get(id);
    if (kept) return kept;
    throw refusal('there is no such job', id, 'it has ended, and was forgotten: look at the list', 'job_not_found');
  }

  #changed(kept: Kept): void {
    kept.version++;
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

function refusal(what: string, where: string, next: string, code: string): UserError {
  return new UserError({ what, where, next, code });
}
