import { type ChildProcess, spawn } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { UserError } from '../errors.ts';
import type { JudgedAnswerText, RewardFunction } from './answer.ts';
import type { RewardReply, RewardRequest } from './rewardProcess.ts';

/** For opening the functions, and for all answers of a step. */
const PATIENCE_MILLISECONDS = 30_000;
const MEMORY_MEGABYTES = 512;
const STDERR_CHARACTERS = 4_000;

export interface RewardLimits {
  /** For the answers of a step. */
  readonly milliseconds?: number;
  readonly megabytes?: number;
}

/**
 * Reward functions at work in a process of their own, which may read nothing but its own program, has no environment, and is ended when
 * it takes too long or too much memory.
 */
export class Rewards implements AsyncDisposable {
  readonly names: readonly string[];
  readonly #functions: readonly RewardFunction[];
  readonly #limits: Required<RewardLimits>;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  #stderr = '';

  private constructor(functions: readonly RewardFunction[], limits: RewardLimits) {
    this.names = functions.map(({ name }) => name);
    this.#functions = functions;
    this.#limits = { milliseconds: PATIENCE_MILLISECONDS, megabytes: MEMORY_MEGABYTES, ...limits };
    this.#child = spawn(process.execPath, [...nodeOptions(this.#limits.megabytes), programPath()], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: {} as NodeJS.ProcessEnv,
    });
    this.#child.stdin?.on('error', () => undefined); // that it ended shows where its answer is awaited
    this.#child.stderr?.on('data', (text) => {
      this.#stderr = `${this.#stderr}${text}`.slice(-STDERR_CHARACTERS);
    });
    this.#lines = createInterface(this.#child.stdout as NodeJS.ReadableStream)[Symbol.asyncIterator]();
  }

  /** @throws UserError `reward_failed` for a function that cannot be used */
  static async open(functions: readonly RewardFunction[], limits: RewardLimits = {}): Promise<Rewards> {
    const rewards = new Rewards(functions, limits);
    try {
      await rewards.#ask({ kind: 'open', functions }, PATIENCE_MILLISECONDS);
      return rewards;
    } catch (error) {
      await rewards[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Of each function a finite number for each answer. @throws UserError `reward_failed` */
  async judge(answers: readonly JudgedAnswerText[]): Promise<readonly (readonly number[])[]> {
    return await this.#ask({ kind: 'judge', answers }, this.#limits.milliseconds);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#lines.return?.();
  }

  async #ask(request: RewardRequest, milliseconds: number): Promise<readonly (readonly number[])[]> {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.#child.kill('SIGKILL');
    }, milliseconds);
    try {
      this.#child.stdin?.write(`${JSON.stringify(request)}\n`);
      const { value, done } = await this.#lines.next();
      if (isLate)
        throw this.#failed(
          null,
          `the reward functions took longer than ${milliseconds / 1000} s for the answers of a step`,
        );
      if (done) throw this.#failed(null, endedBecause(this.#stderr, this.#limits.megabytes));
      const reply = JSON.parse(value) as RewardReply;
      if ('error' in reply)
        throw this.#failed(reply.function, `the reward ${reply.function} cannot be used: ${reply.error}`);
      return reply.values;
    } finally {
      clearTimeout(timer);
    }
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

/** Warnings of Node about its own experiments are nobody's concern. */
function nodeOptions(megabytes: number): string[] {
  // A bundle has everything beside the program.
  const packages = import.meta.url.endsWith('.ts') ? [import.meta.resolve('zod')] : [];
  const folders = [programPath(), ...packages.map((url) => realpathSync(fileURLToPath(url)))].map((path) =>
    dirname(path),
  );
  return [
    '--permission',
    ...folders.map((folder) => `--allow-fs-read=${folder}`),
    `--max-old-space-size=${megabytes}`,
    '--experimental-vm-modules',
    '--disallow-code-generation-from-strings',
    '--no-warnings',
  ];
}

function programPath(): string {
  // A bundle has JavaScript in the place of TypeScript.
  const file = import.meta.url.endsWith('.ts') ? './rewardProcess.ts' : './rewardProcess.js';
  return realpathSync(fileURLToPath(new URL(file, import.meta.url)));
}

function endedBecause(stderr: string, megabytes: number): string {
  if (/heap out of memory|out of memory/i.test(stderr))
    return `the reward functions took more than ${megabytes} MB of memory`;
  const last = stderr.trim().split('\n').slice(0, 3).join(' ');
  return `the process of the reward functions ended${last === '' ? '' : `: ${last}`}`;
}
