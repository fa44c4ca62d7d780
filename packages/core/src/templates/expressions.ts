import type { CallExpression, Expression, FilterName, Identifier, SliceExpression } from './ast.ts';
import { compileComparison, isComparison, isGroup } from './comparisons.ts';
import { TemplateError } from './errors.ts';
import { filterNamed } from './filters.ts';
import { UNKNOWN_GLOBALS } from './globals.ts';
import { allocate, charge, chargeList } from './meter.ts';
import { arithmetic, concatenate, copyOf, getAttribute, getItem, iterate, setKey, slice } from './operators.ts';
import type { Scope } from './scope.ts';
import { testNamed } from './tests.ts';
import {
  float,
  isCallable,
  isDict,
  isList,
  isString,
  type Kwargs,
  truthy,
  tuple,
  typeName,
  Undefined,
  type Value,
} from './values.ts';

/** A compiled expression: its value where it stands. */
export type Evaluate = (scope: Scope) => Value;

export function compileExpression(node: Expression): Evaluate {
  switch (node.type) {
    case 'Identifier': {
      const name = node.value;
      const missing = new Undefined(`'${name}' is undefined`);
      return (scope) => {
        const value = scope.get(name);
        if (value !== undefined) return value;
        if (UNKNOWN_GLOBALS.has(name)) throw new TemplateError(`Jinja's '${name}' is not known here`);
        return missing;
      };
    }
    case 'StringLiteral':
    case 'IntegerLiteral': {
      const { value } = node;
      return () => value;
    }
    case 'FloatLiteral': {
      const value = float(node.value);
      return () => value;
    }
    case 'ArrayLiteral':
    case 'TupleLiteral': {
      const items = node.value.map(compileExpression);
      return (scope) => {
        chargeList(items.length);
        const values = items.map((item) => item(scope));
        return node.type === 'TupleLiteral' ? tuple(values) : values;
      };
    }
    case 'ObjectLiteral': {
      const entries = [...node.value].map(
        ([key, value]) => [compileExpression(key), compileExpression(value)] as const,
      );
      return (scope) => {
        chargeList(8 * entries.length);
        const dict: Record<string, Value> = {};
        for (const [key, value] of entries) setKey(dict, textOf(key(scope)), value(scope));
        return dict;
      };
    }
    case 'MemberExpression': {
      const object = compileExpression(node.object);
      if (node.computed && node.property.type === 'SliceExpression') return compileSlice(object, node.property);
      if (!node.computed) {
        const name = (node.property as Identifier | { readonly value: number }).value;
        if (typeof name === 'number') return (scope) => getItem(object(scope), name);
        return (scope) => getAttribute(object(scope), name);
      }
      const property = compileExpression(node.property);
      return (scope) => getItem(object(scope), property(scope));
    }
    case 'CallExpression':
      return isGroup(node) ? compileExpression(node.args[0] as Expression) : compileCall(node);
    case 'BinaryExpression':
      if (isComparison(node)) return compileComparison(node, compileExpression);
      return compileBinary(node.operator.value, compileExpression(node.left), compileExpression(node.right));
    case 'UnaryExpression': {
      const argument = compileExpression(node.argument);
      if (node.operator.value === 'not') return (scope) => !truthy(argument(scope));
      const sign = node.operator.value === '-' ? -1 : 1;
      return (scope) => arithmetic('*', argument(scope), sign);
    }
    case 'FilterExpression': {
      const operand = compileExpression(node.operand);
      const filter = compileFilter(node.filter);
      return (scope) => filter(operand(scope), scope);
    }
    case 'TestExpression': {
      const operand = compileExpression(node.operand);
      const test = testNamed(node.test.value);
      const { negate } = node;
      return (scope) => test(operand(scope)) !== negate;
    }
    case 'Ternary':
    case 'SelectExpression': {
      const [condition, then, otherwise] =
        node.type === 'Ternary' ? [node.condition, node.trueExpr, node.falseExpr] : [node.test, node.lhs, null];
      const [test, whenTrue] = [compileExpression(condition), compileExpression(then)];
      const whenFalse =
        otherwise === null ? () => new Undefined('the inline if-expression has no else') : compileExpression(otherwise);
      return (scope) => (truthy(test(scope)) ? whenTrue(scope) : whenFalse(scope));
    }
    default:
      throw new TemplateError(`unexpected ${node.type}`);
  }
}

