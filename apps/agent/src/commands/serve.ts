import type { Command } from 'commander';
import { z } from 'zod';
import { addExamples } from './examples.ts';
import { optionFor } from './requestOption.ts';

export interface ServeOptions {
  host: string;
  port: number;
  runsDir?: string;
  allowHost?: readonly string[];
  basePath?: string;
  tokenFile?: string;
  tlsCert?: string;
  tlsKey?: string;
  systemd?: boolean;
  json?: boolean;
}

const port = z.int().min(0).max(65535).default(7420);

export function define(command: Command): void {
  addExamples(
    command
      .argument('[folder]', 'the folder that holds your recipes and runs', '.')
      .addOption(optionFor(port, '--port <number>', 'where to listen; 0 for any port that is free'))
      .option('--host <address>', 'address to listen on; one that others can reach needs a token and TLS', '127.0.0.1')
      .option('--runs-dir <folder>', 'the only folder to look for runs in; default: every folder called runs')
      .option(
        '--allow-host <name>',
        'a name under which browsers may call the agent; again for another one',
        (value: string, earlier: readonly string[] = []) => [...earlier, value],
      )
      .option('--base-path <path>', 'the path below which a proxy shows the agent, such as /user/ada/proxy/7420')
      .option('--token-file <file>', 'a token of 32 characters or more that opens the agent, beside pairing')
      .option('--tls-cert <file>', 'certificate for TLS, PEM')
      .option('--tls-key <file>', 'its private key, PEM')
      .option('--systemd', 'print the unit by which systemd runs such an agent, and start none')
      .action(async (folder: string, options: ServeOptions) => {
        const { serve } = await import('./serveForeground.ts');
        await serve(folder, options);
      }),
    'anneal serve',
    'anneal serve my-project --port 0',
    'anneal serve /srv/anneal --systemd',
    'anneal serve --host 0.0.0.0 --allow-host gpu.lab --token-file token --tls-cert gpu.pem --tls-key gpu.key',
  );
}
