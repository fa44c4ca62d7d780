/** `anneal serve`: the agent until it is told to end. */
import { hostname } from 'node:os';
import { resolve as absolute } from 'node:path';
import { checkAddress, isLoopback } from '../daemon/address.ts';
import { asTyped } from '../daemon/agentState.ts';
import { checkBasePath } from '../daemon/basePath.ts';
import { type Daemon, startDaemon } from '../daemon/daemon.ts';
import { exitCodes } from '../exitCodes.ts';
import { asCalled, calledAs } from '../terminal/asCalled.ts';
import { print, printJsonLine, remark } from '../terminal/print.ts';
import { userName } from '../userName.ts';
import type { ServeOptions } from './serve.ts';
import { unitOfThis } from './systemdUnit.ts';

const stopping = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export async function serve(folder: string, options: ServeOptions): Promise<void> {
  const address = checkAddress(options);
  const basePath = checkBasePath(options.basePath ?? '');
  if (options.systemd) return print(unitOfThis(folder, given(options)));
  const daemon = await startDaemon({
    address,
    workspace: folder,
    runsFolder: options.runsDir,
    calledAs,
    log: remark,
    allowedHosts: options.allowHost ?? [],
    basePath,
  });
  const end = ended(); // before anybody is told that it can be
  const link = await daemon.pairingLink();
  if (options.json) printJsonLine({ url: daemon.url, link, pid: process.pid });
  else printWelcome(daemon, link, folder);
  await end;
  if (!options.json) remark('the agent ends; runs go on');
  await daemon.close();
}

/** What another start of this agent has to be told, with paths that hold in any folder. */
function given({ host, port, allowHost, basePath, ...files }: ServeOptions): [string, string][] {
  const paths = {
    'runs-dir': files.runsDir,
    'token-file': files.tokenFile,
    'tls-cert': files.tlsCert,
    'tls-key': files.tlsKey,
  };
  return [
    ['host', host],
    ['port', String(port)],
    ...(allowHost ?? []).map((name): [string, string] => ['allow-host', name]),
    ...(basePath ? [['base-path', basePath] as [string, string]] : []),
    ...Object.entries(paths).flatMap(([name, file]): [string, string][] => (file ? [[name, absolute(file)]] : [])),
  ];
}

function printWelcome({ url }: Daemon, link: string, folder: string): void {
  const { port, hostname: host, pathname } = new URL(url);
  print(`Open the studio: ${link}`);
  print(
    `The link pairs one browser, once, within 15 minutes. ${asCalled(`Another: anneal pair${folder === '.' ? '' : ` ${asTyped(folder)}`}`)}`,
  );
  if (pathname !== '/') print(`Through your proxy: this link with the proxy's name and port in it.`);
  else if (isLoopback(host)) {
    print(
      `From another machine: ssh -L ${port}:127.0.0.1:${port} ${userName() ?? 'you'}@${hostname()}, then open the link there.`,
    );
  }
  print('Ctrl-C ends the agent. Runs go on without it.');
}

/** npm and our own launcher pass on a Ctrl-C that the terminal has sent us already: two this close are one. */
const sameSignalMilliseconds = 300;

/** Resolves at the first signal to end; a later one ends the process at once. */
function ended(): Promise<void> {
  return new Promise((resolve) => {
    let first: number | undefined;
    const end = () => {
      first ??= Date.now();
      if (Date.now() - first > sameSignalMilliseconds) process.exit(exitCodes.interrupted);
      resolve();
    };
    for (const signal of stopping) process.on(signal, end);
  });
}
