/**
 * Answers of the endpoint, one a line, appended as they come: what has been asked is never asked again. As the event log
 * of a run: a killed process loses nothing but a line it had not finished.
 */
import { closeSync, constants, fdatasyncSync, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { diskFull } from '@anneal/formats/files/diskFull';
import { z } from 'zod';
import { UserError } from '../errors.ts';
import { linesOfFile } from '../trainer/eventReader.ts';

const answerSchema = z.object({
  content: z.string(),
  /** What the model thought before it, where the endpoint says so apart. */
  reasoning: z.string().nullable(),
  /** `stop`, or `length` where it was cut. */
  finishReason: z.string().nullable(),
  /** Name of the model as the endpoint gives it. */
  model: z.string().nullable(),
  promptTokens: z.int().min(0).nullable(),
  completionTokens: z.int().min(0).nullable(),
  milliseconds: z.number().min(0),
});
export type Answer = z.infer<typeof answerSchema>;

const entrySchema = z.object({ seq: z.int().min(1), time: z.string(), key: z.string(), answer: answerSchema });

/** Answers by the key of their question. */
export interface KeptAnswers {
  get(key: string): Answer | undefined;
  append(key: string, answer: Answer): void;
}

export class Journal implements KeptAnswers, Disposable {
  readonly #file: number;
  readonly #path: string;
  readonly #answers: Map<string, Answer>;
  #lines: number;

  private constructor(path: string, file: number, answers: Map<string, Answer>, lines: number) {
    this.#path = path;
    this.#file = file;
    this.#answers = answers;
    this.#lines = lines;
  }

  /** Opens or begins it, and cuts a line that a crash left unfinished. @throws UserError `journal_damaged`, `journal_not_usable` */
  static open(path: string): Journal {
    const file = openFile(path);
    try {
      const answers = new Map<string, Answer>();
      const { size } = fstatSync(file);
      let lines = 0;
      let valid = 0;
      for (const { text, end } of linesOfFile(file, { from: 0 })) {
        const entry = text === undefined ? undefined : parseEntry(text);
        if (entry?.seq !== lines + 1) {
          if (end === size) break;
          throw damaged(path, lines + 1);
        }
        answers.set(entry.key, entry.answer);
        lines++;
        valid = end;
      }
      if (valid < size) ftruncateSync(file, valid);
      return new Journal(path, file, answers, lines);
    } catch (error) {
      closeSync(file);
      throw error;
    }
  }

  get(key: string): Answer | undefined {
    return this.#answers.get(key);
  }

  /** It is in the file when this returns: whatever ends the process after that, it is not lost. */
  append(key: string, answer: Answer): void {
    const entry = { seq: this.#lines + 1, time: new Date().toISOString(), key, answer };
    const bytes = Buffer.from(`${JSON.stringify(entry)}\n`);
    const before = fstatSync(this.#file).size;
    try {
      for (let written = 0; written < bytes.length; ) written += writeSync(this.#file, bytes, written);
    } catch (error) {
      ftruncateSync(this.#file, before);
      const full = diskFull(error);
      if (!full) throw error;
      throw new UserError({
        what: full,
        where: this.#path,
        next: 'free some space, then give the same command again; no answer before is lost',
        code: 'disk_full',
        cause: error,
      });
    }
    this.#lines++;
    this.#answers.set(key, answer);
  }

  close(): void {
    fdatasyncSync(this.#file);
    closeSync(this.#file);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function openFile(path: string): number {
  // Windows knows neither flag.
  const { O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_APPEND | O_NOFOLLOW | O_NONBLOCK;
  let file: number;
  try {
    file = openSync(path, flags, 0o644);
  } catch (cause) {
    throw notUsable(path, `it cannot be opened (${(cause as NodeJS.ErrnoException).code})`, cause);
  }
  if (fstatSync(file).isFile()) return file;
  closeSync(file);
  throw notUsable(path, 'it is no regular file');
}

function parseEntry(line: string): z.infer<typeof entrySchema> | undefined {
  try {
    return entrySchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

function notUsable(path: string, what: string, cause?: unknown): UserError {
  return new UserError({
    what: `the answers cannot be kept: ${what}`,
    where: path,
    next: 'make the folder readable and writable, or name another output',
    code: 'journal_not_usable',
    cause,
  });
}

function damaged(path: string, line: number): UserError {
  return new UserError({
    what: `the kept answers are damaged: line ${line} is none of ours`,
    where: `${path}:${line}`,
    next: 'restore the file from a copy, or move it away: then everything is asked again',
    code: 'journal_damaged',
  });
}
