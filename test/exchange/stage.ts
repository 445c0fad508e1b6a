import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { expect } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import type { Clock } from '../../src/exchange/ports.ts';
import { type FakeUpstream, json, startUpstream } from '../fakes/upstream.ts';
import { type ServerOptions, startTestServer, type TestServer } from '../server.ts';
import { type Data, dataOf, type Dialect, DIALECTS } from './dialects.ts';

/** A gateway before one fake upstream, which is a provider of each protocol. */
export interface Stage {
  readonly server: TestServer;
  readonly upstream: FakeUpstream;
  /** Calls that `ask` made. */
  asked: number;
  close(): Promise<void>;
}

export interface StageOptions extends ServerOptions {
  readonly clock?: Clock;
}

const TIMEOUTS = { connect: 1000, headers: 20_000, firstToken: 20_000, idle: 20_000, total: 30_000 };

/** Sets the stage. Closing it checks the laws that hold in every scenario: no defect of ours, and one record a call. */
export async function setStage(changes: Partial<Config> = {}, options: StageOptions = {}, timeouts = TIMEOUTS): Promise<Stage> {
  const { clock, ...ports } = options;
  const upstream = await startUpstream();
  const providers = Object.fromEntries(DIALECTS.map((one) => [one.provider, { ...one.settings(upstream.url), timeouts }]));
  const server = await startTestServer({ ...changes, providers: { ...providers, ...changes.providers } }, undefined, clock, ports);
  return {
    server,
    upstream,
    asked: 0,
    async close() {
      const ids = server.records.map((record) => record.id);
      await server.close();
      await upstream.close();
      expect(server.defects).toEqual([]);
      expect(new Set(ids).size).toBe(ids.length);
    },
  };
}

export interface Got {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The same before it was read as text. */
  readonly bytes?: Buffer;
  /** The body ended as HTTP says, and was not cut. */
  readonly complete: boolean;
}

/** Calls over plain node:http: nothing is hidden, a cut body is told and not thrown. */
export function call(
  url: string,
  body: string | Buffer | undefined,
  headers: Record<string, string> = {},
  method = body === undefined ? 'GET' : 'POST',
): Promise<Got> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(url, { method, headers, agent: false }, (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (bytes: Buffer) => pieces.push(bytes));
      response.on('error', () => {});
      response.on('close', () => {
        const bytes = Buffer.concat(pieces);
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: bytes.toString(),
          bytes,
          complete: response.complete,
        });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** A client's call in its own dialect to a model of a provider. */
export function ask(stage: Stage, client: Dialect, upstream: Dialect, stream: boolean, headers: Record<string, string> = {}): Promise<Got> {
  const model = `${upstream.provider}/up`;
  stage.asked++;
  return call(`${stage.server.url}${client.path(model, stream)}`, JSON.stringify(client.body(model, stream)), {
    'content-type': 'application/json',
    authorization: `Bearer ${stage.server.key}`,
    ...headers,
  });
}

/** What a stream told its client. */
export function told(client: Dialect, got: Got): { text: string; finished: boolean; error: string | undefined; data: Data[] } {
  const data = dataOf(got.text);
  return { text: client.textOf(data), finished: Boolean(client.isFinished(data)), error: client.errorIn(data), data };
}

/** The record of the call that was made last, once it is there. */
export async function lastRecord(stage: Stage, count: number): Promise<TestServer['records'][number]> {
  for (let i = 0; i < 200 && stage.server.records.length < count; i++) await new Promise((resolve) => setImmediate(resolve));
  await expect.poll(() => stage.server.records.length, { interval: 5 }).toBe(count);
  return stage.server.records[count - 1] as TestServer['records'][number];
}

export { json };
