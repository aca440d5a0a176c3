import { regulationPolicy } from '../../domain/policy.ts';
import { parseConfig } from './config.ts';
import { policyFrom, policyVariables } from './policy-config.ts';

const policyOf = (env: Record<string, string>) => policyFrom(parseConfig(policyVariables, env));

describe('the policy of a process', () => {
  it('is the regulation when nothing is set', () => {
    expect(policyOf({})).toEqual(regulationPolicy);
  });

  it('has a variable for each figure', () => {
    const earlier = '700000';
    const env = Object.fromEntries(Object.keys(policyVariables).map((name) => [name, '7']));
    const policy = policyOf({ ...env, POLICY_WARNING_SECONDS: earlier });
    expect(policy.warningSeconds).toBe(Number(earlier));
    expect(new Set(Object.values({ ...policy, warningSeconds: 7 }))).toEqual(new Set([7]));
    expect(Object.keys(policyVariables)).toHaveLength(Object.keys(regulationPolicy).length);
  });

  it.each([
    ['POLICY_GRANT_SECONDS', '5184000', '5184001'],
    ['POLICY_ALLOWANCE', '1000000000', '1000000001'],
    ['POLICY_GRANT_SECONDS', '1', '0'],
    ['POLICY_ALLOWANCE', '1', '0'],
    ['POLICY_WARNING_SECONDS', '604800', '604799'],
    ['POLICY_USAGE_WARNING_PERCENT', '90', '91'],
    ['POLICY_USAGE_WARNING_PERCENT', '1', '0'],
    ['POLICY_TRIES', '1', '0'],
    ['POLICY_CODE_WINDOW_SECONDS', '120', '121'],
    ['POLICY_CODE_WINDOW_SECONDS', '1', '1.5'],
  ])('takes %s=%s and refuses %s', (name, accepted, refused) => {
    expect(() => policyOf({ [name]: accepted })).not.toThrow();
    expect(() => policyOf({ [name]: refused })).toThrow(name);
  });
});
