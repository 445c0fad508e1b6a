// The program: `pailou …`. What it is made of is loaded after the compile cache is on, which halves a start.
import { availableParallelism, homedir } from 'node:os';
import { extname, join } from 'node:path';
import type { Serve } from './cli/ports.ts';
import { keepCompiled } from './compile-cache.ts';
import type { AskList } from './sync-models.ts';

/** Processors are those that this process may use: a container's limit counts. */
const workerCount = (workers: number | 'auto'): number => (workers === 'auto' ? availableParallelism() : workers);

const compiled = keepCompiled(process.env, homedir());
const { runCli } = await import('./cli/run-cli.ts');

// A reader that went away (`pailou schema | head`) is no defect of ours.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

const { env, stdout, stderr } = process;
const requests = async (data: string) => (await import('./store/requests/read-requests.ts')).openReader(data);
/** Asks providers for their lists: what that takes is loaded with the first question. */
let asking: Promise<AskList> | undefined;
const askList: AskList = async (provider) => {
  asking ??= import('./ask-list.ts').then(({ createAskList }) => createAskList(env));
  return (await asking)(provider);
};
const writeLog = (line: string): unknown => stderr.write(line);

/**
 * What workers find in their environment. glibc has eight heaps a processor for the threads of a process, which keep what was freed
 * in them: with two a worker that has served holds a seventh less. https://www.gnu.org/software/libc/manual/html_node/Memory-Allocation-Tunables.html
 */
const workerEnv = { MALLOC_ARENA_MAX: '2', NODE_COMPILE_CACHE: compiled.folder, ...env };

/** The server: in this process, or in several that this one watches over. */
const serve: Serve = async (options) => {
  const count = workerCount(options.config.server.workers);
  if (count === 1) return (await import('./serve.ts')).createServe({ env, writeLog, onSettled: compiled.flush })(options);
  const [{ createWorkers }, { createLog }, { openListeners }] = await Promise.all([
    import('./cluster/primary.ts'),
    import('./observe/log.ts'),
    import('./http/listeners.ts'),
  ]);
  const program = join(import.meta.dirname, `worker${extname(import.meta.filename)}`);
  return createWorkers({ program, count, env: workerEnv, log: createLog(options.config, writeLog), listen: openListeners })(options);
};

const code = await runCli(process.argv.slice(2), { env, cwd: process.cwd(), home: homedir(), stdout, stderr, serve, requests, askList });
// Not left to the event loop: what a second signal gave up on may still hold it.
process.exit(code);
