/**
 * Run before `npm start` and `npm test`: sees that the tools are there and node_modules is what package-lock.json says. Plain JavaScript
 * without dependencies, since nothing is installed yet; with everything in place it only compares two files.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { withLock } from '../development/lock.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const modules = join(root, 'node_modules');
const stampFile = join(modules, '.certificate-access.json');
const lockFile = join(root, 'package-lock.json');

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  refuse([
    `Node ${process.versions.node} is too old: install Node 20.19 or newer (nodejs.org, or "nvm install 20").`,
  ]);
}

const stamp = JSON.stringify({
  packageLock: createHash('sha256').update(readFileSync(lockFile)).digest('hex'),
  node: process.versions.node,
  tools: Object.fromEntries(['python3', 'java', 'mvn'].map((tool) => [tool, find(tool)])),
});

if (readStamp() !== stamp) {
  const faults = missingTools();
  if (faults.length > 0) refuse(faults);
  try {
    await withLock(join(root, '.local', 'install.lock'), install, (pid) =>
      say(`waiting for another installation here (process ${pid}) ...`),
    );
  } catch (error) {
    refuse([error.message]);
  }
}

function readStamp() {
  return existsSync(stampFile) ? readFileSync(stampFile, 'utf8') : undefined;
}

async function install() {
  if (readStamp() === stamp) return;
  if (!isInstalled()) {
    const startedAt = performance.now();
    say('installing node_modules (npm ci) ...');
    rmSync(stampFile, { force: true });
    await npmCi();
    say(`node_modules installed in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
  }
  writeFileSync(stampFile, stamp);
}

/** npm writes its own list of what lies in node_modules last, after everything else: compare it with the lock. */
function isInstalled() {
  const listFile = join(modules, '.package-lock.json');
  if (!existsSync(listFile)) return false;
  const installed = JSON.parse(readFileSync(listFile, 'utf8')).packages;
  const wanted = JSON.parse(readFileSync(lockFile, 'utf8')).packages;
  const differs = Object.entries(wanted).some(([path, { version, integrity, optional }]) => {
    if (path === '') return false;
    const found = installed[path];
    if (found === undefined) return optional !== true;
    return found.version !== version || found.integrity !== integrity;
  });
  return !differs && Object.keys(installed).every((path) => path in wanted);
}

/** Install scripts run for the packages that package.json lists alone. Which npm this is does not matter: an older one knows no such list and runs them all. */
async function npmCi() {
  await npm([
    'ci',
    '--include=dev',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--no-progress',
  ]);
  const { allowScripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const allowed = Object.keys(allowScripts).filter((name) => allowScripts[name] === true);
  const here = allowed.filter((name) => existsSync(join(modules, name)));
  if (here.length > 0) await npm(['rebuild', ...here]);
}

/** Through the guardian, so that npm ends with us, however we end. */
function npm(args) {
  const guardian = spawn(process.execPath, [join(root, 'infra/development/guardian.mjs')], {
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const script = process.env.npm_execpath;
  const isScript = script?.endsWith('.js');
  guardian.stdin.on('error', () => undefined);
  guardian.stdin.write(
    JSON.stringify({
      do: 'start',
      id: 1,
      command: isScript ? process.execPath : 'npm',
      args: isScript ? [script, ...args] : args,
      cwd: root,
      lines: true,
      stopSignal: 'SIGTERM',
      graceMs: 5000,
    }) + '\n',
  );
  return new Promise((resolve, reject) => {
    const lines = [];
    createInterface({ input: guardian.stdout }).on('line', (text) => {
      const answer = JSON.parse(text);
      if (answer.event === 'line') lines.push(answer.line);
      if (answer.event === 'failed') finish(`npm cannot be started: ${answer.message}`);
      if (answer.event === 'exited') {
        if (answer.code === 0) finish();
        else finish([`npm ${args[0]} failed:`, ...lines.slice(-25)].join('\n  '));
      }
    });
    guardian.once('exit', () => finish(`npm ${args[0]} was ended from outside.`));
    function finish(fault) {
      guardian.stdin.end();
      if (fault === undefined) resolve();
      else reject(new Error(fault));
    }
  });
}

/** One sentence for each tool that is missing or too old. */
function missingTools() {
  const faults = [];
  if (find('python3') === undefined) {
    faults.push('Python 3 is missing: install it with pip (Debian: apt install python3-pip).');
  } else if (run('python3', ['-m', 'pip', '--version']).status !== 0) {
    faults.push('Python 3 has no pip: install it (Debian: apt install python3-pip).');
  }
  const javaRemedy = 'install Java 17 or newer (Debian: apt install openjdk-17-jre-headless).';
  const java = find('java') === undefined ? undefined : run('java', ['-version']);
  const version = /version "(?:1\.)?(\d+)/.exec(java?.stderr ?? '')?.[1];
  if (java?.status !== 0) faults.push(`Java is missing: ${javaRemedy}`);
  else if (Number(version) < 17) faults.push(`Java ${version} is too old: ${javaRemedy}`);
  if (find('mvn') === undefined) {
    faults.push('Maven (mvn) is missing: install it (Debian: apt install maven).');
  }
  return faults;
}

function find(tool) {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, tool);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Look in the next folder.
    }
  }
  return undefined;
}

function run(command, args) {
  return spawnSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

function say(text) {
  console.log(`install: ${text}`);
}

function refuse(faults) {
  for (const fault of faults) console.error(fault);
  process.exit(1);
}
