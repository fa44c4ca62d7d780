/**
 * The part of Go's text/template that our Modelfiles use, to see what a template makes of a conversation before it is
 * handed to Ollama: text, fields, variables, if / else if / else, range, and a few functions.
 */

type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'print'; readonly value: Expression }
  | { readonly kind: 'assign'; readonly name: string; readonly declares: boolean; readonly value: Expression }
  | { readonly kind: 'if'; readonly condition: Expression; readonly body: Node[]; readonly otherwise: Node[] }
  | { readonly kind: 'range'; readonly names: string[]; readonly value: Expression; readonly body: Node[] };

type Expression =
  | { readonly kind: 'literal'; readonly value: unknown }
  /** `.A.B` has base null, `$x.A` base `$x`; `$` alone is the root. */
  | { readonly kind: 'path'; readonly base: string | null; readonly fields: readonly string[] }
  | { readonly kind: 'call'; readonly name: string; readonly arguments: readonly Expression[] };

const FUNCTIONS: Readonly<Record<string, (values: unknown[]) => unknown>> = {
  eq: ([a, b]) => a === b,
  ne: ([a, b]) => a !== b,
  gt: ([a, b]) => Number(a) > Number(b),
  lt: ([a, b]) => Number(a) < Number(b),
  not: ([a]) => !isTrue(a),
  and: (values) => values.reduce((all, value) => (isTrue(all) ? value : all)),
  or: (values) => values.reduce((all, value) => (isTrue(all) ? all : value)),
  len: ([value]) => (value as string | readonly unknown[]).length,
  printf: ([format, ...values]) =>
    String(format).replaceAll(/%0(\d+)d|%s|%/g, (verb, width = 0) => {
      if (verb === '%') throw new Error(`printf knows %s and %05d, not ${format}`);
      return String(values.shift()).padStart(Number(width), '0');
    }),
  // Ollama's own, by Go's encoding/json.
  json: ([value]) =>
    JSON.stringify(value).replaceAll(
      /[<>&\u2028\u2029]/g,
      (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
    ),
};

/** @throws Error on syntax outside this part, which would be a mistake in one of our own templates */
export function renderGoTemplate(source: string, data: Readonly<Record<string, unknown>>): string {
  const nodes = new Parser(source).parse();
  return run(nodes, { dot: data, variables: new Map([['$', data]]), parent: null });
}

interface Scope {
  readonly dot: unknown;
  readonly variables: Map<string, unknown>;
  readonly parent: Scope | null;
}

function run(nodes: readonly Node[], scope: Scope): string {
  return nodes.map((node) => runNode(node, scope)).join('');
}

function runNode(node: Node, scope: Scope): string {
  switch (node.kind) {
    case 'text':
      return node.text;
    case 'print':
      return String(evaluate(node.value, scope));
    case 'assign': {
      const holder = node.declares ? scope : holderOf(node.name, scope);
      holder.variables.set(node.name, evaluate(node.value, scope));
      return '';
    }
    case 'if': {
      const branch = isTrue(evaluate(node.condition, scope)) ? node.body : node.otherwise;
      return run(branch, { dot: scope.dot, variables: new Map(), parent: scope });
    }
    case 'range': {
      const items = evaluate(node.value, scope);
      if (!Array.isArray(items)) throw new Error('range over something that is no list');
      return items
        .map((item: unknown, index) => {
          const values = node.names.length === 2 ? [index, item] : [item];
          const variables = new Map(node.names.map((name, at) => [name, values[at]]));
          return run(node.body, { dot: item, variables, parent: scope });
        })
        .join('');
    }
  }
}

function holderOf(name: string, scope: Scope): Scope {
  for (let at: Scope | null = scope; at; at = at.parent) if (at.variables.has(name)) return at;
  throw new Error(`undefined variable ${name}`);
}

function evaluate(expression: Expression, scope: Scope): unknown {
  switch (expression.kind) {
    case 'literal':
      return expression.value;
    case 'path': {
      const { base, fields } = expression;
      const start = base === null ? scope.dot : holderOf(base, scope).variables.get(base);
      return fields.reduce<unknown>((value, field) => (value as Record<string, unknown>)[field], start);
    }
    case 'call': {
      const call = FUNCTIONS[expression.name];
      if (!call) throw new Error(`function ${expression.name} is not defined`);
      return call(expression.arguments.map((argument) => evaluate(argument, scope)));
    }
  }
}

/** Go's truth: false, 0, "", nil and what is empty are not. */
function isTrue(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}

const ACTION = /\{\{(- )?(.*?)( -)?\}\}/gs;
const TOKEN = /\s*("(?:[^"\\]|\\.)*"|:=|[=(),]|-?\d+|\$?[\w]*(?:\.\w+)*)/gy;

