import { regulationPolicy } from '../../domain/policy.ts';
import { parseConfig } from './config.ts';
import { policyFrom, policyVariables } from './policy-config.ts';

const policyOf = (env: Record<string, string>) => policyFrom(parseConfig(policyVariables, env));

describe('the policy of a process', () => {
  it('is the regulation when nothing is set', () => {
    expect(policyOf({})).toEqual(regulationPolicy);
  });

  it('has a variable for each figure', () => {
    const env = Object.fromEntries(Object.keys(policyVariables).map((name) => [name, '7']));
    expect(new Set(Object.values(policyOf(env)))).toEqual(new Set([7]));
    expect(Object.keys(policyVariables)).toHaveLength(Object.keys(regulationPolicy).length);
  });

  it.each([
    ['POLICY_GRANT_SECONDS', '5184000', '5184001'],
    ['POLICY_ALLOWANCE', '1000000000', '1000000001'],
    ['POLICY_GRANT_SECONDS', '1', '0'],
    ['POLICY_ALLOWANCE', '1', '0'],
    ['POLICY_USAGE_WARNING_PERCENT', '99', '100'],
    ['POLICY_USAGE_WARNING_PERCENT', '1', '0'],
    ['POLICY_TRIES', '1', '0'],
    ['POLICY_CODE_WINDOW_SECONDS', '120', '1.5'],
  ])('takes %s=%s and refuses %s', (name, accepted, refused) => {
    expect(() => policyOf({ [name]: accepted })).not.toThrow();
    expect(() => policyOf({ [name]: refused })).toThrow(name);
  });
});
