/**
 * Run before `npm start` and `npm test`, and in the image: builds the operators' page into services/backoffice/web/dist when what it is made of has changed. Beside
 * each file lies its compressed form, so that the backoffice compresses nothing while it answers.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { build } from 'vite';
import { withLock } from '../development/lock.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const web = join(root, 'services/backoffice/web');
const dist = join(web, 'dist');
const stampFile = join(dist, 'built-from');
const compressible = /\.(?:js|css|html|svg)$/;

await withLock(join(root, '.local', 'build-web.lock'), buildIfChanged, (pid) =>
  say(`waiting for another build here (process ${pid}) ...`),
);

async function buildIfChanged() {
  const stamp = hashOf([web, join(root, 'domain'), join(root, 'package-lock.json')]);
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return;
  const startedAt = performance.now();
  await build({ configFile: join(web, 'vite.config.ts'), logLevel: 'warn' });
  for (const file of filesIn(dist).filter((name) => compressible.test(name))) {
    const body = readFileSync(file);
    writeFileSync(`${file}.br`, brotliCompressSync(body));
    writeFileSync(`${file}.gz`, gzipSync(body, { level: 9 }));
  }
  writeFileSync(stampFile, stamp);
  say(`the operators' page built in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
}

function hashOf(paths) {
  const hash = createHash('sha256').update(process.versions.node);
  for (const path of paths) {
    for (const file of path.endsWith('.json') ? [path] : filesIn(path)) {
      if (!file.startsWith(dist)) hash.update(file.slice(root.length)).update(readFileSync(file));
    }
  }
  return hash.digest('hex');
}

function filesIn(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function say(text) {
  console.log(`build: ${text}`);
}
