/** Lets the commands of this process ask another agent. */
import { setTimeout as wait } from 'node:timers/promises';
import { exitCodes } from '../exitCodes.ts';
import { type RemoteOptions, remoteAddress } from '../remote/address.ts';
import { type Connection, connect } from '../remote/connection.ts';
import { remoteUseCases } from '../remote/useCases.ts';
import { askElsewhere } from './useCases.ts';

const patienceMilliseconds = 1000;

let opened: Connection | undefined;
/** Aborted by Ctrl-C: a job that was begun there is cancelled. */
const interrupted = new AbortController();

export async function connectTo(options: RemoteOptions): Promise<void> {
  opened = await connect(remoteAddress(options));
  process.once('SIGINT', async () => {
    interrupted.abort();
    await wait(patienceMilliseconds); // for the agent to be told
    process.exit(exitCodes.interrupted);
  });
  askElsewhere(remoteUseCases(opened, interrupted.signal));
}

/** To the agent that `connectTo` has reached, and what ends its jobs. */
export function connected(): { connection: Connection; signal: AbortSignal } {
  if (opened) return { connection: opened, signal: interrupted.signal };
  throw new Error('asked for another agent before one was reached');
}

export async function disconnect(): Promise<void> {
  await opened?.close();
}
