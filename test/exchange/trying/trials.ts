import { expect } from 'vitest';
import type { Config } from '../../../src/config/config.ts';
import type { Clock } from '../../../src/exchange/ports.ts';
import type { ProviderSettings } from '../../../src/presets/preset.ts';
import { type Answer, type FakeUpstream, startUpstream } from '../../fakes/upstream.ts';
import { startTestServer, type TestServer } from '../../server.ts';
import { type Dialect, DIALECTS } from '../dialects.ts';
import { call, type Got, told } from '../stage.ts';

export const CHAT = DIALECTS.find(({ id }) => id === 'openai-chat') as Dialect;
export const MESSAGES = DIALECTS.find(({ id }) => id === 'anthropic-messages') as Dialect;
const TIMEOUTS = { connect: 1000, headers: 5000, firstToken: 5000, idle: 5000, total: 8000 };

/** A gateway before several upstreams, `a`, `b` and so on, all reached by the name `both`, in that order. */
export interface Trials {
  readonly server: TestServer;
  readonly upstreams: readonly FakeUpstream[];
  ask(options?: AskOptions): Promise<Got>;
  close(): Promise<void>;
}

export interface AskOptions {
  readonly model?: string;
  readonly stream?: boolean;
  readonly client?: Dialect;
  readonly headers?: Record<string, string>;
  readonly text?: string;
  readonly key?: string;
}

export interface TrialOptions {
  readonly answers: readonly Answer[];
  readonly settings?: readonly Partial<ProviderSettings>[];
  readonly config?: Partial<Config>;
  readonly clock?: Clock;
  /** What each upstream speaks; default: chat. */
  readonly dialects?: readonly Dialect[];
}

const nameOf = (at: number): string => String.fromCharCode(97 + at);

export async function setTrials({ answers, settings = [], config = {}, dialects = [], clock }: TrialOptions): Promise<Trials> {
  const upstreams = await Promise.all(answers.map((answer) => startUpstream(answer)));
  const providers = Object.fromEntries(
    upstreams.map(({ url }, at) => {
      const { key, ...own } = (dialects[at] ?? CHAT).settings(url);
      const paid = settings[at]?.keys ? {} : { key };
      return [nameOf(at), { ...own, ...paid, timeouts: TIMEOUTS, ...settings[at] } as ProviderSettings];
    }),
  );
  const targets = upstreams.map((_, at) => ({ to: `${nameOf(at)}/up` }));
  const changes = { ...config, providers, models: { both: { targets, strategy: 'priority' as const }, ...config.models } };
  const server = await startTestServer(changes, undefined, clock);
  return {
    server,
    upstreams,
    ask({ model = 'both', stream = false, client = CHAT, headers = {}, text = 'hello', key = server.key } = {}) {
      return call(`${server.url}${client.path(model, stream)}`, JSON.stringify(client.body(model, stream, text)), {
        'content-type': 'application/json',
        authorization: `Bearer ${key}`,
        ...headers,
      });
    },
    async close() {
      await server.close();
      await Promise.all(upstreams.map((one) => one.close()));
      expect(server.defects).toEqual([]);
    },
  };
}

/** What a reply says, whatever its form; throws where it is an error. */
export function textOf(got: Got, client: Dialect = CHAT): string {
  if (got.status !== 200) throw new Error(`${got.status}: ${got.text}`);
  if (!String(got.headers['content-type']).includes('event-stream')) return client.wholeText(JSON.parse(got.text));
  const said = told(client, got);
  if (!said.finished || said.error !== undefined) throw new Error(said.error ?? `unfinished: ${got.text}`);
  return said.text;
}

export const counts = ({ upstreams }: Trials): readonly number[] => upstreams.map(({ seen }) => seen.length);
