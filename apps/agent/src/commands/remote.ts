import { UserError } from '@anneal/core/errors';
import { shellWord } from '@anneal/core/shellWord';
import type { Command } from 'commander';
import type { RemoteOptions } from '../remote/address.ts';
import { calledElsewhere } from '../terminal/asCalled.ts';
import { addConnectionOptions } from './connectionOptions.ts';
import { addExamples } from './examples.ts';
import { refusedOptions, refusedVerbs, remoteVerbs } from './remoteVerbs.ts';

/** The verbs of this machine, each defined where it always is; what they ask for is done by the agent at `--host`. */
export async function define(command: Command): Promise<void> {
  addConnectionOptions(command).description(
    `${command.summary()}\n\nRecipes, data, runs and exports are those of the folder that the agent serves, named as its ` +
      'studio names them. A token is made where the agent runs: anneal token create laptop --scope operator',
  );
  const { verbs } = await import('../verbs.ts');
  for (const { name, load, actions = {} } of remoteVerbs) {
    const summary = verbs.find((verb) => verb.name === name)?.summary ?? '';
    const verb = command.command(name).summary(summary).description(summary);
    await (await load()).define(verb);
    for (const leaf of [verb, ...verb.commands]) {
      const refused = refusedOf(leaf).map(({ flag }) => flag);
      for (const option of leaf.options) option.hidden ||= refused.includes(option.long ?? '');
      const action = actions[leaf.name()];
      if (action) leaf.action(async (...args) => (await action())(...args));
    }
  }
  for (const { name, reason } of refusedVerbs) {
    const refused = command.command(name, { hidden: true }).allowUnknownOption().allowExcessArguments();
    refused.action(() => {
      throw notRemote(`\`${name}\``, reason);
    });
  }
  command.hook('preAction', async (_, leaf) => {
    calledElsewhere(
      wordsOf(command.opts<RemoteOptions>()),
      remoteVerbs.map(({ name }) => name),
    );
    refuseOptions(leaf);
    if (refusedVerbs.some(({ name }) => name === leaf.name() && leaf.parent === command)) return;
    const { connectTo } = await import('./remoteConnect.ts');
    await connectTo(command.opts<RemoteOptions>());
  });
  addExamples(
    command,
    'anneal remote --host https://gpu.lab:7420 --token-file ~/.anneal-token runs ls',
    'anneal remote train starter/recipe.yaml --set learning_rate=1e-4',
    'anneal remote export latest --gguf q8_0 --to ./models',
  );
}

/** By which the same agent is asked again. */
function wordsOf({ host, tokenFile, caFile }: RemoteOptions): string {
  const given = Object.entries({ '--host': host, '--token-file': tokenFile, '--ca-file': caFile });
  return ['remote', ...given.flatMap(([flag, value]) => (value === undefined ? [] : [flag, shellWord(value)]))].join(
    ' ',
  );
}

const refusedOf = (leaf: Command) => refusedOptions.filter(({ of = leaf.name() }) => of === leaf.name());

/** What has no meaning there is refused: nothing is ignored. */
function refuseOptions(leaf: Command): void {
  for (const { flag, reason } of refusedOf(leaf)) {
    const option = leaf.options.find(({ long }) => long === flag);
    if (option && leaf.getOptionValueSource(option.attributeName()) === 'cli') throw notRemote(flag, reason);
  }
}

function notRemote(what: string, reason: string): UserError {
  return new UserError({
    what: `${what} is not for another machine: ${reason}`,
    next: 'leave it out, or do it on that machine',
    code: 'not_remote',
  });
}
