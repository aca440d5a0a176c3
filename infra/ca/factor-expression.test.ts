import { isRequired, parseFactorExpression } from './factor-expression.ts';

const names = ['PIN', 'OTP'];

describe('an expression of factors in CSC v2', () => {
  it.each([
    ['PIN AND OTP', true, true],
    ['', true, true],
    ['PIN OR OTP', false, false],
    ['(PIN XOR OTP)', false, false],
    ['PIN and (OTP or PIN)', true, false],
    ['PIN OR PIN AND OTP', true, false],
  ])('%j requires PIN: %s, OTP: %s', (text, pin, otp) => {
    const parsed = parseFactorExpression(text, names);
    expect([isRequired(parsed, 'PIN'), isRequired(parsed, 'OTP')]).toEqual([pin, otp]);
  });

  it.each(['PIN NAND OTP', 'PIN AND', '(PIN', 'PIN OTP', 'FACE', ')'])(
    'is refused when it cannot be read: %j',
    (text) => {
      expect(() => parseFactorExpression(text, names)).toThrow(SyntaxError);
    },
  );
});
