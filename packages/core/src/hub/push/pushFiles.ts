/** Files into a model repository of the Hugging Face Hub, or of a mirror of it, as one commit. */
import { type CommitOperation, commitIter } from '@huggingface/hub';
import type { PushedRepository, PushProgress } from '../../protocol/push.ts';
import { PATIENCE, type Patience } from '../boundedFetch.ts';
import { SourceError } from '../sourceError.ts';
import { type HashedFile, hashFile, type PushedFile, requireUnchanged } from './fileHashes.ts';
import { FilePart } from './filePart.ts';
import { asPushError, badRepositoryName, badToken, notVerified, repositoryTaken } from './pushErrors.ts';
import { filesAt, type Hub, openRepository, type Repository } from './repository.ts';
import { UPLOAD_PATIENCE, type UploadPatience, uploadFetch } from './uploadFetch.ts';
import { UploadRequests } from './uploadRequests.ts';

type PushedHash = PushedRepository['files'][number];

export interface PushOptions {
  hubUrl: string;
  token: string;
  /** Of the repository, where the push makes it; one that is there has to be like that. */
  isPrivate: boolean;
  /** In a repository that holds other things: files of the same names get a new version. */
  replace: boolean;
  /** Of the commit. */
  title: string;
  /** The README.md of the repository. */
  card(files: readonly PushedHash[]): string;
  onProgress?: ((progress: PushProgress) => void) | undefined;
  signal?: AbortSignal | undefined;
  patience?: Patience | undefined;
  uploadPatience?: UploadPatience | undefined;
}

/**
 * All files appear together, once the hub has each whole; what is there already is not sent again. Afterwards the hub's hashes are
 * compared with ours.
 * @throws UserError that says why not; the repository is then as it was
 */
export async function pushFiles(
  files: readonly PushedFile[],
  name: string,
  options: PushOptions,
): Promise<Omit<PushedRepository, 'warnings'>> {
  const { hubUrl, token, signal, patience = PATIENCE } = options;
  requireName(name);
  if (!/^hf_\w+$/.test(token)) throw badToken();
  const hub: Hub = { hubUrl, token, signal, patience };
  try {
    const given = await hashAll(files, options);
    const card = await hashAll([{ name: 'README.md', text: options.card(given.map(told)) }], { signal });
    const hashed = [...given, ...card];
    options.onProgress?.({ phase: 'asking', done: 0, total: 0 });
    const found = await openRepository(hub, name, options.isPrivate);
    const missing = hashed.filter((file) => !isSame(file, found.files));
    if (!options.replace) refuseTaken(name, hashed, found);
    const commit = missing.length === 0 ? found.commit : await commitFiles(missing, name, found.commit, options);
    const there = missing.length === 0 ? found.files : await filesAt(hub, name, commit);
    const wrong = hashed.filter((file) => !isSame(file, there));
    if (wrong.length > 0)
      throw notVerified(
        name,
        wrong.map(({ file }) => file.name),
      );
    return {
      repository: name,
      url: `${hubUrl}/${name}`,
      commit,
      isPrivate: found.isPrivate,
      files: hashed.map(told),
      sent: missing.map(({ file }) => file.name),
    };
  } catch (error) {
    throw asPushError(error, name, token, signal);
  }
}

/** The alphabet of the hub, so that a name never leads to another route of it. @throws UserError `bad_repository_name` */
function requireName(name: string): void {
  const part = '[A-Za-z0-9](?:[\\w.-]{0,94}[A-Za-z0-9_])?';
  if (!new RegExp(`^${part}/${part}$`).test(name) || /--|\.\.|\.git$/.test(name)) throw badRepositoryName(name);
}

const told = ({ file, bytes, sha256 }: HashedFile): PushedHash => ({ path: file.name, bytes, sha256 });

