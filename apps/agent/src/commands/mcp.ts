import type { Command } from 'commander';
import { addConnectionOptions } from './connectionOptions.ts';
import { addExamples } from './examples.ts';

export function define(command: Command): void {
  addExamples(
    addConnectionOptions(command)
      .description(
        `${command.summary()}\n\nIt speaks the Model Context Protocol on stdin and stdout. What is offered is what the role of the ` +
          'token may: a viewer looks, an editor also talks to models, an operator also trains and exports. ' +
          'In the configuration of an assistant: {"command": "anneal", "args": ["mcp"], "env": {"ANNEAL_HOST": …, "ANNEAL_TOKEN": …}}',
      )
      .action(async (options) => (await import('./mcpServe.ts')).serve(options)),
    'anneal mcp --host http://127.0.0.1:7420 --token-file ~/.anneal-token',
  );
}
