import type { Argument, Command, Option } from 'commander';

/** What an argument, or the value of an option, can be. */
export interface Value {
  /** As in the help: `<file>`. */
  name: string;
  /** The values it takes, where they are a fixed list. */
  choices: readonly string[];
  isFile: boolean;
}

export interface Flag {
  /** `--follow` */
  long: string;
  /** `-f` */
  short: string | undefined;
  description: string;
  value: (Value & { optional: boolean }) | undefined;
}

/** A command: what can follow after the words of `path`, `runs show`, or after nothing for the program itself. */
export interface Place {
  path: string;
  commands: readonly { name: string; description: string }[];
  arguments: readonly (Value & { variadic: boolean })[];
  flags: readonly Flag[];
}

export function placesOf(command: Command, path: readonly string[] = []): Place[] {
  const children = command.commands.filter((child) => command.createHelp().visibleCommands(command).includes(child));
  const here: Place = {
    path: path.join(' '),
    commands: children.map((child) => ({ name: child.name(), description: child.summary() })),
    arguments: command.registeredArguments.map((argument) => ({
      ...argumentValue(argument),
      variadic: argument.variadic,
    })),
    flags: [...command.options.filter(({ hidden }) => !hidden).map(flagOf), helpFlag],
  };
  return [here, ...children.flatMap((child) => placesOf(child, [...path, child.name()]))];
}

/** Commander keeps it apart from the other options. */
const helpFlag: Flag = { long: '--help', short: '-h', description: 'explain this command', value: undefined };

/** Runs, models and recipes can all be given as paths. */
function argumentValue(argument: Argument): Value {
  const choices = argument.argChoices ?? [];
  return { name: argument.name(), choices, isFile: choices.length === 0 };
}

/** Names of option values that are paths. */
const fileNames: ReadonlySet<string> = new Set(['file', 'folder', 'model', 'path', 'recipe', 'run']);

function flagOf(option: Option): Flag {
  const { long, short, description } = option;
  if (!long) throw new Error(`the option ${option.flags} has no long name`);
  const name = /[<[](.+)[>\]]/.exec(option.flags)?.[1];
  const value = name && {
    name,
    choices: option.argChoices ?? [],
    isFile: fileNames.has(name),
    optional: option.optional,
  };
  return { long, short, description, value: value || undefined };
}
