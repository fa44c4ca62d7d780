/** What another agent has exported, brought here: each file is taken up where it broke off, and appears when it is whole. */
import { createWriteStream, existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, request as requestPlain } from 'node:http';
import { request as requestSecure } from 'node:https';
import { basename, dirname, join, posix } from 'node:path';
import { json } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { UserError } from '@anneal/core/errors';
import type { StudioExport } from '@anneal/core/protocol/exports';
import { makeFolder } from '@anneal/formats/files/makeFolder';
import { reporting } from '../service/reporting.ts';
import type { RemoteAddress } from './address.ts';
import { connectionError } from './connectionErrors.ts';

export interface DownloadProgress {
  file: string;
  /** Bytes of all files. */
  done: number;
  total: number;
}

interface Order {
  /** Key of the run. */
  run: string;
  exported: StudioExport;
  /** Where to put it, under the name that it has there. */
  folder: string;
  signal: AbortSignal;
}

/** Returns the files as they lie here. @throws UserError `file_exists`, `download_failed`, and why the agent is not reached */
export function downloadExport(
  address: RemoteAddress,
  { run, exported, folder, signal }: Order,
): AsyncGenerator<DownloadProgress, { path: string; bytes: number }[]> {
  const root = posix.dirname(exported.path);
  const files = exported.files.map(({ path, bytes }) => ({
    path,
    bytes,
    target: join(folder, ...posix.relative(root, path).split('/')),
  }));
  const taken = files.find(({ target }) => existsSync(target));
  if (taken) throw alreadyThere(taken.target);
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  return reporting(async (report, left) => {
    const stop = AbortSignal.any([left, signal]);
    let done = 0;
    for (const { path, bytes, target } of files) {
      makeFolder(dirname(target));
      const url = new URL(address.url);
      url.pathname = posix.join(url.pathname, 'api/exports/download');
      url.search = String(new URLSearchParams({ run, export: exported.key, file: path }));
      const before = done;
      await downloadFile({ address, url, bytes, target, signal: stop }, (received) => {
        done = before + received;
        report({ file: basename(target), done, total });
      });
      done = before + bytes;
    }
    return files.map(({ target, bytes }) => ({ path: target, bytes }));
  });
}

interface FileOrder {
  address: RemoteAddress;
  url: URL;
  bytes: number;
  target: string;
  signal: AbortSignal;
}

/** A part that lies here goes on only where it is of the same file: the agent is asked with the tag that it came with. */
async function downloadFile(order: FileOrder, received: (bytes: number) => void): Promise<void> {
  const part = `${order.target}.part`;
  const tagFile = `${part}.etag`;
  const tag = existsSync(tagFile) ? readFileSync(tagFile, 'utf8') : undefined;
  const have = tag === undefined ? 0 : (statSync(part, { throwIfNoEntry: false })?.size ?? 0);
  const range = have > 0 && have < order.bytes ? { range: `bytes=${have}-`, 'if-range': tag } : {};
  if (have < order.bytes || have === 0) {
    const answer = await ask(order, range);
    const { statusCode, headers } = answer;
    if (statusCode !== 200 && statusCode !== 206) throw await refusalOf(answer, order.target);
    if (headers.etag) writeFileSync(tagFile, headers.etag);
    let at = statusCode === 206 ? have : 0;
    answer.on('data', (piece: Buffer) => {
      at += piece.length;
      received(at);
    });
    const flags = statusCode === 206 ? 'a' : 'w';
    await pipeline(answer, createWriteStream(part, { flags, flush: true }), { signal: order.signal });
  }
  if (statSync(part).size !== order.bytes) throw brokenOff(order.target);
  renameSync(part, order.target);
  rmSync(tagFile, { force: true });
}

function ask({ address, url, signal }: FileOrder, range: Record<string, string | undefined>): Promise<IncomingMessage> {
  const headers = { authorization: `Bearer ${address.token}`, ...range };
  const send = url.protocol === 'https:' ? requestSecure : requestPlain;
  return new Promise((resolve, reject) => {
    const request = send(url, { headers, signal, ...(address.ca && { ca: address.ca }) }, resolve);
    request.on('error', (error) => reject(signal.aborted ? signal.reason : connectionError(url, error)));
    request.end();
  });
}

async function refusalOf(answer: IncomingMessage, where: string): Promise<UserError> {
  const body = (await json(answer).catch(() => ({}))) as { error?: { what?: string; next?: string } };
  return new UserError({
    what: body.error?.what ?? `the agent does not send the file (HTTP ${answer.statusCode})`,
    where,
    next: body.error?.next ?? 'look at what the run was exported as: `anneal exports ls`',
    code: 'download_failed',
  });
}

function brokenOff(where: string): UserError {
  return new UserError({
    what: 'the download is not whole',
    where,
    next: 'fetch it again with `anneal exports get`: what has arrived is kept, and the rest comes',
    code: 'download_failed',
  });
}

function alreadyThere(where: string): UserError {
  return new UserError({
    what: 'there is a file of this name here, and nothing is overwritten',
    where,
    next: 'name another folder with --to: `anneal exports get` fetches what was exported already',
    code: 'file_exists',
  });
}
