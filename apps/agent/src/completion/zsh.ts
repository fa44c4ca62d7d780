import type { Flag, Place, Value } from './places.ts';

/** A function for each command, as `_arguments` of zsh wants them. */
export function zsh(places: readonly Place[]): string {
  return `#compdef anneal
${places.map((place) => `${functionName(place)}() {\n${place.commands.length > 0 ? group(place) : leaf(place)}\n}`).join('\n')}
# Found through fpath, the first Tab runs this file as the function itself.
if [[ "\${funcstack[1]}" = _anneal ]]; then _anneal "$@"; else compdef _anneal anneal; fi`;
}

function functionName({ path }: Place): string {
  return ['_anneal', ...path.split(' ').filter(Boolean)].join('_');
}

/** With its words removed, what follows is left to the function of the subcommand. */
function group(place: Place): string {
  const commands = place.commands.map(({ name, description }) => quote(`${name}:${description}`));
  return `  local context state state_descr line
  typeset -A opt_args
  local -a commands
  commands=(
${commands.map((command) => `    ${command}`).join('\n')}
  )
${argumentsCall('-C', [...place.flags.flatMap(flagSpecs), "'1: :->command'", "'*:: :->rest'"])} && return
  case "$state" in
    command) _describe command commands ;;
    rest) (( $+functions[${functionName(place)}_$line[1]] )) && ${functionName(place)}_$line[1] ;;
  esac`;
}

function leaf(place: Place): string {
  const positional = place.arguments.map((value, index) =>
    quote(`${value.variadic ? '*' : index + 1}:${value.name}:${action(value)}`),
  );
  return argumentsCall('', [...place.flags.flatMap(flagSpecs), ...positional]);
}

function argumentsCall(option: string, specs: readonly string[]): string {
  return `  _arguments ${option} \\\n${specs.map((spec) => `    ${spec}`).join(' \\\n')}`;
}

function flagSpecs({ long, short, description, value }: Flag): string[] {
  const explanation = `[${description.replaceAll(/[\\[\]]/g, '\\$&')}]`;
  // May be given again: --set adds, the others replace.
  if (value) return [quote(`*${long}=${explanation}${value.optional ? '::' : ':'}${value.name}:${action(value)}`)];
  if (!short) return [quote(`${long}${explanation}`)];
  return [short, long].map((name) => quote(`(${short} ${long})${name}${explanation}`));
}

function action({ choices, isFile }: Value): string {
  if (choices.length > 0) return `(${choices.join(' ')})`;
  // A blank: says what is expected, offers nothing.
  return isFile ? '_files' : ' ';
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
