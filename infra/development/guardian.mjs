/**
 * Starts the processes of one starter and outlives it just long enough to end them: they are its children, in groups of their own, and it
 * ends them when its standard input closes, which the kernel does whatever way the starter dies. Plain JavaScript without dependencies,
 * since infra/deploy/install.mjs uses it before anything is installed.
 *
 * Commands, one JSON object a line: start, stop, removeAtEnd (see guardian.ts). Answers: started, failed, line, exited.
 */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';

const maxLogBytes = 10_000_000;
const children = new Map();
const removals = new Set();
let ending = false;

/** The starter may be gone: then nobody is told. */
process.stdout.on('error', () => undefined);
const tell = (answer) => process.stdout.write(JSON.stringify(answer) + '\n');

function signalGroup(child, signal) {
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group has ended already.
  }
}

/** Appends, so that what a process said before it was started again is kept; one older file at most. */
function openLog(logFile) {
  mkdirSync(dirname(logFile), { recursive: true });
  if ((statSync(logFile, { throwIfNoEntry: false })?.size ?? 0) > maxLogBytes) {
    renameSync(logFile, `${logFile}.old`);
  }
  return openSync(logFile, 'a');
}

function start({ id, command, args, env, cwd, user, logFile, lines, stopSignal, graceMs }) {
  const log = logFile === undefined ? undefined : openLog(logFile);
  // Without listeners the process writes straight to its log and does not depend on this one's speed.
  const output = lines ? 'pipe' : (log ?? 'ignore');
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, ...env },
    detached: true,
    stdio: ['ignore', output, output],
    ...user,
  });
  child.once('error', (error) => tell({ id, event: 'failed', message: error.message }));
  if (child.pid === undefined) return;
  const record = { pid: child.pid, stopSignal, graceMs, killer: undefined };
  children.set(id, record);
  tell({ id, event: 'started', pid: child.pid });
  if (lines) {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream, crlfDelay: Infinity }).on('line', (line) => {
        if (log !== undefined) writeSync(log, line + '\n');
        tell({ id, event: 'line', line });
      });
    }
  } else if (log !== undefined) {
    closeSync(log);
  }
  child.once('exit', () => {
    // What the process has left behind in its group goes with it.
    signalGroup(record, 'SIGKILL');
  });
  // `close`: after the last line.
  child.once('close', (code, signal) => {
    clearTimeout(record.killer);
    if (lines && log !== undefined) closeSync(log);
    children.delete(id);
    tell({ id, event: 'exited', code, signal });
    endWhenAlone();
  });
}

function stop(record) {
  if (record.killer !== undefined) return;
  signalGroup(record, record.stopSignal);
  record.killer = setTimeout(() => signalGroup(record, 'SIGKILL'), record.graceMs);
}

function endWhenAlone() {
  if (!ending || children.size > 0) return;
  for (const path of removals) rmSync(path, { recursive: true, force: true, maxRetries: 5 });
  process.exit(0);
}

function end() {
  if (ending) return;
  ending = true;
  for (const record of children.values()) stop(record);
  endWhenAlone();
}

const commands = createInterface({ input: process.stdin });
commands.on('line', (line) => {
  const command = JSON.parse(line);
  if (command.do === 'removeAtEnd') removals.add(command.path);
  if (command.do === 'stop' && children.has(command.id)) stop(children.get(command.id));
  if (command.do === 'start' && !ending) {
    try {
      start(command);
    } catch (error) {
      tell({ id: command.id, event: 'failed', message: error.message });
    }
  }
});
commands.on('close', end);
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, end);