/** A key that is a number would be printed, and found, as a text. */
function textOf(key: Value): string {
  if (isString(key)) return key;
  throw new TemplateError(`a key of a dict that is no text, but ${typeName(key)}, is not known here`);
}

/** A compiled filter: from the filtered value to the result. */
export function compileFilter(node: FilterName): (value: Value, scope: Scope) => Value {
  if (node.type === 'Identifier') {
    const filter = filterNamed(node.value);
    return (value) => filter(value, [], {});
  }
  const filter = filterNamed((node.callee as Identifier).value);
  const evaluateArguments = compileArguments(node.args);
  return (value, scope) => {
    return filter(value, ...evaluateArguments(scope));
  };
}

function compileCall(node: CallExpression): Evaluate {
  const callee = compileExpression(node.callee);
  const evaluateArguments = compileArguments(node.args);
  return (scope) => {
    const target = callee(scope);
    if (target instanceof Undefined) throw new TemplateError(target.message);
    if (!isCallable(target)) throw new TemplateError(`'${typeName(target)}' object is not callable`);
    charge(2);
    allocate(64);
    return target(...evaluateArguments(scope));
  };
}

export function compileArguments(nodes: readonly Expression[]): (scope: Scope) => [readonly Value[], Kwargs] {
  const positional: { evaluate: Evaluate; spread: boolean }[] = [];
  const named: { name: string | null; evaluate: Evaluate }[] = [];
  for (const node of nodes) {
    if (node.type === 'KeywordArgumentExpression')
      named.push({ name: node.key.value, evaluate: compileExpression(node.value) });
    else if (node.type === 'KeywordSpreadExpression')
      named.push({ name: null, evaluate: compileExpression(node.argument) });
    else if (node.type === 'SpreadExpression')
      positional.push({ evaluate: compileExpression(node.argument), spread: true });
    else positional.push({ evaluate: compileExpression(node), spread: false });
  }
  return (scope) => {
    const args: Value[] = [];
    for (const { evaluate, spread } of positional) {
      const value = evaluate(scope);
      if (!spread) args.push(value);
      else if (isList(value)) {
        chargeList(value.length);
        for (const item of iterate(value)) args.push(item);
      } else throw new TemplateError(`argument after * must be an iterable, not ${typeName(value)}`);
    }
    let kwargs: Record<string, Value> = {};
    for (const { name, evaluate } of named) {
      const value = evaluate(scope);
      if (name !== null) setKey(kwargs, name, value);
      else if (isDict(value)) kwargs = copyOf(kwargs, value);
      else throw new TemplateError(`argument after ** must be a mapping, not ${typeName(value)}`);
    }
    return [args, kwargs];
  };
}

function compileSlice(object: Evaluate, node: SliceExpression): Evaluate {
  const [start, stop, step] = [node.start, node.stop, node.step].map((part) =>
    part ? compileExpression(part) : () => null,
  );
  return (scope) => {
    return slice(object(scope), start?.(scope) ?? null, stop?.(scope) ?? null, step?.(scope) ?? null);
  };
}

function compileBinary(operator: string, left: Evaluate, right: Evaluate): Evaluate {
  switch (operator) {
    case 'and':
      return (scope) => {
        const value = left(scope);
        return truthy(value) ? right(scope) : value;
      };
    case 'or':
      return (scope) => {
        const value = left(scope);
        return truthy(value) ? value : right(scope);
      };
    case '~':
      return (scope) => concatenate(left(scope), right(scope));
    default:
      return (scope) => arithmetic(operator, left(scope), right(scope));
  }
}

/** Steps that evaluating an expression may take, apart from those that depend on its values. */
export function weightOf(node: unknown): number {
  if (typeof node !== 'object' || node === null) return 0;
  const parts = node instanceof Map ? [...node].flat() : Object.values(node);
  return parts.reduce((sum: number, part) => sum + weightOf(part), 'type' in node ? 1 : 0);
}
