import { type Command, Option } from 'commander';
import { addExamples } from './examples.ts';
import { numberFrom, wholeNumberFrom } from './numberOption.ts';
import { addSourceOptions, sourceHelp } from './sourceOptions.ts';

export interface ChatOptions {
  runsDir: string;
  checkpoint?: string;
  prompt?: string;
  system?: string;
  tools?: string;
  plain?: boolean;
  base?: boolean;
  thinking?: boolean;
  temperature?: number;
  topK?: number;
  topP?: number;
  minP?: number;
  repetitionPenalty?: number;
  maxTokens: number;
  context: number;
  seed: number;
  dtype: 'f32' | 'bf16';
  json?: boolean;
}

export function define(command: Command): void {
  addExamples(
    addSourceOptions(command.argument('<source>', sourceHelp))
      .option('--prompt <text>', 'answer this and end; "-" reads it from stdin')
      .option('--system <text>', 'system message of the conversation')
      .option('--tools <file>', 'JSON file with the definitions of functions that the model may call')
      .option('--plain', 'continue the prompt as plain text, without the chat template')
      .option('--base', 'of a run or adapter: the model without what was trained')
      .option('--thinking', 'let a model that can think do so')
      .option('--no-thinking', 'answer at once')
      .option('--temperature <number>', 'randomness; 0 takes the likeliest token each time', numberFrom(0, 100))
      .option('--top-k <number>', 'choose among so many tokens; 0: all', wholeNumberFrom(0))
      .option('--top-p <number>', 'choose among the tokens that make up this probability', numberFrom(0, 1))
      .option('--min-p <number>', 'least probability, relative to the likeliest token', numberFrom(0, 1))
      .option('--repetition-penalty <number>', 'above 1: what was said becomes less likely', numberFrom(0.01, 100))
      .option('--max-tokens <number>', 'longest answer', wholeNumberFrom(1), 512)
      .option('--context <number>', 'tokens that the conversation may have', wholeNumberFrom(16, 1 << 20), 2048)
      .addOption(new Option('--dtype <type>', 'type of the weights in memory').choices(['bf16', 'f32']).default('bf16'))
      .option('--seed <number>', 'the same seed gives the same answers', wholeNumberFrom(0, 2 ** 32 - 1), 3407)
      .action(async (source: string, options: ChatOptions) => {
        const { chat } = await import('../chat/chat.ts');
        await chat(source, options);
      }),
    'anneal chat latest',
    'anneal chat smollm2-135m --prompt "Why is the sky blue?" --temperature 0',
    'anneal chat latest --tools tools.json --prompt "What is the weather in Lima?"',
  );
}
