import { z } from 'zod';
import {
  databaseVariables,
  kafkaVariables,
  processVariables,
  sealingVariables,
} from '../shared/common-config.ts';
import { variable } from '../shared/config.ts';

const { NODE_ENV } = processVariables;

export const adminVariables = {
  NODE_ENV,
  ...databaseVariables,
  OPERATOR_PASSWORD: variable(
    'password of the operator to enter, instead of --password-stdin',
    z.string().optional(),
    { secret: true },
  ),
  CA_CLIENT_SECRET: variable(
    'client secret of the certificate authority, instead of --client-secret-stdin',
    z.string().optional(),
    { secret: true },
  ),
};

/** Only for commands that seal something. */
export const sealingAdminVariables = { NODE_ENV, ...sealingVariables };

/** Only for `topics`. */
export const topicsAdminVariables = { NODE_ENV, ...kafkaVariables };
