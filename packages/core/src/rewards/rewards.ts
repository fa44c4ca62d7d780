import { type ChildProcess, spawn } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../errors.ts';
import { type ComputedReward, type JudgedAnswerText, mostCharacters } from './answer.ts';
import type { RewardReply, RewardRequest } from './rewardProcess.ts';

const PATIENCE_MILLISECONDS = 30_000;
const MEMORY_MEGABYTES = 512;
const STDERR_CHARACTERS = 10_000;
/** Of a reply beside its numbers: an error is shorter, escaped as well. */
const REPLY_CHARACTERS = 20_000;

/** Without the time zone, what a date says would be the machine's. */
const environment: Record<string, string> = { TZ: 'UTC' };

export interface RewardLimits {
  /** For opening all functions. */
  readonly openMilliseconds?: number;
  /** For the answers of a step. */
  readonly judgeMilliseconds?: number;
  /** Of the heap; and of the whole process, beside what it has before a function is opened. */
  readonly megabytes?: number;
}

/**
 * Reward functions at work in a process of their own, which may read nothing but its own program, has no environment but a time zone, and
 * is ended when it takes too long or too much memory, and with this process.
 */
export class Rewards implements AsyncDisposable {
  readonly names: readonly string[];
  readonly #functions: readonly ComputedReward[];
  readonly #limits: Required<RewardLimits>;
  readonly #child: ChildProcess;
  /** Why the process ended, known when all that it said has been read. */
  readonly #ended: Promise<string>;
  #killedFor: string | null = null;

  private constructor(functions: readonly ComputedReward[], limits: Required<RewardLimits>) {
    this.names = functions.map(({ name }) => name);
    this.#functions = functions;
    this.#limits = limits;
    const child = this.#start();
    this.#child = child;
    let stderr = '';
    child.stderr?.on('data', (text) => {
      stderr = `${stderr}${text}`.slice(0, STDERR_CHARACTERS); // the reason comes before a long trace
    });
    child.stdout?.setEncoding('utf8');
    child.stdin?.on('error', () => undefined); // that the process ended shows where its reply is awaited
    this.#ended = new Promise((resolve) => {
      child.on('error', (error) => resolve(notStarted(error)));
      child.on('close', () => resolve(this.#killedFor ?? endedBecause(stderr, limits.megabytes)));
    });
  }

