import { text } from 'node:stream/consumers';
import { faultOf, runAdmin } from './run.ts';

try {
  const output = await runAdmin({
    args: process.argv.slice(2),
    env: process.env,
    readStdin: () => text(process.stdin),
  });
  process.stdout.write(`${output}\n`);
} catch (error) {
  process.stderr.write(`${faultOf(error)}\n`);
  process.exitCode = 1;
}
