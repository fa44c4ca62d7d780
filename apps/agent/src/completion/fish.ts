import type { Flag, Place } from './places.ts';

export function fish(places: readonly Place[]): string {
  return `# fish completion for anneal
function __anneal_at
  set -l path
  for word in (commandline -opc)[2..]
    switch "$path $word"
${places
  .filter(({ path }) => path)
  .map(({ path }) => `      case '${path.includes(' ') ? path : ` ${path}`}'\n        set path '${path}'`)
  .join('\n')}
    end
  end
  test "$path" = "$argv"
end
${places.flatMap(completions).join('\n')}`;
}

function completions(place: Place): string[] {
  const [first] = place.arguments;
  const offers = [
    ...place.commands.map(({ name, description }) => `-a ${name} -d ${quote(description)}`),
    ...(first && first.choices.length > 0 ? [`-a '${first.choices.join(' ')}'`] : []),
    ...(first?.isFile ? [] : ['-f']),
    ...place.flags.map(flagOffer),
  ];
  return offers.map((offer) => `complete -c anneal -n ${quote(`__anneal_at ${place.path}`.trim())} ${offer}`);
}

function flagOffer({ long, short, description, value }: Flag): string {
  const name = `-l ${long.slice(2)}${short ? ` -s ${short.slice(1)}` : ''}`;
  // fish knows no optional values; what may follow is then what may follow the command.
  if (!value || value.optional) return `${name} -d ${quote(description)}`;
  const choices = value.choices.length > 0 ? ` -a '${value.choices.join(' ')}'` : '';
  return `${name} -r ${value.isFile ? '-F' : '-f'}${choices} -d ${quote(description)}`;
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