  /** @throws UserError `reward_failed` for a function that cannot be used */
  static async open(functions: readonly ComputedReward[], limits: RewardLimits = {}): Promise<Rewards> {
    const rewards = new Rewards(functions, {
      openMilliseconds: PATIENCE_MILLISECONDS,
      judgeMilliseconds: PATIENCE_MILLISECONDS,
      megabytes: MEMORY_MEGABYTES,
      ...limits,
    });
    try {
      await rewards.#ask({ kind: 'open', functions }, 'opening the reward functions', rewards.#limits.openMilliseconds);
      return rewards;
    } catch (error) {
      await rewards[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Of each function a finite number for each answer. @throws UserError `reward_failed` */
  async judge(answers: readonly JudgedAnswerText[]): Promise<readonly (readonly number[])[]> {
    const doing = 'judging the answers of a step with the reward functions';
    const returned = await this.#ask({ kind: 'judge', answers }, doing, this.#limits.judgeMilliseconds);
    return this.names.map((name, i) => {
      const values = returned[i];
      const fault = faultOf(values, answers.length);
      if (fault !== null) throw this.#unusable(name, fault);
      return values as number[];
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  #start(): ChildProcess {
    const { megabytes } = this.#limits;
    const program = [programPath(), String(process.pid), String(megabytes)];
    try {
      return spawn(process.execPath, [...nodeOptions(megabytes), ...program], {
        stdio: ['pipe', 'pipe', 'pipe'],
        env: environment as NodeJS.ProcessEnv,
      });
    } catch (error) {
      throw this.#failed(null, notStarted(error as Error));
    }
  }

  /** What each function returned, unchecked. */
  async #ask(request: RewardRequest, doing: string, milliseconds: number): Promise<readonly unknown[]> {
    const late = setTimeout(() => this.#kill(`${doing} took longer than ${milliseconds / 1000} s`), milliseconds);
    try {
      this.#child.stdin?.write(`${JSON.stringify(request)}\n`);
      const answers = request.kind === 'judge' ? request.answers.length : 0;
      const line = await Promise.race([
        this.#line(REPLY_CHARACTERS + this.names.length * mostCharacters(answers)),
        this.#ended.then((why) => Promise.reject(this.#failed(null, why))),
      ]);
      if (this.#killedFor !== null) throw this.#failed(null, this.#killedFor);
      const reply = JSON.parse(line) as RewardReply;
      if ('error' in reply) throw this.#unusable(reply.function, reply.error);
      return reply.returned;
    } finally {
      clearTimeout(late);
    }
  }

  /** The next line; a process that says more than `most` characters is ended. */
  #line(most: number): Promise<string> {
    const { stdout } = this.#child;
    return new Promise((resolve) => {
      let said = '';
      const hear = (text: string): void => {
        said += text;
        const isWhole = said.endsWith('\n');
        if (!isWhole && said.length <= most) return;
        stdout?.off('data', hear);
        if (isWhole) resolve(said);
        else this.#kill('the process of the reward functions says more than a reply can have');
      };
      stdout?.on('data', hear);
    });
  }

  #kill(why: string): void {
    this.#killedFor ??= why;
    this.#child.kill('SIGKILL');
  }

  #unusable(name: string, why: string): UserError {
    return this.#failed(name, `the reward ${name} cannot be used: ${why}`);
  }

  #failed(name: string | null, what: string): UserError {
    const files = this.#functions.flatMap((reward) => (reward.type === 'typescript' ? [reward] : []));
    const where = (files.find((file) => file.name === name) ?? files[0])?.path;
    return new UserError({
      what,
      ...(where !== undefined && { where }),
      next: 'correct it; the run goes on from its last checkpoint with `anneal runs resume`, or begin a new one where the function changed',
      code: 'reward_failed',
    });
  }
}

/** What is wrong with the values of a function; null: they are a finite number for each answer. */
function faultOf(values: unknown, answers: number): string | null {
  if (!Array.isArray(values)) return `it returns ${typeof values}, not a list with a number for each answer`;
  if (values.length !== answers) return `it returns ${values.length} values for ${answers} answers`;
  const wrong = values.findIndex((value) => !Number.isFinite(value));
  return wrong < 0 ? null : `its value for answer ${wrong + 1} is ${String(values[wrong])}, which is no finite number`;
}

function nodeOptions(megabytes: number): string[] {
  // A bundle has everything beside the program.
  const packages = import.meta.url.endsWith('.ts') ? [import.meta.resolve('zod')] : [];
  const folders = [programPath(), ...packages.map((url) => realpathSync(fileURLToPath(url)))].map((path) =>
    dirname(path),
  );
  return [
    '--permission',
    ...folders.map((folder) => `--allow-fs-read=${folder}`),
    '--allow-worker', // the guard; a thread has no more permissions than the process
    `--max-old-space-size=${megabytes}`,
    '--experimental-vm-modules',
    '--frozen-intrinsics', // an object that leaks into a context changes nothing around it
    '--disallow-code-generation-from-strings',
    '--no-warnings', // of Node about its own experiments
  ];
}

function programPath(): string {
  // A bundle has JavaScript in the place of TypeScript.
  const file = import.meta.url.endsWith('.ts') ? './rewardProcess.ts' : './rewardProcess.js';
  return realpathSync(fileURLToPath(new URL(file, import.meta.url)));
}

const notStarted = ({ message }: Error): string => `the process of the reward functions cannot be started: ${message}`;

function endedBecause(stderr: string, megabytes: number): string {
  if (/out of memory|invalid size/i.test(stderr))
    return `the reward functions took more than ${megabytes} MB of memory`;
  const last = stderr.trim().split('\n').slice(0, 3).join(' ');
  return `the process of the reward functions ended${last === '' ? '' : `: ${last}`}`;
}
