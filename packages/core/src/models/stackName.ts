/** The name of several of our tensors as one: `layers.0.q` and `layers.0.k` are `layers.0.q+k`. */
export function stackName([first = '', ...others]: readonly string[]): string {
  return [first, ...others.map((name) => name.slice(name.lastIndexOf('.') + 1))].join('+');
}
