import type { Place } from './places.ts';

export function bash(places: readonly Place[]): string {
  const offers = new Map<string, string[]>();
  for (const { path, flags } of places) {
    for (const { long, value } of flags) {
      if (!value || value.optional) continue;
      const offer = value.isFile ? '_anneal_files' : `_anneal_words '${value.choices.join(' ')}'`;
      offers.set(offer, [...(offers.get(offer) ?? []), `'${path} ${long}'`]);
    }
  }
  const values = [...offers].map(([offer, after]) => `    ${after.join(' | ')}) ${offer}; return ;;`);
  const options = places.map(
    ({ path, flags }) => `      '${path}') _anneal_words '${flags.map(({ long }) => long).join(' ')}' ;;`,
  );
  const words = places.map(({ path, commands, arguments: [first] }) => {
    const list = [...commands.map(({ name }) => name), ...(first?.choices ?? [])];
    return `      '${path}') ${first?.isFile ? '_anneal_files' : `_anneal_words '${list.join(' ')}'`} ;;`;
  });
  return `# bash completion for anneal
_anneal_words() {
  COMPREPLY=($(compgen -W "$1" -- "$word"))
}
_anneal_files() {
  local file
  # Escapes blanks and adds a slash to folders; known only where Tab is really pressed.
  compopt -o filenames 2>/dev/null
  while IFS= read -r file; do COMPREPLY+=("$file"); done < <(compgen -f -- "$word")
}
_anneal() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" path='' index
  COMPREPLY=()
  # --option=value comes as three words.
  [[ $word = '=' ]] && word=''
  [[ $before = '=' ]] && before="\${COMP_WORDS[COMP_CWORD-2]}"
  for ((index = 1; index < COMP_CWORD; index++)); do
    case "\${path:+$path }\${COMP_WORDS[index]}" in
${places
  .filter(({ path }) => path)
  .map(({ path }) => `      '${path}') path='${path}' ;;`)
  .join('\n')}
    esac
  done
  case "$path $before" in
${values.join('\n')}
  esac
  if [[ $word = -* ]]; then
    case "$path" in
${options.join('\n')}
    esac
  else
    case "$path" in
${words.join('\n')}
    esac
  fi
}
complete -F _anneal anneal`;
}
