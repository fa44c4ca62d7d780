import { HubApiError } from '@huggingface/hub';
import { UserError } from '../../errors.ts';
import { asSourceError } from '../sourceError.ts';

export function noToken(): UserError {
  return new UserError({
    what: 'a push needs a token of the hub, and there is none',
    where: 'HF_TOKEN',
    next: 'make one that may write at huggingface.co/settings/tokens, then keep it with `anneal secrets set hf_token` or in the settings of the studio',
    code: 'hub_token_missing',
  });
}

export function badToken(): UserError {
  return new UserError({
    what: 'this is no token of the Hugging Face Hub: those begin with hf_',
    where: 'HF_TOKEN',
    next: 'copy it again from huggingface.co/settings/tokens',
    code: 'hub_token_malformed',
  });
}

export function readOnlyToken(): UserError {
  return new UserError({
    what: 'the token of the hub may only read',
    where: 'HF_TOKEN',
    next: 'make one that may write at huggingface.co/settings/tokens, and replace it',
    code: 'hub_token_reads_only',
  });
}

export function badRepositoryName(name: string): UserError {
  return new UserError({
    what: `${JSON.stringify(name.slice(0, 120))} is no name of a repository`,
    where: '--to',
    next: 'give owner/name, of letters, digits, hyphens, dots and underscores, at most 96 characters each',
    code: 'bad_repository_name',
  });
}

export function repositoryPublic(name: string): UserError {
  return new UserError({
    what: 'the repository is there already, and everybody can see it',
    where: name,
    next: 'push with --public (in the studio: Everybody can see it) if that is meant, or choose another name; nothing was sent',
    code: 'repository_public',
  });
}

export function repositoryPrivate(name: string): UserError {
  return new UserError({
    what: 'the repository is there already, and is private: a push does not change that',
    where: name,
    next: 'push without --public, and change it on its page at the hub',
    code: 'repository_private',
  });
}

/** @param others files that are not ours @param different files of the same names with another content */
export function repositoryTaken(name: string, others: readonly string[], different: readonly string[]): UserError {
  const parts = [
    ...(different.length > 0 ? [`other contents of ${someOf(different)}`] : []),
    ...(others.length > 0 ? [someOf(others)] : []),
  ];
  return new UserError({
    what: `the repository holds something else already: ${parts.join('; ')}`,
    where: name,
    next: 'choose another name, or push with --replace: files of the same names get a new version, the others stay',
    code: 'repository_taken',
  });
}

function someOf(files: readonly string[]): string {
  return `${files.slice(0, 4).join(', ')}${files.length > 4 ? ` and ${files.length - 4} more` : ''}`;
}

export function fileChanged(where: string): UserError {
  return new UserError({
    what: 'the file changed while it was pushed; the repository is as it was',
    where,
    next: 'push again when nothing writes there any more',
    code: 'pushed_file_changed',
  });
}

export function notVerified(name: string, files: readonly string[]): UserError {
  return new UserError({
    what: `the hub has another content than was sent: ${files.join(', ')}`,
    where: name,
    next: 'push again with --replace',
    code: 'push_not_verified',
  });
}

const isOfSystem = (error: unknown): error is NodeJS.ErrnoException => error instanceof Error && 'syscall' in error;

/** Of an error, or of what it came from: reading a file of this machine failed. Among causes that of a connection has no path. */
function readFailure(error: unknown): NodeJS.ErrnoException | undefined {
  if (isOfSystem(error)) return error;
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (isOfSystem(cause) && cause.path !== undefined) return cause;
  }
  return undefined;
}

/** What the disk, the hub's client, the network or the hub itself said, as an error that says what to do. What is none of theirs is thrown on. */
export function asPushError(error: unknown, name: string, token: string, signal: AbortSignal | undefined): UserError {
  if (error instanceof UserError) return error;
  const unread = signal?.aborted ? undefined : readFailure(error);
  if (unread) {
    return new UserError({
      what: `a file cannot be read (${unread.code}); the repository is as it was`,
      where: unread.path ?? name,
      next: 'check that it is there, its permissions and the disk, then push again',
      code: 'file_not_readable',
      cause: error,
    });
  }
  const reason = asSourceError(error, signal);
  const status = error instanceof HubApiError ? error.statusCode : undefined;
  // In the hub's own words, without the address, which may be a signed one.
  const words = error instanceof HubApiError ? error.message.replace(/\. URL: .*$/s, '') : reason.message;
  const said = words.replaceAll(token, '…').slice(0, 500);
  const refusal = (what: string, next: string, code: string) => new UserError({ what, where: name, next, code });
  if (status === 413 || status === 402 || status === 507 || (status === 403 && isAboutRoom(error))) {
    return refusal(
      `the hub has no room for this (${said})`,
      'free some there or get more, then push again',
      'hub_quota',
    );
  }
  if (status === 401) {
    return refusal(
      `the hub does not know this token (${said})`,
      'replace it by one that may write',
      'hub_token_refused',
    );
  }
  if (status === 403 || status === 404) {
    return refusal(
      `this token may not write there (${said})`,
      'name a repository of yours or of an organization that you may write to, or take a token that may',
      'push_not_allowed',
    );
  }
  if (status === 409 || status === 412) {
    return refusal(
      `somebody else changed the repository in this moment (${said})`,
      'look at it, then push again',
      'repository_changed',
    );
  }
  return refusal(
    `the push broke off: ${said}`,
    'push again: files that have arrived are not sent twice; behind a proxy set NODE_USE_ENV_PROXY=1',
    'push_broken_off',
  );
}

function isAboutRoom(error: unknown): boolean {
  return error instanceof Error && /storage|quota|limit/i.test(error.message);
}
