import { readFileSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type Served, startServer } from '../e2e/program.ts';

export const KEY = 'pk-key-of-this-test';

/** A server of several processes. */
export interface CrewServer extends Served {
  /** Its workers, by number. */
  workers(): ReadonlyMap<number, number>;
  /** Calls answered by each worker, by its number, as the access log has them. */
  answered(path?: string): ReadonlyMap<number, number>;
  /** Another configuration, in the file that it watches. */
  configure(more: string, limits?: string): void;
  /** Process id of a worker. */
  pidOf(worker: number): number;
}

/** Lines of the log. */
function linesOf(stderr: string): readonly Readonly<Record<string, unknown>>[] {
  return stderr
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** Processes that a process has started. https://man7.org/linux/man-pages/man5/proc_pid_task.5.html */
const childrenOf = (pid: number): readonly number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .filter((word) => word !== '')
    .map(Number);

/** Machines that test are busy: what is no test of it must not be refused for it. */
export const PATIENT = 'overload: { shed: off }';

/** Starts the program with two workers and `more` in its configuration. `limits`: what stands in its `limits`. */
export async function startCrew(home: string, more = '', env: NodeJS.ProcessEnv = {}, limits = PATIENT): Promise<CrewServer> {
  const file = join(home, 'pailou.yaml');
  const text = (rest: string, those: string): string =>
    `version: 1\nserver: { workers: 2 }\nkeys: [{ name: test, value: ${KEY} }]\ndiscover: false\nlog: { level: debug }\nlimits: { ${those} }\n${rest}\n`;
  writeFileSync(file, text(more, limits));
  const served = await startServer(['--data', join(home, 'data'), '--config', file], home, env);
  const primary = served.child.pid ?? 0;
  const workers = (): ReadonlyMap<number, number> => {
    const alive = new Set(childrenOf(primary));
    const found = new Map<number, number>();
    for (const { msg, worker, pid } of linesOf(served.out.stderr)) {
      if (msg === 'A worker is ready' && alive.has(Number(pid))) found.set(Number(worker), Number(pid));
    }
    return found;
  };
  return {
    ...served,
    workers,
    pidOf: (worker) => workers().get(worker) ?? 0,
    answered(path = '/v1/chat/completions') {
      const counts = new Map<number, number>();
      for (const line of linesOf(served.out.stderr)) {
        if (line['msg'] !== 'request' || line['path'] !== path) continue;
        const worker = Number(line['worker']);
        counts.set(worker, (counts.get(worker) ?? 0) + 1);
      }
      return counts;
    },
    configure: (rest, those = limits) => writeFileSync(file, text(rest, those)),
  };
}

/** What came back. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}

/** A client with one connection, which stays with the worker that it came to. */
export interface OneConnection {
  send(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Reply>;
  close(): void;
}

export function oneConnection(url: string): OneConnection {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return {
    send: (method, path, body, headers = {}) =>
      new Promise((resolve, reject) => {
        const sent = request(
          `${url}${path}`,
          { method, agent, headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json', ...headers } },
          (response) => {
            let text = '';
            response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
            response.on('error', reject);
            response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
          },
        );
        sent.on('error', reject);
        sent.end(body === undefined ? undefined : JSON.stringify(body));
      }),
    close: () => agent.destroy(),
  };
}

/** A chat with a model. */
export const chatBody = (model: string, stream = false): Readonly<Record<string, unknown>> => ({
  model,
  stream,
  messages: [{ role: 'user', content: 'Hello!' }],
});

/** What an upstream says to it. */
export const chatReply = (content: string): Readonly<Record<string, unknown>> => ({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: 'up',
  choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
});

/** Whether a connection stays with its worker: the server asks some to come again, which may be to the other. */
const stays = ({ headers }: Reply): boolean => headers['connection'] !== 'close';

/** A connection, and the worker that it came to; 0 where it was asked to come again at once. */
async function connect(server: CrewServer): Promise<readonly [one: OneConnection, worker: number]> {
  const one = oneConnection(server.url);
  const before = server.answered('/v1/models');
  const reply = await one.send('GET', '/v1/models');
  const takenBy = (): number => [1, 2].find((number) => server.answered('/v1/models').get(number) !== before.get(number)) ?? 0;
  await expect.poll(takenBy).toBeGreaterThan(0);
  return [one, stays(reply) ? takenBy() : 0];
}

const mayStay = async (one: OneConnection): Promise<boolean> => stays(await one.send('GET', '/v1/models/sandbox/chat'));

/** For so long nobody was asked to come again: what workers say of their connections has been heard. */
const STEADY_MS = 300;

/** As many connections to each of two workers: to which one comes is not for the client to say, so those that are too many are closed. */
export async function toEach(server: CrewServer, many: number): Promise<readonly [readonly OneConnection[], readonly OneConnection[]]> {
  let found: readonly (readonly OneConnection[])[] = [[], []];
  let since = performance.now();
  while (found.some(({ length }) => length < many) || performance.now() - since < STEADY_MS) {
    while (found.some(({ length }) => length < many)) {
      const [one, worker] = await connect(server);
      if ((found[worker - 1]?.length ?? many) >= many) one.close();
      else found = found.map((those, index) => (index === worker - 1 ? [...those, one] : those));
      since = performance.now();
    }
    const asked = await Promise.all(found.map((those) => Promise.all(those.map(async (one) => ((await mayStay(one)) ? [one] : [])))));
    found = asked.map((those) => those.flat());
  }
  return found as [OneConnection[], OneConnection[]];
}

/** Two clients, each on a connection of its own to another worker. */
export async function twoWorkers(server: CrewServer): Promise<readonly [OneConnection, OneConnection]> {
  const [[one], [other]] = await toEach(server, 1);
  return [one as OneConnection, other as OneConnection];
}

/** An answer's JSON; what was refused is thrown. */
export async function jsonOf(reply: Promise<Reply>): Promise<Readonly<Record<string, unknown>>> {
  const { status, text } = await reply;
  if (status !== 200) throw new Error(`${status} ${text}`);
  return JSON.parse(text) as Record<string, unknown>;
}
