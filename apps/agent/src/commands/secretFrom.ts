import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { remark, remarkPiece } from '../terminal/print.ts';

/** From a pipe, else from the terminal: nothing of it is shown. */
export async function secretFrom(name: string): Promise<string> {
  if (!process.stdin.isTTY) return text(process.stdin);
  remarkPiece(`${name}: `);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  try {
    return await terminal.question('');
  } finally {
    terminal.close();
    remark('');
  }
}
