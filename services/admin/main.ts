import { text } from 'node:stream/consumers';
import { BadFinding } from './command.ts';
import { faultOf, json, runAdmin } from './run.ts';

try {
  const output = await runAdmin({
    args: process.argv.slice(2),
    env: process.env,
    readStdin: () => text(process.stdin),
    progress: (said) => process.stderr.write(`${JSON.stringify(said)}\n`),
  });
  process.stdout.write(`${output}\n`);
} catch (error) {
  if (error instanceof BadFinding) process.stdout.write(`${json(error.result)}\n`);
  process.stderr.write(`${faultOf(error)}\n`);
  process.exitCode = 1;
}
