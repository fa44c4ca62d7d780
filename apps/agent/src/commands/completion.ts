import { Argument, type Command } from 'commander';
import { print, printJson } from '../terminal/print.ts';
import { addExamples } from './examples.ts';

export function define(command: Command): void {
  addExamples(
    command
      .addArgument(new Argument('<shell>', 'the shell it is for').choices(['bash', 'zsh', 'fish']))
      .action(async (shell: 'bash' | 'zsh' | 'fish', options: { json?: boolean }) => {
        const [{ buildProgram }, { completionScript }] = await Promise.all([
          import('../program.ts'),
          import('../completion/script.ts'),
        ]);
        const script = completionScript(shell, await buildProgram({ all: true }));
        if (options.json) printJson({ shell, script });
        else print(script);
      }),
    'anneal completion bash > ~/.local/share/bash-completion/completions/anneal',
    'anneal completion zsh > ~/.zfunc/_anneal',
    'anneal completion fish > ~/.config/fish/completions/anneal.fish',
  );
}
