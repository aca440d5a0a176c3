import { z } from 'zod';
import {
  databaseVariables,
  httpVariables,
  kafkaVariables,
  processVariables,
  sealingVariables,
  temporalVariables,
} from '../shared/common-config.ts';
import { nonEmpty, urlOf, variable, wholeNumber } from '../shared/config.ts';
import { policyVariables } from '../shared/policy-config.ts';

const address = z.email('a mail address is expected');

/** The configuration of the worker. */
export const workerVariables = {
  ...processVariables,
  ...httpVariables('WORKER_HTTP_PORT', 3300),
  ...databaseVariables,
  ...temporalVariables,
  KAFKA_BROKERS: kafkaVariables.KAFKA_BROKERS,
  KAFKA_ACCESS_TOPIC: kafkaVariables.KAFKA_ACCESS_TOPIC,
  ...sealingVariables,
  ...policyVariables,
  PUBLIC_URL: variable(
    'where browsers reach the backoffice; mails lead to `<PUBLIC_URL>/certificates/<id>` and `<PUBLIC_URL>/invitation`',
    urlOf('http', 'https'),
    { default: 'http://127.0.0.1:3000' },
  ),
  SMTP_URL: variable(
    'mail relay, with user and password where it wants them',
    urlOf('smtp', 'smtps'),
    {
      developmentDefault: 'smtp://127.0.0.1:1025',
      secret: true,
    },
  ),
  SMTP_TIMEOUT_SECONDS: variable(
    'deadline for handing a mail to the relay; a mail that was begun counts as under way for four times as long',
    wholeNumber(1, 120),
    { default: '30' },
  ),
  MAIL_FROM: variable('address that mails come from', address, {
    developmentDefault: 'certificates@example.test',
  }),
  MAIL_FROM_NAME: variable('name that mails come from', nonEmpty, {
    default: 'Certificate Access',
  }),
  MAIL_REPLY_TO: variable('address where a person reads the answers', address, {
    developmentDefault: 'support@example.test',
  }),
  WORKER_SWEEP_SECONDS: variable(
    'seconds between two looks for workflows that are overdue or missing',
    wholeNumber(1, 3600),
    { default: '60' },
  ),
  WORKER_OVERDUE_SECONDS: variable(
    'seconds after which a workflow that did not do what is due is told to look again',
    wholeNumber(1, 3600),
    { default: '60' },
  ),
  WORKFLOW_BUNDLE_DIR: variable('folder that keeps the bundle of the workflow code', nonEmpty, {
    default: '.local',
  }),
};