async function hashAll(
  files: readonly PushedFile[],
  { onProgress, signal }: Pick<PushOptions, 'onProgress' | 'signal'>,
): Promise<HashedFile[]> {
  const hashed: HashedFile[] = [];
  let done = 0;
  for (const file of files) {
    const onBytes = (bytes: number) => {
      done += bytes;
      onProgress?.({ phase: 'hashing', done, total: 0 });
    };
    hashed.push(await hashFile(file, onBytes, signal));
  }
  return hashed;
}

function isSame({ file, sha256, gitBlob }: HashedFile, there: Repository['files']): boolean {
  const hash = there.get(file.name);
  return hash === sha256 || hash === gitBlob;
}

/** Every repository has `.gitattributes` from its beginning. @throws UserError `repository_taken` */
function refuseTaken(name: string, hashed: readonly HashedFile[], { files }: Repository): void {
  const ours = new Set(hashed.map(({ file }) => file.name));
  const others = [...files.keys()].filter((path) => !ours.has(path) && path !== '.gitattributes');
  const different = hashed.filter((file) => files.has(file.file.name) && !isSame(file, files));
  if (others.length === 0 && different.length === 0) return;
  throw repositoryTaken(
    name,
    others,
    different.map(({ file }) => file.name),
  );
}

/** Returns the id of the commit. Nothing is under way any more once it ends, however it ends. */
async function commitFiles(
  files: readonly HashedFile[],
  name: string,
  parentCommit: string,
  { hubUrl, token, title, onProgress, signal, uploadPatience = UPLOAD_PATIENCE }: PushOptions,
): Promise<string> {
  const sent = new SentBytes(files, onProgress);
  const requests = new UploadRequests(
    uploadFetch({ hubUrl, signal, patience: uploadPatience, onSent: (file, bytes) => sent.add(file, bytes) }),
  );
  const uploading = commitIter({
    repo: { type: 'model', name },
    accessToken: token,
    hubUrl,
    title,
    parentCommit,
    branch: 'main',
    operations: files.map(operationOf),
    // Files go to the store that the hub names for LFS: its newer protocol (xet) cannot be told how a part that broke off goes on.
    useXet: false,
    fetch: requests.fetch,
    ...(signal ? { abortSignal: signal } : {}),
  });
  try {
    for (;;) {
      const { value, done } = await requests.orFailure(uploading.next());
      if (done) {
        if (!value) throw new SourceError('it names no commit');
        return value.commit.oid;
      }
      if (value.event === 'fileProgress' && value.state === 'uploading' && value.progress === 1) sent.whole(value.path);
      // The commit is not asked for before the next turn.
      if (value.event === 'phase' && value.phase === 'committing') {
        signal?.throwIfAborted();
        for (const file of files) await requireUnchanged(file);
        onProgress?.({ phase: 'committing', done: 0, total: 0 });
      }
    }
  } finally {
    await requests.end();
  }
}

const sum = (parts: Iterable<number>): number => [...parts].reduce((all, part) => all + part, 0);

function operationOf({ file, bytes }: HashedFile): CommitOperation {
  const content = 'text' in file ? new Blob([file.text]) : new FilePart(file, 0, bytes);
  return { operation: 'addOrUpdate', path: file.name, content };
}

/** How much of all files has arrived. */
class SentBytes {
  readonly #sizes: ReadonlyMap<string, number>;
  readonly #sent = new Map<string, number>();
  readonly #tell: PushOptions['onProgress'];

  constructor(files: readonly HashedFile[], tell: PushOptions['onProgress']) {
    this.#sizes = new Map(files.map(({ file, bytes }) => [file.name, bytes]));
    this.#tell = tell;
  }

  add(file: string, bytes: number): void {
    this.#set(file, (this.#sent.get(file) ?? 0) + bytes);
  }

  /** Also of one that was there already. */
  whole(file: string): void {
    this.#set(file, this.#sizes.get(file) ?? 0);
  }

  #set(file: string, bytes: number): void {
    this.#sent.set(file, bytes);
    this.#tell?.({ phase: 'uploading', file, done: sum(this.#sent.values()), total: sum(this.#sizes.values()) });
  }
}
