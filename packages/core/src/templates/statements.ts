import type { Block, Expression, Statement } from './ast.ts';
import { TemplateError } from './errors.ts';
import { compileArguments, compileExpression, compileFilter, type Evaluate, weightOf } from './expressions.ts';
import { allocate, charge } from './meter.ts';
import { iterate } from './operators.ts';
import type { Run, Scope } from './scope.ts';
import {
  type Callable,
  firstGiven,
  isCallable,
  Namespace,
  str,
  truthy,
  tuple,
  Undefined,
  type Value,
} from './values.ts';

/** Work and bytes of a loop's iteration apart from its body: a scope and a `loop` object. */
const ITERATION = { work: 8, bytes: 384 };

/** How a statement ended: normally, or on its way out of the innermost loop. */
type Flow = 'next' | 'break' | 'continue';
/** A compiled statement: prints into the run's output. */
export type Execute = (scope: Scope) => Flow;

export function compileBlock(nodes: Block): Execute {
  const statements = nodes
    .filter((node) => node.type !== 'Comment')
    .map((node) => ({ execute: compileStatement(node), weight: 1 + (weightOf(headOf(node)) >>> 1) }));
  return (scope) => {
    for (const { execute, weight } of statements) {
      charge(weight);
      const flow = execute(scope);
      if (flow !== 'next') return flow;
    }
    return 'next';
  };
}

/** What of a statement is evaluated each time it is executed; its blocks count for themselves. */
function headOf(node: Statement): unknown {
  switch (node.type) {
    case 'If':
      return node.test;
    case 'For':
      return node.iterable;
    case 'Set':
      return [node.assignee, node.value];
    case 'Macro':
      return null;
    case 'CallStatement':
      return node.call;
    case 'FilterStatement':
      return node.filter;
    default:
      return node;
  }
}

function compileStatement(node: Statement): Execute {
  switch (node.type) {
    case 'If': {
      const [test, then, otherwise] = [
        compileExpression(node.test),
        compileBlock(node.body),
        compileBlock(node.alternate),
      ];
      return (scope) => (truthy(test(scope)) ? then(scope) : otherwise(scope));
    }
    case 'For':
      return compileFor(node);
    case 'Set':
      return compileSet(node);
    case 'Macro': {
      const name = node.name.value;
      const macro = compileMacro(name, node.args, node.body);
      return (scope) => {
        scope.set(name, macro(scope));
        return 'next';
      };
    }
    case 'CallStatement': {
      const callee = compileExpression(node.call.callee);
      const evaluateArguments = compileArguments(node.call.args);
      const caller = compileMacro('caller', node.callerArgs ?? [], node.body);
      return (scope) => {
        const macro = callee(scope);
        if (!isCallable(macro)) throw new TemplateError('call needs a macro');
        const [args, kwargs] = evaluateArguments(scope);
        return print(scope.run, macro(args, { ...kwargs, caller: caller(scope) }));
      };
    }
    case 'FilterStatement': {
      const [filter, body] = [compileFilter(node.filter), compileBlock(node.body)];
      return (scope) =>
        print(
          scope.run,
          filter(
            scope.run.capture(() => body(scope.inner())),
            scope,
          ),
        );
    }
    case 'Break':
      return () => 'break';
    case 'Continue':
      return () => 'continue';
    case 'Comment':
      return () => 'next';
    default: {
      const expression = compileExpression(node);
      return (scope) => print(scope.run, expression(scope));
    }
  }
}

function print(run: Run, value: Value): Flow {
  run.out.write(str(value));
  return 'next';
}

function compileFor(node: Statement & { type: 'For' }): Execute {
  const filtered = node.iterable.type === 'SelectExpression' ? node.iterable : null;
  const iterable = compileExpression(filtered?.lhs ?? node.iterable);
  const test = filtered && compileExpression(filtered.test);
  const testWeight = ITERATION.work + weightOf(filtered?.test);
  const assign = compileTarget(node.loopvar);
  const [body, otherwise] = [compileBlock(node.body), compileBlock(node.defaultBlock)];
  return (scope) => {
    let items = iterate(iterable(scope));
    if (test !== null) {
      items = items.filter((item) => {
        charge(testWeight);
        allocate(ITERATION.bytes);
        const inner = scope.inner();
        assign(inner, item);
        return truthy(test(inner));
      });
    }
    if (items.length === 0) return otherwise(scope);
    for (const [i, item] of items.entries()) {
      charge(ITERATION.work);
      allocate(ITERATION.bytes);
      const inner = scope.inner();
      inner.set('loop', loopVariable(items, i));
      assign(inner, item);
      if (withinMessage(scope.run, items, i, () => body(inner)) === 'break') break;
    }
    return 'next';
  };
}

/** Notes what an outermost loop over the conversation's messages, or over their numbers, prints for each of them. */
function withinMessage(run: Run, items: readonly Value[], i: number, body: () => Flow): Flow {
  const item = items[i];
  const isNumber = item === i && items.length === run.messages.size;
  const message = isNumber ? i : typeof item === 'object' && item !== null ? run.messages.get(item) : undefined;
  if (message === undefined || run.insideMessage || run.out !== run.root) return body();
  run.insideMessage = true;
  const start = run.root.length;
  const flow = body();
  run.printed.push({ message, start, end: run.root.length });
  run.insideMessage = false;
  return flow;
}

