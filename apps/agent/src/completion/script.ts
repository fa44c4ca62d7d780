/** Completion scripts made from the command tree: static, so that pressing Tab starts nothing. */
import type { Command, Option } from 'commander';

interface Word {
  name: string;
  description: string;
  takesValue: boolean;
  /** The values it takes, where they are a fixed list. */
  choices: readonly string[];
}

/** What can follow after the words of `path`: `runs show`, or nothing for the program itself. */
interface Place {
  path: string;
  words: readonly Word[];
  /** Names a file, as most arguments do. */
  takesFile: boolean;
}

export function completionScript(shell: 'bash' | 'zsh' | 'fish', program: Command): string {
  const places = placesOf(program, []);
  return { bash, zsh, fish }[shell](places);
}

function placesOf(command: Command, path: readonly string[]): Place[] {
  const argument = command.registeredArguments[0];
  const words: Word[] = [
    ...command.commands.map((child) => ({
      name: child.name(),
      description: child.summary(),
      takesValue: false,
      choices: [],
    })),
    ...(argument?.argChoices ?? []).map((name) => ({ name, description: '', takesValue: false, choices: [] })),
    ...[...command.options, helpOption].map((option) => ({
      name: option.long ?? option.short ?? '',
      description: option.description,
      takesValue: 'required' in option ? option.required || option.optional : false,
      choices: ('argChoices' in option ? option.argChoices : undefined) ?? [],
    })),
  ];
  const here = { path: path.join(' '), words, takesFile: command.commands.length === 0 && !argument?.argChoices };
  return [here, ...command.commands.flatMap((child) => placesOf(child, [...path, child.name()]))];
}

/** Commander keeps it apart from the other options. */
const helpOption = { long: '--help', short: '-h', description: 'explain this command' } satisfies Partial<Option>;

function bash(places: readonly Place[]): string {
  const table = places.map(({ path, words }) => `    '${path}') words='${words.map(({ name }) => name).join(' ')}' ;;`);
  const choices = choicesOf(places).map(
    ([path, option, values]) =>
      `    '${path} ${option}') COMPREPLY=($(compgen -W '${values.join(' ')}' -- "$word")); return ;;`,
  );
  return `# bash completion for anneal
_anneal() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" path='' words='' index
  for ((index = 1; index < COMP_CWORD; index++)); do
    case "\${path:+$path }\${COMP_WORDS[index]}" in
${commandCases(places, (path) => `      '${path}') path='${path}' ;;`)}
    esac
  done
  case "$path $before" in
${[...choices, '    *) ;;'].join('\n')}
  esac
  case "$path" in
${table.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
  [[ \${#COMPREPLY[@]} -eq 0 ]] && COMPREPLY=($(compgen -f -- "$word"))
}
complete -o filenames -F _anneal anneal`;
}

function zsh(places: readonly Place[]): string {
  const table = places.map(({ path, words, takesFile }) => {
    const list = words.map(({ name, description }) => zshQuote(`${name}:${description}`)).join(' ');
    return `    '${path}') words_here=(${list})${takesFile ? '; files=1' : ''} ;;`;
  });
  return `#compdef anneal
_anneal() {
  local path_here='' word files=0
  local -a words_here
  for word in "\${words[@]:1:$((CURRENT - 2))}"; do
    case "\${path_here:+$path_here }$word" in
${commandCases(places, (path) => `      '${path}') path_here='${path}' ;;`)}
    esac
  done
  case "$path_here \${words[CURRENT-1]}" in
${[
  ...choicesOf(places).map(
    ([path, option, values]) => `    '${path} ${option}') compadd -- ${values.join(' ')}; return ;;`,
  ),
  '    *) ;;',
].join('\n')}
  esac
  case "$path_here" in
${table.join('\n')}
  esac
  _describe 'anneal' words_here
  (( files )) && _files
}
# Found through fpath, the first Tab runs this file as the function itself.
if [[ "\${funcstack[1]}" = _anneal ]]; then _anneal "$@"; else compdef _anneal anneal; fi`;
}

function fish(places: readonly Place[]): string {
  const lines = places.flatMap(({ path, words, takesFile }) => {
    const condition = `-n "test (__anneal_path) = '${path}'"`;
    return words.map(({ name, description, takesValue, choices }) => {
      const what = name.startsWith('--')
        ? `-l ${name.slice(2)}${takesValue ? ' -r' : ''}${choices.length > 0 ? ` -f -a '${choices.join(' ')}'` : ''}`
        : `-a ${name}`;
      return `complete -c anneal ${condition} ${takesFile || takesValue ? '' : '-f '}${what} -d ${fishQuote(description)}`;
    });
  });
  return `# fish completion for anneal
function __anneal_path
  set -l path ''
  for word in (commandline -opc)[2..]
    switch (string trim "$path $word")
${places
  .filter(({ path }) => path)
  .map(({ path }) => `      case '${path}'\n        set path '${path}'`)
  .join('\n')}
    end
  end
  echo $path
end
${lines.join('\n')}`;
}

function commandCases(places: readonly Place[], line: (path: string) => string): string {
  return places
    .filter(({ path }) => path)
    .map(({ path }) => line(path))
    .join('\n');
}

function choicesOf(places: readonly Place[]): [string, string, readonly string[]][] {
  return places.flatMap(({ path, words }) =>
    words
      .filter(({ choices }) => choices.length > 0)
      .map(({ name, choices }): [string, string, readonly string[]] => [path, name, choices]),
  );
}

function zshQuote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function fishQuote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
