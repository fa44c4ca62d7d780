import { type Command, InvalidArgumentError } from 'commander';
import { addExamples } from './examples.ts';
import { wholeNumberFrom } from './numberOption.ts';
import { addSetOption } from './setOption.ts';

export interface InspectOptions {
  set?: readonly string[];
  model?: string;
  row?: number;
  rows?: { first: number; last: number };
  verdicts?: boolean;
  ids?: boolean;
  json?: boolean;
}

export function define(command: Command): void {
  addExamples(
    addSetOption(command.argument('<source>', 'a recipe, or a data file or folder'))
      .option('--model <model>', 'for a data file: whose tokenizer and template; default: smollm2-135m')
      .option('--row <number>', 'show this row, counted from 1 over all files', wholeNumberFrom(1))
      .option('--rows <first-last>', 'show these rows', rowRange)
      .option('--verdicts', 'what becomes of each row, a line for each')
      .option('--ids', 'show the token ids too')
      .action(async (source: string, options: InspectOptions) => {
        const { inspect } = await import('../inspect/inspect.ts');
        await inspect(source, options);
      }),
    'anneal inspect recipe.yaml',
    'anneal inspect recipe.yaml --row 17 --ids',
    'anneal inspect rows.jsonl --model smollm2-135m --verdicts',
  );
}

function rowRange(text: string): { first: number; last: number } {
  const [, first, last] = /^(\d+)-(\d+)$/.exec(text) ?? [];
  const range = { first: Number(first), last: Number(last) };
  if (range.first >= 1 && range.last >= range.first) return range;
  throw new InvalidArgumentError('Write it like 10-20.');
}
