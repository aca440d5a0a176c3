/**
 * The `auth.expression` of CSC v2 (csc.md 4): names of objects joined by AND, OR, XOR and
 * parentheses; AND binds tighter than XOR, XOR than OR. Empty means all of them.
 */
export interface FactorExpression {
  /** The names that occur. */
  readonly names: ReadonlySet<string>;
  /** Whether the expression holds when exactly these are given. */
  readonly holds: (given: ReadonlySet<string>) => boolean;
}

type Node = (given: ReadonlySet<string>) => boolean;

/** Parses an expression; throws `SyntaxError` on anything it does not know. */
export function parseFactorExpression(text: string, all: readonly string[]): FactorExpression {
  if (text.trim() === '') {
    return { names: new Set(all), holds: (given) => all.every((name) => given.has(name)) };
  }
  const tokens = text.match(/[()]|[^\s()]+/g) ?? [];
  const names = new Set<string>();
  let position = 0;

  const level =
    (operator: string, next: () => Node, join: (left: boolean, right: boolean) => boolean) =>
    (): Node => {
      let left = next();
      while (tokens[position]?.toUpperCase() === operator) {
        position += 1;
        const [one, other] = [left, next()];
        left = (given) => join(one(given), other(given));
      }
      return left;
    };
  const conjunction = level('AND', operand, (left, right) => left && right);
  const exclusive = level('XOR', conjunction, (left, right) => left !== right);
  const disjunction = level('OR', exclusive, (left, right) => left || right);

  function operand(): Node {
    const token = tokens[position];
    position += 1;
    if (token === '(') {
      const inner = disjunction();
      if (tokens[position] !== ')') throw new SyntaxError('missing )');
      position += 1;
      return inner;
    }
    if (token === undefined || !all.includes(token)) throw new SyntaxError('unknown name');
    names.add(token);
    return (given) => given.has(token);
  }

  const root = disjunction();
  if (position < tokens.length) throw new SyntaxError('unknown operator');
  return { names, holds: root };
}

/** Whether every way of fulfilling the expression needs this name. */
export function isRequired({ names, holds }: FactorExpression, name: string): boolean {
  const others = [...names].filter((each) => each !== name);
  // Few names (PIN and OTP), so all subsets are tried; XOR makes "all the others" not enough.
  for (let subset = 0; subset < 2 ** others.length; subset += 1) {
    if (holds(new Set(others.filter((_, index) => subset & (1 << index))))) return false;
  }
  return true;
}
