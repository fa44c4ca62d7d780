/** Where an agent may listen. */
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { createSecureContext } from 'node:tls';
import { UserError } from '@anneal/core/errors';
import { readGivenFile } from '../givenFile.ts';

export interface AddressOptions {
  host: string;
  port: number;
  tokenFile?: string | undefined;
  tlsCert?: string | undefined;
  tlsKey?: string | undefined;
}

export interface Address {
  host: string;
  port: number;
  token: string | undefined;
  tls: { cert: Buffer; key: Buffer } | undefined;
}

/** Long enough that nobody guesses it. */
const leastTokenLength = 32;

/**
 * Reads what the options name. An address that others can reach is refused without both a token and TLS.
 * @throws UserError `address_not_safe`, `token_too_short`, `file_not_readable`, `tls_incomplete`, `tls_not_usable`
 */
export function checkAddress({ host, port, tokenFile, tlsCert, tlsKey }: AddressOptions): Address {
  const token = tokenFile === undefined ? undefined : readGivenFile(tokenFile).toString('utf8').trim();
  if (token !== undefined && token.length < leastTokenLength) {
    throw new UserError({
      what: `the token has ${token.length} characters, and needs ${leastTokenLength} or more`,
      where: tokenFile,
      next: 'make one: head -c 32 /dev/urandom | base64',
      code: 'token_too_short',
    });
  }
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    throw new UserError({
      what: 'TLS needs a certificate and its key, and only one of them is given',
      next: 'give both --tls-cert and --tls-key',
      code: 'tls_incomplete',
    });
  }
  const tls = tlsCert !== undefined && tlsKey !== undefined ? readTls(tlsCert, tlsKey) : undefined;
  if (!isLoopback(host) && (token === undefined || tls === undefined)) {
    throw new UserError({
      what: `${host} can be reached by other machines, and that needs a token and TLS`,
      where: '--host',
      next: `reach this agent through a tunnel instead (ssh -L ${port || 7420}:127.0.0.1:${port || 7420} …), or give --token-file, --tls-cert and --tls-key`,
      code: 'address_not_safe',
    });
  }
  return { host, port, token, tls };
}

/** The name by which browsers call an agent that listens on this address, as it stands in a URL. */
export function nameOf(host: string, allowedHosts: readonly string[]): string {
  const isEvery = host === '0.0.0.0' || host === '::';
  const name = isLoopback(host) ? host : (allowedHosts[0] ?? (isEvery ? hostname() : host));
  return isIP(name) === 6 ? `[${name}]` : name;
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function readTls(certPath: string, keyPath: string): Address['tls'] {
  const tls = { cert: readGivenFile(certPath), key: readGivenFile(keyPath) };
  try {
    createSecureContext(tls);
  } catch (error) {
    throw new UserError({
      what: `the certificate and its key cannot be used: ${(error as Error).message}`,
      where: `${certPath}, ${keyPath}`,
      next: 'give a certificate and the private key that belongs to it, both in PEM and the key without a passphrase',
      code: 'tls_not_usable',
      cause: error,
    });
  }
  return tls;
}
