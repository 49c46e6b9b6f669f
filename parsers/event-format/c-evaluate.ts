/**
 * The values of print-format expressions: 64-bit arithmetic, and the kernel's tables of names.
 *
 * Everything is signed 64 bits wide but shifts to the right and masks; what rests on an unknown part
 * is null. Recursion is bounded by the parser's limits on depth and operators.
 */
import type { Expression, Value } from './c-expression.js';

/** What an expression may look at: the fields of one record. */
export interface Fields {
  number(name: string): bigint | null;
  text(name: string): string | null;
}

export const NO_FIELDS: Fields = { number: () => null, text: () => null };

/** The value of an expression, or null where it rests on something unknown. */
export function evaluate(expression: Expression, fields: Fields): Value | null {
  switch (expression.kind) {
    case 'number':
    case 'string':
      return expression.value;
    case 'field':
      return fields.number(expression.name) ?? fields.text(expression.name);
    case 'text':
      return fields.text(expression.name);
    case 'unary':
      return unary(expression.op, evaluate(expression.arg, fields));
    case 'binary':
      return binary(
        expression.op,
        evaluate(expression.left, fields),
        evaluate(expression.right, fields),
      );
    case 'choice': {
      const test = evaluate(expression.test, fields);
      if (test === null) return null;
      return evaluate(test !== 0n ? expression.yes : expression.no, fields);
    }
    case 'table': {
      const value = evaluate(expression.arg, fields);
      if (typeof value !== 'bigint') return null;
      return expression.table === 'flags'
        ? flagsText(value, expression.entries, expression.delimiter)
        : symbolText(value, expression.entries);
    }
    case 'unknown':
      return null;
  }
}

function unary(op: string, value: Value | null): Value | null {
  if (typeof value !== 'bigint') return null;
  if (op === '~') return BigInt.asUintN(64, ~value);
  if (op === '!') return value === 0n ? 1n : 0n;
  return op === '-' ? BigInt.asIntN(64, -value) : value;
}

function binary(op: string, left: Value | null, right: Value | null): Value | null {
  if (typeof left !== 'bigint' || typeof right !== 'bigint') return null;
  const a = BigInt.asIntN(64, left);
  const b = BigInt.asIntN(64, right);
  const shift = b & 63n;
  switch (op) {
    case '|':
      return a | b;
    case '&':
      return a & b;
    case '^':
      return a ^ b;
    case '<<':
      return BigInt.asIntN(64, a << shift);
    case '>>':
      return BigInt.asUintN(64, a) >> shift;
    case '+':
      return BigInt.asIntN(64, a + b);
    case '-':
      return BigInt.asIntN(64, a - b);
    case '*':
      return BigInt.asIntN(64, a * b);
    case '/':
      return b === 0n ? null : a / b;
    case '%':
      return b === 0n ? null : a % b;
    default:
      return compare(op, a, b) ? 1n : 0n;
  }
}

function compare(op: string, a: bigint, b: bigint): boolean {
  if (op === '==') return a === b;
  if (op === '!=') return a !== b;
  if (op === '<') return a < b;
  if (op === '>') return a > b;
  if (op === '<=') return a <= b;
  if (op === '>=') return a >= b;
  if (op === '&&') return a !== 0n && b !== 0n;
  return a !== 0n || b !== 0n;
}

/**
 * Names of the bits in `value`, taken in table order (an entry is used if all its bits are still
 * there), what is left over in hex: kernel/trace/trace_output.c trace_print_flags_seq, v6.1.
 */
export function flagsText(
  value: bigint,
  entries: readonly (readonly [bigint, string])[],
  delimiter: string,
): string {
  let left = BigInt.asUintN(64, value);
  const names: string[] = [];
  for (const [mask, name] of entries) {
    if (left === 0n) break;
    if ((left & mask) !== mask) continue;
    names.push(name);
    left &= ~mask;
  }
  if (left !== 0n) names.push(`0x${left.toString(16)}`);
  return names.join(delimiter);
}

function symbolText(value: bigint, entries: readonly (readonly [bigint, string])[]): string {
  const wanted = BigInt.asUintN(64, value);
  for (const [key, name] of entries) {
    if (key === wanted) return name;
  }
  return `0x${wanted.toString(16)}`;
}
