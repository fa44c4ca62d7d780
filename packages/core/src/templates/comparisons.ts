import type { CallExpression, Expression } from './ast.ts';
import { compareValues, contains } from './operators.ts';
import type { Scope } from './scope.ts';
import { equal, type Value } from './values.ts';

type Comparison = Extract<Expression, { type: 'BinaryExpression' }>;

type Evaluate = (scope: Scope) => Value;
type Holds = (left: Value, right: Value) => boolean;

const COMPARISONS: Readonly<Record<string, Holds>> = {
  '==': equal,
  '!=': (left, right) => !equal(left, right),
  in: (left, right) => contains(right, left),
  'not in': (left, right) => !contains(right, left),
  '<': (left, right) => compareValues('<', left, right),
  '<=': (left, right) => compareValues('<=', left, right),
  '>': (left, right) => compareValues('>', left, right),
  '>=': (left, right) => compareValues('>=', left, right),
};

export const isComparison = (node: Expression): boolean =>
  node.type === 'BinaryExpression' && Object.hasOwn(COMPARISONS, node.operator.value);

/** `a == b == c` is `a == b and b == c`, as in Python, and so are all others: `a < b in c`. */
export function compileComparison(comparison: Comparison, compile: (node: Expression) => Evaluate): Evaluate {
  const links: { holds: Holds; right: Evaluate }[] = [];
  let rest: Expression = comparison;
  while (isComparison(rest)) {
    const { operator, left, right } = rest as Comparison;
    links.unshift({ holds: COMPARISONS[operator.value] as Holds, right: compile(right) });
    rest = left;
  }
  const first = compile(rest);
  const [link, ...others] = links as [(typeof links)[0]];
  if (others.length === 0) return (scope) => link.holds(first(scope), link.right(scope));
  return (scope) => {
    let left = first(scope);
    return links.every(({ holds, right: evaluate }) => {
      const right = evaluate(scope);
      const isTrue = holds(left, right);
      left = right;
      return isTrue;
    });
  };
}

/** Stands for parentheses, which the parser drops: no name of a template can be this. */
const GROUP = '(';

export const isGroup = ({ callee }: CallExpression): boolean => callee.type === 'Identifier' && callee.value === GROUP;

interface Token {
  readonly type: string;
  readonly value: string;
}

/** Before these names an opening parenthesis calls nothing. */
const KEYWORDS = ['if', 'elif', 'else', 'and', 'or', 'not', 'in'];

/** Keeps `(a == b) == c` apart from `a == b == c`: what stands in such parentheses becomes the argument of a call. */
export function withGroups<T extends Token>(tokens: readonly T[], named: (value: string) => T): T[] {
  const groups = new Set<number>();
  const open: { at: number; compares: boolean; lists: boolean }[] = [];
  for (const [at, { type }] of tokens.entries()) {
    if (type.startsWith('Open')) open.push({ at, compares: false, lists: false });
    const inner = open.at(-1);
    if (inner === undefined) continue;
    if (type === 'Comma') inner.lists = true;
    if (compares(tokens, at)) inner.compares = true;
    if (!type.startsWith('Close')) continue;
    open.pop();
    const outer = open.at(-1);
    if (outer !== undefined && inner.compares) outer.compares = true;
    const isCalled = type === 'CloseParen' && callsBefore(tokens[inner.at - 1]);
    if (type === 'CloseParen' && !isCalled && inner.compares && !inner.lists && compares(tokens, at + 1)) {
      groups.add(inner.at);
    }
  }
  return tokens.flatMap((token, at) => (groups.has(at) ? [named(GROUP), token] : [token]));
}

function compares(tokens: readonly Token[], at: number): boolean {
  const { type, value } = tokens[at] ?? { type: '', value: '' };
  if (type === 'ComparisonBinaryOperator') return true;
  if (type !== 'Identifier') return false;
  return value === 'in' || (value === 'not' && tokens[at + 1]?.value === 'in');
}

const callsBefore = (token: Token | undefined): boolean =>
  token !== undefined &&
  (['CloseParen', 'CloseSquareBracket', 'StringLiteral'].includes(token.type) ||
    (token.type === 'Identifier' && !KEYWORDS.includes(token.value)));
