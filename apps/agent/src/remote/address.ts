/** Where another agent is, and what opens it. The token comes from a file or the environment: arguments and URLs are seen and kept. */
import { statSync } from 'node:fs';
import { UserError } from '@anneal/core/errors';
import { readGivenFile } from '../givenFile.ts';

export interface RemoteAddress {
  /** `https://gpu.lab:7420`, and a path where the agent lies below one. */
  url: URL;
  token: string;
  /** Certificates to trust beside those of this machine, PEM. */
  ca: string | undefined;
}

export interface RemoteOptions {
  host?: string | undefined;
  tokenFile?: string | undefined;
  caFile?: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws UserError `remote_address`, `remote_token`, `file_not_readable` */
export function remoteAddress(options: RemoteOptions, env: Environment = process.env): RemoteAddress {
  const url = urlOf(options.host ?? env.ANNEAL_HOST);
  const ca = options.caFile === undefined ? undefined : readGivenFile(options.caFile).toString('utf8');
  return { url, token: tokenOf(options.tokenFile, env), ca };
}

function urlOf(text: string | undefined): URL {
  if (text === undefined) {
    throw wrongAddress('no agent is named', '--host', 'add --host https://gpu.lab:7420, or set ANNEAL_HOST');
  }
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !['http:', 'https:'].includes(url.protocol)) {
    throw wrongAddress('this is no address of an agent', text, 'write it as https://gpu.lab:7420');
  }
  if (url.username || url.password || url.search || url.hash) {
    throw wrongAddress(
      'an address holds no secret: it is seen in lists of processes and kept in logs',
      `${url.protocol}//${url.host}`,
      'give the address alone, and the token by ANNEAL_TOKEN or --token-file',
    );
  }
  if (url.protocol === 'http:' && !isThisMachine(url.hostname)) {
    throw wrongAddress(
      'without TLS everybody on the way would see the token',
      url.href,
      `use https, or a tunnel: ssh -L 7420:127.0.0.1:7420 you@${url.hostname}, then --host http://127.0.0.1:7420`,
    );
  }
  return url;
}

function isThisMachine(name: string): boolean {
  return name === 'localhost' || name === '[::1]' || /^127(\.\d+){3}$/.test(name);
}

function tokenOf(file: string | undefined, env: Environment): string {
  const token = (file === undefined ? env.ANNEAL_TOKEN : readSecret(file))?.trim();
  if (token && /^[!-~]+$/.test(token)) return token;
  throw new UserError({
    what: token ? 'this is no token: it has characters that none has' : 'there is no token that opens the agent',
    where: file ?? 'ANNEAL_TOKEN',
    next: 'make one where the agent runs (anneal token create laptop --scope operator), and give it by ANNEAL_TOKEN or --token-file',
    code: 'remote_token',
  });
}

function readSecret(path: string): string {
  const text = readGivenFile(path).toString('utf8');
  if ((statSync(path).mode & 0o077) === 0) return text;
  throw new UserError({
    what: 'others on this machine can read the file with the token',
    where: path,
    next: `keep it to yourself: chmod 600 ${path}`,
    code: 'remote_token',
  });
}

function wrongAddress(what: string, where: string, next: string): UserError {
  return new UserError({ what, where, next, code: 'remote_address' });
}
