/** The syntax tree that @huggingface/jinja's parser makes; the package does not export these types. */
interface Operator {
  readonly value: string;
}

export type Expression =
  | { readonly type: 'Identifier'; readonly value: string }
  | { readonly type: 'StringLiteral'; readonly value: string }
  | { readonly type: 'IntegerLiteral' | 'FloatLiteral'; readonly value: number }
  | { readonly type: 'ArrayLiteral' | 'TupleLiteral'; readonly value: readonly Expression[] }
  | { readonly type: 'ObjectLiteral'; readonly value: ReadonlyMap<Expression, Expression> }
  | MemberExpression
  | CallExpression
  | {
      readonly type: 'BinaryExpression';
      readonly operator: Operator;
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly type: 'UnaryExpression'; readonly operator: Operator; readonly argument: Expression }
  | { readonly type: 'FilterExpression'; readonly operand: Expression; readonly filter: FilterName }
  | {
      readonly type: 'TestExpression';
      readonly operand: Expression;
      readonly negate: boolean;
      readonly test: Identifier;
    }
  | SelectExpression
  | {
      readonly type: 'Ternary';
      readonly condition: Expression;
      readonly trueExpr: Expression;
      readonly falseExpr: Expression;
    }
  | SliceExpression
  | Argument;

export type Identifier = { readonly type: 'Identifier'; readonly value: string };
export type FilterName = Identifier | CallExpression;
export type CallExpression = {
  readonly type: 'CallExpression';
  readonly callee: Expression;
  readonly args: readonly Expression[];
};
export type MemberExpression = {
  readonly type: 'MemberExpression';
  readonly object: Expression;
  readonly property: Expression;
  readonly computed: boolean;
};
/** `lhs if test` without an else, and the filter of a `for`. */
export type SelectExpression = {
  readonly type: 'SelectExpression';
  readonly lhs: Expression;
  readonly test: Expression;
};
export type SliceExpression = {
  readonly type: 'SliceExpression';
  readonly start?: Expression;
  readonly stop?: Expression;
  readonly step?: Expression;
};
export type Argument =
  | { readonly type: 'KeywordArgumentExpression'; readonly key: Identifier; readonly value: Expression }
  | { readonly type: 'SpreadExpression' | 'KeywordSpreadExpression'; readonly argument: Expression };

export type Statement =
  | { readonly type: 'If'; readonly test: Expression; readonly body: Block; readonly alternate: Block }
  | {
      readonly type: 'For';
      readonly loopvar: Expression;
      readonly iterable: Expression;
      readonly body: Block;
      readonly defaultBlock: Block;
    }
  | { readonly type: 'Set'; readonly assignee: Expression; readonly value: Expression | null; readonly body: Block }
  | { readonly type: 'Macro'; readonly name: Identifier; readonly args: readonly Expression[]; readonly body: Block }
  | {
      readonly type: 'CallStatement';
      readonly call: CallExpression;
      readonly callerArgs: readonly Expression[] | null;
      readonly body: Block;
    }
  | { readonly type: 'FilterStatement'; readonly filter: FilterName; readonly body: Block }
  | { readonly type: 'Break' | 'Continue' | 'Comment' }
  | Expression;

export type Block = readonly Statement[];
export interface Program {
  readonly body: Block;
}
