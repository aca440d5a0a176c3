import { z } from 'zod';
import {
  databaseVariables,
  kafkaVariables,
  processVariables,
  sealingVariables,
} from '../shared/common-config.ts';
import { roleName, type DatabaseRole } from '../../infra/postgres/roles.ts';
import { variable } from '../shared/config.ts';

const { NODE_ENV } = processVariables;

const passwordOf = (role: DatabaseRole) =>
  variable(
    `password to give to ${roleName(role)}`,
    z
      .string()
      .regex(/^[!-~]{16,}$/, 'at least 16 printable ASCII characters are expected')
      .optional(),
    { secret: true },
  );

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

/** Only for `roles`. */
export const rolesAdminVariables = {
  NODE_ENV,
  ...databaseVariables,
  DATABASE_PASSWORD_MIGRATIONS: passwordOf('migrations'),
  DATABASE_PASSWORD_BACKOFFICE: passwordOf('backoffice'),
  DATABASE_PASSWORD_GATE: passwordOf('gate'),
  DATABASE_PASSWORD_USAGE: passwordOf('usage'),
  DATABASE_PASSWORD_WORKER: passwordOf('worker'),
  DATABASE_PASSWORD_ADMIN: passwordOf('admin'),
};
