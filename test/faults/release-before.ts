import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { testParts } from '../support/parts.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** The release before this one, with migrations up to 0005. */
const releaseBefore = 'f9c496f';

const git = (...args: string[]) => spawnSync('git', args, { cwd: root, encoding: 'utf8' });

/** False in a shallow clone, or without git. */
export const hasReleaseBefore = (): boolean =>
  git('cat-file', '-e', `${releaseBefore}^{commit}`).status === 0;

/**
 * Lays out the code of the release before in a folder of this run and answers the folder. Packages are found further up, where this release has them; the
 * page is this release's, since only the API is asked.
 */
export function layOutReleaseBefore(): string {
  const folder = join(testParts().directory, `release-${releaseBefore}`);
  mkdirSync(folder);
  const archive = join(folder, 'archive.tar');
  const laidOut = [
    git('archive', '--format=tar', '-o', archive, releaseBefore),
    spawnSync('tar', ['-xf', archive, '-C', folder], { encoding: 'utf8' }),
  ];
  const failed = laidOut.find(({ status }) => status !== 0);
  if (failed !== undefined) throw new Error(failed.stderr);
  const page = 'services/backoffice/web/dist';
  symlinkSync(join(root, page), join(folder, page));
  return folder;
}
