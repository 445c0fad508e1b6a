import type { Call } from '../../src/exchange/call.ts';
import type { ClientSink } from '../../src/exchange/client-sink.ts';
import { type ExchangePorts, runExchange } from '../../src/exchange/exchange.ts';
import type { CallRecord } from '../../src/exchange/ports.ts';
import type { ChatRequest, Fault, JsonObject, ProtocolId, Reply } from '../../src/ir/index.ts';
import { parseObject } from '../../src/ir/index.ts';
import type { Provider } from '../../src/presets/preset.ts';
import { compileProvider } from '../../src/presets/provider.ts';
import { codecFacts, providerCodecs } from '../../src/protocols/index.ts';
import type { ClientCodec } from '../../src/protocols/protocol.ts';
import type { UpstreamRequest } from '../../src/upstream/send.ts';
import { scanTopLevel } from '../../src/wire/top-level-scan.ts';
import { NOW, portsBefore, snapshotOf } from './one-provider.ts';
import type { WireRow } from './wires/wire-row.ts';

/** What a provider answers with. */
export interface Canned {
  readonly status: number;
  readonly body: JsonObject | string;
}

/** What came of one call: the request as it went out, and the answer as it was understood. */
export interface Outcome {
  readonly sent: readonly UpstreamRequest[];
  readonly reply: Reply | undefined;
  readonly fault: Fault | undefined;
  readonly record: CallRecord | undefined;
}

/** The request that every wire is tried with: something of everything that providers differ in. */
const ASK: Omit<ChatRequest, 'model' | 'stream'> = {
  instructions: [{ kind: 'text', text: 'Be brief.' }],
  turns: [
    { role: 'user', parts: [{ kind: 'text', text: 'What is at 3?' }] },
    {
      role: 'assistant',
      parts: [
        { kind: 'reasoning', text: 'I must look.' },
        { kind: 'tool-call', id: 'functions.look:0', name: 'look', argumentsJson: '{"at":3}' },
      ],
    },
    {
      role: 'user',
      parts: [{ kind: 'tool-result', callId: 'functions.look:0', content: [{ kind: 'text', text: 'dust' }], isError: false }],
    },
    { role: 'assistant', parts: [{ kind: 'text', text: 'Dust.' }] },
    { role: 'user', parts: [{ kind: 'text', text: 'And at 4?' }] },
    { role: 'developer', parts: [{ kind: 'text', text: 'Do not guess.' }] },
  ],
  tools: [
    {
      kind: 'function',
      name: 'look',
      description: 'Looks at a place',
      parameters: { type: 'object', properties: { at: { type: 'integer' } }, required: ['at'], additionalProperties: false },
      strict: true,
    },
  ],
  parallelToolCalls: false,
  reasoning: { effort: 'medium' },
  maxOutputTokens: 3000,
  temperature: 1.7,
  topK: 9,
  seed: 7,
  frequencyPenalty: 0.5,
  stop: ['END'],
  user: 'u-1',
};

/** A client that speaks nothing: its request is `ASK`, and the answer it gets is the shared language. */
function stubClient(
  id: ProtocolId,
  row: WireRow,
  stream: boolean,
  onReply: (reply: Reply) => void,
  onFault: (fault: Fault) => void,
): ClientCodec {
  return {
    id,
    decodeRequest: () => ({ ...ASK, model: row.model, stream }),
    encodeReply(reply) {
      onReply(reply);
      return {};
    },
    streamEncoder: () => ({ event: () => {} }),
    encodeFault(fault) {
      onFault(fault);
      return { status: fault.status, body: {} };
    },
    faultFrame: (fault) => onFault(fault),
    keepAlive: ':\n\n',
  };
}

function sinkOf(): { readonly sink: ClientSink; readonly body: () => string; readonly status: () => number } {
  let body = '';
  let begun = 0;
  const add = (bytes?: Buffer | string): boolean => {
    body += bytes?.toString() ?? '';
    return true;
  };
  return {
    body: () => body,
    status: () => begun,
    sink: {
      get begun() {
        return begun > 0;
      },
      closed: false,
      begin(status) {
        begun = status;
      },
      write: add,
      end: add,
      abort() {},
      onGone() {},
      onDrain() {},
    },
  };
}

/** A call for the row's model, with a body that is read where the client speaks the provider's own dialect. */
function callOf(row: WireRow, provider: Provider, client: ClientCodec, stream: boolean): Call {
  const model = `it/${row.model}`;
  const body = Buffer.from(JSON.stringify({ model, prompt: 'Hello', max_tokens: 5, ...(stream ? { stream: true } : {}) }));
  const scan = scanTopLevel(body, new Set(['model', 'stream', 'stream_options']));
  if (typeof scan === 'string') throw new Error(scan);
  return {
    id: 'req_1',
    at: NOW,
    started: 0,
    key: { id: 'k', name: 'k', strict: false },
    client,
    operation: 'generate',
    model,
    stream,
    form: 'sse',
    strict: false,
    body,
    scan,
    headers: {},
    snapshot: snapshotOf(provider),
  };
}

const none = (): Promise<never> => Promise.reject(new Error('no media in this test'));
const NOTHING_KEPT: Pick<ExchangePorts, 'seals' | 'media' | 'mediaStore'> = {
  seals: { get: () => Promise.resolve(new Map()), put() {} },
  media: { fetch: none, check: none, open: none },
  mediaStore: { put: none, find: none, read: none, whole: none, remove: none, link: () => '', isSigned: () => false },
};

/** Calls one wire through the exchange as a client of another protocol would (legacy completions: of its own), and answers for the provider. */
export async function callWire(row: WireRow, { status, body }: Canned, stream: boolean): Promise<Outcome> {
  const provider = compileProvider('it', { preset: row.preset, key: 'k', ...row.settings, protocols: [row.protocol] }, codecFacts);
  const isOwn = row.protocol === 'openai-completions';
  const sent: UpstreamRequest[] = [];
  let reply: Reply | undefined;
  let fault: Fault | undefined;
  let record: CallRecord | undefined;
  const client = stubClient(
    isOwn ? row.protocol : row.protocol === 'gemini' ? 'openai-chat' : 'gemini',
    row,
    stream,
    (got) => (reply = got),
    (got) => (fault = got),
  );
  const answer = typeof body === 'string' ? { type: 'text/html', text: body } : { type: 'application/json', text: JSON.stringify(body) };
  const ports = portsBefore(
    (request) => {
      sent.push(request);
      return { status, headers: { 'content-type': answer.type }, body: answer.text };
    },
    (made) => (record = made),
  );
  const { sink, body: written, status: statusWritten } = sinkOf();
  await runExchange(callOf(row, provider, client, stream), sink, { ...ports, ...NOTHING_KEPT });
  const codec = providerCodecs.get(row.protocol);
  // On the raw lane the client has the provider's own bytes.
  if (isOwn && codec && !fault && statusWritten() >= 400) fault = codec.decodeFault(statusWritten(), written());
  const raw = isOwn && !fault ? parseObject(written()) : undefined;
  if (raw && codec) reply = codec.decodeReply(raw, { maker: 'it', newId: (prefix) => prefix });
  return { sent, reply, fault, record };
}
