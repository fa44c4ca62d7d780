/** The verbs that another agent can be asked for, and why others cannot. */
import type { Command } from 'commander';

// biome-ignore lint/suspicious/noExplicitAny: commander gives an action its arguments and options
type Action = (...args: any[]) => Promise<void>;

interface RemoteVerb {
  name: string;
  load(): Promise<{ define(command: Command): void | Promise<void> }>;
  /** What is done otherwise than here, by the name of the command. */
  actions?: Readonly<Record<string, () => Promise<Action>>>;
}

export const remoteVerbs: readonly RemoteVerb[] = [
  { name: 'validate', load: () => import('./validate.ts') },
  { name: 'inspect', load: () => import('./inspect.ts') },
  { name: 'estimate', load: () => import('./estimate.ts') },
  {
    name: 'train',
    load: () => import('./train.ts'),
    actions: { train: async () => (await import('./remoteTrain.ts')).train },
  },
  { name: 'chat', load: () => import('./chat.ts') },
  {
    name: 'export',
    load: () => import('./export.ts'),
    actions: { export: async () => (await import('./remoteExport.ts')).exportAndFetch },
  },
  { name: 'exports', load: () => import('./remoteExports.ts') },
  { name: 'push', load: () => import('./push.ts') },
  { name: 'models', load: () => import('./models.ts') },
  { name: 'pull', load: () => import('./pull.ts') },
  { name: 'synthesize', load: () => import('./synthesize.ts') },
  {
    name: 'runs',
    load: () => import('./runs.ts'),
    actions: {
      resume: async () => (await import('./remoteTrain.ts')).resume,
    },
  },
  { name: 'queue', load: () => import('./queue.ts') },
  { name: 'storage', load: () => import('./storage.ts') },
  { name: 'doctor', load: () => import('./doctor.ts') },
];

const local = 'it is about this machine and its terminal';

export const refusedVerbs: readonly { name: string; reason: string }[] = [
  {
    name: 'init',
    reason: 'a project is begun where its folder is; the studio of the agent begins and imports recipes',
  },
  { name: 'edit', reason: 'a version is written where the file is; the studio of the agent edits rows' },
  { name: 'schema', reason: 'it is the same everywhere' },
  { name: 'eval', reason: 'the agent measures validation losses while it trains' },
  { name: 'reproduce', reason: 'a run is trained again where its files are' },
  { name: 'serve', reason: local },
  { name: 'pair', reason: 'who is let in is decided on the machine of the agent, or in its settings' },
  { name: 'token', reason: 'who is let in is decided on the machine of the agent, or in its settings' },
  { name: 'secrets', reason: 'they are set on the machine of the agent, or by admins in its settings' },
  { name: 'endpoints', reason: 'they are set on the machine of the agent, or by admins in its settings' },
  { name: 'mcp', reason: 'it names the agent by its own --host' },
  { name: 'verify', reason: local },
  { name: 'bench', reason: local },
  { name: 'selftest', reason: local },
  { name: 'completion', reason: local },
];

/** @property of the verb whose option it is, where others have one of this name */
export const refusedOptions: readonly { flag: string; of?: string; reason: string }[] = [
  { flag: '--runs-dir', reason: 'the agent knows where its runs are' },
  { flag: '--folder', reason: 'the agent serves one folder' },
  { flag: '--offline', reason: 'a pull asks the hubs; `anneal models ls` says what is there' },
  { flag: '--dry-run', of: 'train', reason: '`anneal estimate` says what a run would take, without training' },
  { flag: '--seeds', reason: 'runs there begin one by one: `--set seed=1`' },
  { flag: '--rebuild-index', reason: 'an agent that runs keeps it, and makes it again by itself where it is damaged' },
  { flag: '--resume', reason: '`anneal runs resume` continues a run' },
];