function loopVariable(items: readonly Value[], i: number): Value {
  return {
    index: i + 1,
    index0: i,
    revindex: items.length - i,
    revindex0: items.length - i - 1,
    first: i === 0,
    last: i === items.length - 1,
    length: items.length,
    depth: 1,
    depth0: 0,
    previtem: firstGiven(items[i - 1], new Undefined('there is no previous item')),
    nextitem: firstGiven(items[i + 1], new Undefined('there is no next item')),
    cycle: ((args) => args[i % args.length] ?? null) as Callable,
  };
}

function compileSet(node: Statement & { type: 'Set' }): Execute {
  const assign = compileTarget(node.assignee);
  if (node.value !== null) {
    const value = compileExpression(node.value);
    return (scope) => {
      assign(scope, value(scope));
      return 'next';
    };
  }
  const body = compileBlock(node.body);
  return (scope) => {
    assign(
      scope,
      scope.run.capture(() => body(scope.inner())),
    );
    return 'next';
  };
}

type Assign = (scope: Scope, value: Value) => void;

function compileTarget(node: Expression): Assign {
  if (node.type === 'Identifier') return (scope, value) => scope.set(node.value, value);
  if (node.type === 'MemberExpression' && !node.computed && node.property.type === 'Identifier') {
    const object = compileExpression(node.object);
    const name = node.property.value;
    return (scope, value) => {
      const target = object(scope);
      if (!(target instanceof Namespace)) throw new TemplateError('cannot assign attribute on non-namespace object');
      target.attributes.set(name, value);
    };
  }
  if (node.type !== 'TupleLiteral') throw new TemplateError(`cannot assign to ${node.type}`);
  const targets = node.value.map(compileTarget);
  return (scope, value) => {
    const items = iterate(value);
    if (items.length < targets.length) {
      throw new TemplateError(`not enough values to unpack (expected ${targets.length}, got ${items.length})`);
    }
    if (items.length > targets.length)
      throw new TemplateError(`too many values to unpack (expected ${targets.length})`);
    for (const [i, target] of targets.entries()) target(scope, items[i] as Value);
  };
}

/** A macro takes more than its parameters where it reads them under these names. */
const MORE = ['varargs', 'kwargs', 'caller'];
/** Which of them bodies of macros read: macros stand in macros, and each is looked through once. */
const namesRead = new WeakMap<object, ReadonlySet<unknown>>();

function readNames(node: unknown, into: Set<unknown>): void {
  if (typeof node !== 'object' || node === null) return;
  for (const name of namesRead.get(node) ?? []) into.add(name);
  if (namesRead.has(node)) return;
  if ('type' in node && node.type === 'Identifier' && 'value' in node && MORE.includes(String(node.value)))
    into.add(node.value);
  for (const part of node instanceof Map ? [...node].flat() : Object.values(node)) readNames(part, into);
}

/** @returns from the scope of the definition, the callable macro */
function compileMacro(name: string, parameters: readonly Expression[], body: Block): (scope: Scope) => Callable {
  const execute = compileBlock(body);
  const formal = parameters.map((parameter): { name: string; otherwise: Evaluate | null } => {
    if (parameter.type === 'Identifier') return { name: parameter.value, otherwise: null };
    if (parameter.type === 'KeywordArgumentExpression') {
      return { name: parameter.key.value, otherwise: compileExpression(parameter.value) };
    }
    throw new TemplateError(`macro '${name}' has a parameter that is no name`);
  });
  const macroWeight = ITERATION.work + weightOf(parameters);
  const known = new Set(formal.map((parameter) => parameter.name));
  const read = new Set<unknown>();
  readNames(body, read);
  namesRead.set(body, read);
  const [takesMore, takesNames, takesCaller] = MORE.map((word) => read.has(word));
  const isTaken = (key: string): boolean => known.has(key) || (key === 'caller' ? takesCaller : takesNames) === true;
  return (definition) => (args, kwargs) => {
    if (args.length > formal.length && !takesMore) {
      throw new TemplateError(`macro '${name}' takes not more than ${formal.length} argument(s)`);
    }
    const other = Object.keys(kwargs).find((key) => !isTaken(key));
    if (other !== undefined) throw new TemplateError(`macro '${name}' takes no keyword argument '${other}'`);
    charge(macroWeight);
    allocate(ITERATION.bytes);
    const scope = definition.inner();
    for (const [i, parameter] of formal.entries()) {
      const named = Object.hasOwn(kwargs, parameter.name) ? kwargs[parameter.name] : undefined;
      const otherwise = parameter.otherwise?.(scope) ?? null;
      const missing = new Undefined(`parameter '${parameter.name}' was not provided`);
      scope.set(parameter.name, firstGiven(args[i], named, parameter.otherwise === null ? missing : otherwise));
    }
    scope.set('varargs', tuple(args.slice(formal.length)));
    scope.set(
      'kwargs',
      Object.fromEntries(Object.entries(kwargs).filter(([key]) => !known.has(key) && key !== 'caller')),
    );
    if (kwargs.caller !== undefined) scope.set('caller', kwargs.caller);
    return scope.run.capture(() => execute(scope));
  };
}
