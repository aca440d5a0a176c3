import { expect, it } from '@jest/globals';
import { parseConfig, type ConfigError, type Environment } from '../shared/config.ts';
import { workerVariables } from './config.ts';

const { SMTP_URL, MAIL_FROM, MAIL_REPLY_TO } = workerVariables;
const mail = { SMTP_URL, MAIL_FROM, MAIL_REPLY_TO };
const ofDevelopment = Object.fromEntries(
  Object.entries(mail).map(([name, { developmentDefault }]) => [name, developmentDefault]),
);

const faultCount = (env: Environment): number => {
  try {
    parseConfig(mail, env);
    return 0;
  } catch (error) {
    return (error as ConfigError).faults.length;
  }
};

it('the mail relay and the sender of development are refused outside it, and there are no others', () => {
  expect(faultCount(ofDevelopment)).toBe(3);
  expect(faultCount({})).toBe(3);
  expect(faultCount({ ...ofDevelopment, NODE_ENV: 'development' })).toBe(0);
});
