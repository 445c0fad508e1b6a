import type { Job } from './load.ts';
import { chatRequest, embeddingsRequest, messagesRequest, STREAMS } from './payloads.ts';

/** One thing that is measured. */
export interface Scenario {
  readonly id: string;
  readonly title: string;
  readonly path: string;
  /** The provider that the gateway reaches the upstream through. */
  readonly provider: 'oa' | 'an' | 'ge';
  readonly body: (model: string) => object;
  readonly model: string;
  readonly connections: number;
  readonly deltas: number;
  readonly ending: string;
  /** Both sides speak one protocol: a plain proxy can do it too. */
  readonly same: boolean;
  /** One answer a connection, however long it takes: streams longer than what is measured otherwise. */
  readonly once?: boolean;
}

const CHAT = '/v1/chat/completions';
const DONE = 'data: [DONE]';
const { burst, paced, slow } = STREAMS;

const scenario = (id: string, title: string, more: Partial<Scenario>): Scenario => ({
  id,
  title,
  path: CHAT,
  provider: 'oa',
  body: (model) => chatRequest(model, 700, true),
  model: 'bench-burst',
  connections: 16,
  deltas: burst.chunks,
  ending: DONE,
  same: true,
  ...more,
});

const WHOLE = { model: 'bench', deltas: 0, ending: '' } as const;

export const SCENARIOS: readonly Scenario[] = [
  scenario('S1', '1 KB JSON', { ...WHOLE, body: (model) => chatRequest(model, 700, false), connections: 32 }),
  scenario('S2', 'stream of 200 events in a burst', {}),
  scenario('S2p', '64 streams of 100 events, 20 ms apart', { model: 'bench-paced', connections: 64, deltas: paced.chunks, once: true }),
  scenario('S3', '100 KB prompt', { ...WHOLE, body: (model) => chatRequest(model, 100_000, false) }),
  scenario('S4', 'OpenAI Chat → Anthropic, 200 events', { provider: 'an', same: false }),
  scenario('S5', 'Anthropic → OpenAI Chat, 200 events', {
    path: '/v1/messages',
    body: messagesRequest,
    ending: 'message_stop',
    same: false,
  }),
  scenario('S6', 'OpenAI Chat → Gemini, 200 events', { provider: 'ge', same: false }),
  scenario('S8', 'embeddings, 16 × 1536 floats', { ...WHOLE, path: '/v1/embeddings', body: embeddingsRequest, connections: 8 }),
];

/** A thousand slow streams at once, on a fresh process: memory for each, and none lost. */
export const SLOW: Scenario = scenario('S7', '1,000 streams of 200 events, 50 ms apart', {
  model: 'bench-slow',
  connections: 1000,
  deltas: slow.chunks,
});

/** The request of a scenario for one port. */
export const jobOf = (scenario: Scenario, model: string, port: number, headers: Job['headers'], how: Partial<Job>): Job => ({
  port,
  path: scenario.path,
  headers,
  body: JSON.stringify(scenario.body(model)),
  connections: scenario.connections,
  warmMs: 400,
  measureMs: 2000,
  once: false,
  rate: 0,
  deltas: scenario.deltas,
  ending: scenario.ending,
  ...how,
});