class Parser {
  readonly #parts: (string | string[])[] = [];
  #at = 0;

  /** Cuts the source into texts and token lists; `{{- ` and ` -}}` take the white space beside them away. */
  constructor(source: string) {
    let end = 0;
    let trimNext = false;
    const addText = (text: string, trimEnd: boolean): void => {
      const left = trimNext ? text.trimStart() : text;
      this.#parts.push(trimEnd ? left.trimEnd() : left);
    };
    for (const match of source.matchAll(ACTION)) {
      addText(source.slice(end, match.index), match[1] !== undefined);
      this.#parts.push(tokens(match[2] ?? ''));
      trimNext = match[3] !== undefined;
      end = match.index + match[0].length;
    }
    addText(source.slice(end), false);
  }

  parse(): Node[] {
    const { nodes, end } = this.#block();
    if (end !== null) throw new Error(`{{ ${end.join(' ')} }} without its beginning`);
    return nodes;
  }

  /** Up to and including the `end` or `else` that closes the block. */
  #block(): { nodes: Node[]; end: string[] | null } {
    const nodes: Node[] = [];
    while (this.#at < this.#parts.length) {
      const part = this.#parts[this.#at++];
      if (part === undefined) break;
      if (typeof part === 'string') nodes.push({ kind: 'text', text: part });
      else if (part[0] === 'end' || part[0] === 'else') return { nodes, end: part };
      else nodes.push(this.#action(part));
    }
    return { nodes, end: null };
  }

  #action(words: string[]): Node {
    if (words[0] === 'if') return this.#if(words.slice(1));
    if (words[0] === 'range') {
      const declared = words.indexOf(':=');
      const names = words.slice(1, Math.max(declared, 1)).filter((word) => word !== ',');
      const value = expressionOf(words.slice(declared < 0 ? 1 : declared + 1));
      const { nodes: body } = this.#block();
      return { kind: 'range', names, value, body };
    }
    const operator = words[1];
    if (operator === ':=' || operator === '=') {
      return { kind: 'assign', name: words[0] ?? '', declares: operator === ':=', value: expressionOf(words.slice(2)) };
    }
    return { kind: 'print', value: expressionOf(words) };
  }

  #if(condition: string[]): Node {
    const { nodes, end } = this.#block();
    if (end === null) throw new Error('{{ if }} without {{ end }}');
    const otherwise = end[1] === 'if' ? [this.#if(end.slice(2))] : end[0] === 'else' ? this.#block().nodes : [];
    return { kind: 'if', condition: expressionOf(condition), body: nodes, otherwise };
  }
}

function tokens(action: string): string[] {
  return Array.from(action.trim().matchAll(TOKEN), (match) => match[1] ?? '').filter((token) => token !== '');
}

/** One operand, or a function and its operands; parentheses nest. */
function expressionOf(words: readonly string[]): Expression {
  let at = 0;
  const operand = (): Expression => {
    const word = words[at++] ?? '';
    if (word === '(') return call(')');
    if (word.startsWith('"')) return { kind: 'literal', value: JSON.parse(word) };
    if (/^-?\d/.test(word)) return { kind: 'literal', value: Number(word) };
    if (word === 'true' || word === 'false') return { kind: 'literal', value: word === 'true' };
    const [base = '', ...fields] = word.split('.');
    if (base !== '' && !base.startsWith('$')) return { kind: 'call', name: base, arguments: [] };
    return { kind: 'path', base: base === '' ? null : base, fields: fields.filter((field) => field !== '') };
  };
  const call = (closing: string | undefined): Expression => {
    const first = operand();
    const rest: Expression[] = [];
    while (at < words.length && words[at] !== closing) rest.push(operand());
    at++;
    if (first.kind !== 'call') return first;
    return { ...first, arguments: rest };
  };
  return call(undefined);
}
