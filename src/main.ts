// The program: `pailou …`. What it is made of is loaded after the compile cache is on, which halves a start.
import { homedir } from 'node:os';
import { keepCompiled } from './compile-cache.ts';

const flushCompiled = keepCompiled(process.env, homedir());
const [{ runCli }, { createServe }] = await Promise.all([import('./cli/run-cli.ts'), import('./serve.ts')]);

// A reader that went away (`pailou schema | head`) is no defect of ours.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

const { env, stdout, stderr } = process;
const serve = createServe({ env, writeLog: (line) => stderr.write(line), onSettled: flushCompiled });
const requests = async (data: string) => (await import('./store/requests/read-requests.ts')).openReader(data);
const code = await runCli(process.argv.slice(2), { env, cwd: process.cwd(), home: homedir(), stdout, stderr, serve, requests });
// Not left to the event loop: what a second signal gave up on may still hold it.
process.exit(code);
