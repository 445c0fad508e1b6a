import type { ServerResponse } from 'node:http';
import { expect, vi } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import { type Conducted, conduct, type FakeUpstream, startUpstream } from '../fakes/upstream.ts';
import { startTestServer, type TestServer } from '../server.ts';

/** A gateway whose provider is played step by step, and whose clients can be made to have waited for long. */
export interface SlowStage {
  readonly server: TestServer;
  readonly upstream: FakeUpstream;
  /**
   * Has the upstream play an answer to what `ask` asks. `ask` is given a mark for its model, by which rows that run at once are told apart.
   * Who asks so need not be kept alive: others do not wait for that.
   */
  played<T>(ask: (mark: string) => Promise<T>, then: (play: Conducted) => unknown): Promise<T>;
  /** The same, but the client waits first until something has gone out that keeps it alive. */
  keptWaiting<T>(ask: (mark: string) => Promise<T>, then: (play: Conducted) => unknown): Promise<T>;
  close(): Promise<void>;
}

/** The server of a configuration under which clients that wait for one JSON text are kept alive. */
export const ALIVE: Config['server'] = {
  host: '127.0.0.1',
  port: 0,
  workers: 1,
  trustedProxies: [],
  cors: ['*'],
  keepAlive: { whole: true },
};

/** `changes`: of the configuration, with the upstream's address. */
export async function setSlowStage(changes: (url: string) => Partial<Config>): Promise<SlowStage> {
  /** Put forward: to the keep-alives clients have then heard nothing for as long. */
  let ahead = 0;
  const plays = new Map<string, Conducted>();
  /** Answers to clients that are under way. */
  const open = new Set<ServerResponse>();
  /** Of those, whose clients may hear nothing. */
  const quiet = new WeakSet<ServerResponse>();
  const upstream = await startUpstream((seen, response) =>
    [...plays].find(([mark]) => (seen.path + seen.body).includes(mark))?.[1].answer(seen, response),
  );
  const clock = { now: () => Date.now(), monotonic: () => performance.now() + ahead };
  const server = await startTestServer(changes(upstream.url), undefined, clock);
  server.app.server.on('request', (_request, response: ServerResponse) => {
    open.add(response);
    response.on('close', () => open.delete(response));
  });
  async function conducted<T>(ask: (mark: string) => Promise<T>, then: (play: Conducted) => unknown): Promise<T> {
    const play = conduct();
    const mark = `row-${plays.size}-`;
    plays.set(mark, play);
    const asked = ask(mark);
    asked.catch(() => {});
    // What never comes to ask fails at once.
    await Promise.race([play.asked, asked]);
    await then(play);
    return asked;
  }
  return {
    server,
    upstream,
    played: (ask, then) =>
      conducted(ask, (play) => {
        for (const response of open) quiet.add(response);
        return then(play);
      }),
    keptWaiting: (ask, then) =>
      conducted(ask, async (play) => {
        const waiting = [...open].filter((response) => !quiet.has(response));
        ahead += 20_000;
        await vi.waitFor(() => expect(waiting.every(({ headersSent, closed }) => headersSent || closed)).toBe(true), {
          interval: 10,
          timeout: 5000,
        });
        await then(play);
      }),
    async close() {
      await server.close();
      await upstream.close();
      expect(server.defects).toEqual([]);
    },
  };
}
