import { readFileSync } from 'node:fs';

/** npm, the shell it runs a script by, and one to spare. */
const mostAncestors = 3;

/**
 * The npm that runs us, if one does and the system tells. Between npm and us may be a shell, which outlives an npm that was killed and passes nothing
 * on, so looking at our own parent is not enough.
 */
export function findNpm(): number | undefined {
  let pid = process.ppid;
  for (let steps = 0; steps < mostAncestors && pid > 1; steps += 1) {
    try {
      if (isNpm(readFileSync(`/proc/${pid}/cmdline`, 'utf8'))) return pid;
      pid = parentOf(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    } catch {
      return undefined;
    }
  }
  return undefined;
}

/** Calls back once, at most a second after the npm found has ended: asked by descent, since a dead process keeps its id until it is waited for. */
export function whenGone(npm: number, gone: () => void): void {
  const watch = setInterval(() => {
    if (findNpm() === npm) return;
    clearInterval(watch);
    gone();
  }, 1_000);
  watch.unref();
}

/** npm calls itself "npm start"; before it does, it is node with npm-cli.js. */
const isNpm = (commandLine: string): boolean => /^npm\b|\/npm(-cli\.js)?\0/.test(commandLine);

/** The name in parentheses may hold anything, so what follows the last one counts: state, then parent. */
const parentOf = (stat: string): number =>
  Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
