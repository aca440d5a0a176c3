import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('./install.mjs', import.meta.url));
const install = (path?: string) =>
  spawnSync(process.execPath, [script], {
    encoding: 'utf8',
    ...(path !== undefined && { env: { PATH: path } }),
  });

describe('The installation', () => {
  it('names each missing tool in one sentence with the remedy', () => {
    const empty = mkdtempSync(join(tmpdir(), 'install-'));
    const { status, stderr } = install(empty);
    rmSync(empty, { recursive: true });
    expect(status).toBe(1);
    expect(stderr.trim().split('\n')).toEqual([
      'Python 3 is missing: install it with pip (Debian: apt install python3-pip).',
      'Java is missing: install Java 17 or newer (Debian: apt install openjdk-17-jre-headless).',
      'Maven (mvn) is missing: install it (Debian: apt install maven).',
    ]);
  });

  it('names a Java that is too old and a Python without pip', () => {
    const tools = mkdtempSync(join(tmpdir(), 'install-'));
    const sh = '#!/bin/sh\n';
    writeFileSync(join(tools, 'java'), `${sh}echo 'openjdk version "11.0.2"' >&2`, { mode: 0o755 });
    writeFileSync(join(tools, 'python3'), `${sh}exit 1`, { mode: 0o755 });
    symlinkSync('/bin/true', join(tools, 'mvn'));
    const { status, stderr } = install(tools);
    rmSync(tools, { recursive: true });
    expect(status).toBe(1);
    expect(stderr.trim().split('\n')).toEqual([
      'Python 3 has no pip: install it (Debian: apt install python3-pip).',
      'Java 11 is too old: install Java 17 or newer (Debian: apt install openjdk-17-jre-headless).',
    ]);
  });

  it('says nothing when everything is in place', () => {
    install();
    expect(install()).toMatchObject({ status: 0, stdout: '', stderr: '' });
  });
});
