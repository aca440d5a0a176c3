import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Guardian } from '../../infra/development/guardian.ts';
import { hashOf, installFolder } from '../../infra/development/installed-folder.ts';
import { runCommand } from '../../infra/development/part.ts';

const systemChromium = ['/usr/bin/chromium', '/usr/bin/chromium-browser'];
const packed = fileURLToPath(
  new URL('../../node_modules/@sparticuz/chromium/package.json', import.meta.url),
);
const unpack = fileURLToPath(new URL('./unpack-chromium.mjs', import.meta.url));

export type Chromium = {
  readonly executablePath: string;
  /** Where it finds its libraries and fonts; empty for one that the machine has itself. */
  readonly env: Readonly<Record<string, string>>;
};

/** The machine's own Chromium, else the one of `@sparticuz/chromium`, unpacked under `localDir` by whoever needs it first. */
export async function installChromium(
  guardian: Guardian,
  localDir: string,
  onInstall?: () => void,
): Promise<Chromium> {
  const own = systemChromium.find((path) => existsSync(path));
  if (own !== undefined) return { executablePath: own, env: {} };
  const folder = join(resolve(localDir), `chromium-${await hashOf(packed)}`);
  await installFolder(folder, async (aside) => {
    onInstall?.();
    await runCommand(guardian, {
      name: 'Unpacking of Chromium',
      command: process.execPath,
      args: [unpack],
      // The package brings the libraries of its Chromium for Lambda only, and takes this variable for a sign of it.
      env: { TMPDIR: aside, AWS_LAMBDA_JS_RUNTIME: 'nodejs22.x' },
    });
    await writeFile(join(aside, 'fonts', 'fonts.conf'), fontsConfig(folder));
    // For WebGL, which no page of ours has.
    for (const name of ['libGLESv2.so', 'libEGL.so', 'libvk_swiftshader.so', 'libvulkan.so.1']) {
      await rm(join(aside, name), { force: true });
    }
  });
  const libraries = [join(folder, 'al2023', 'lib'), process.env['LD_LIBRARY_PATH'] ?? ''];
  return {
    executablePath: join(folder, 'chromium'),
    env: {
      LD_LIBRARY_PATH: libraries.filter((path) => path !== '').join(':'),
      FONTCONFIG_PATH: join(folder, 'fonts'),
    },
  };
}

/** The package's own names a folder that this one was not unpacked to. */
const fontsConfig = (folder: string): string => `<?xml version="1.0" ?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${join(folder, 'fonts')}</dir>
  <cachedir>${join(folder, 'fonts-cache')}</cachedir>
  <config></config>
</fontconfig>
`;
