import { describe, expect, it } from 'vitest';
import {
  type ChatRequest,
  createCollector,
  createNotes,
  isObject,
  type JsonObject,
  type Part,
  parseObject,
  type Reply,
  unfold,
} from '../../ir/index.ts';
import { gemini } from './index.ts';

/* Sealed state of other dialects on its way through a client of this one, which keeps what it got: whole, or chunk by chunk. */

const request: ChatRequest = { model: 'm', instructions: [], turns: [], tools: [], stream: true };
const context = { request, body: {}, newId: (prefix: string) => `${prefix}new`, now: () => 0, notes: createNotes() };
const replyOf = (parts: readonly Part[]): Reply => ({ id: 'r', model: 'm', parts, stop: { reason: 'stop' } });

const contentIn = (chunk: JsonObject): JsonObject[] => {
  const [candidate] = (chunk['candidates'] ?? []) as JsonObject[];
  return isObject(candidate?.['content']) ? [candidate['content']] : [];
};

/** The contents that a client keeps of a whole reply. */
const wholeContents = (parts: readonly Part[]): JsonObject[] => contentIn(gemini.encodeReply(replyOf(parts), context));

/** The contents that Google's SDK keeps of a stream: one a chunk, those without anything in them left out. */
function streamContents(parts: readonly Part[]): JsonObject[] {
  const contents: JsonObject[] = [];
  const encoder = gemini.streamEncoder(context);
  unfold(replyOf(parts), (event) =>
    encoder.event(event, (data) => {
      contents.push(...contentIn(parseObject(data) ?? {}));
    }),
  );
  return contents;
}

/** What the gateway reads when the client sends them back. */
function back(contents: readonly JsonObject[]): readonly Part[] {
  const turns = gemini.decodeRequest({ model: 'm', contents: [{ role: 'user', parts: [{ text: 'Hi' }] }, ...contents] }).turns;
  expect(turns.map((turn) => turn.role)).toEqual(['user', 'assistant']);
  return turns[1]?.parts ?? [];
}

const anthropic = { by: 'anthropic-messages', maker: 'anthropic', value: 'EqQBCkYIB==' } as const;
const openai = { by: 'openai-responses', maker: 'openai', value: 'gAAAAABo+/x' } as const;
const native = { by: 'anthropic-messages', value: { type: 'server_tool_use', id: 'srv', name: 'bash_code_execution' } } as const;

describe.each<readonly [string, readonly Part[]]>([
  [
    'signed thoughts, text and a call',
    [
      { kind: 'reasoning', text: 'First this, then that.', seal: anthropic },
      { kind: 'text', text: 'I look.' },
      { kind: 'tool-call', id: 'toolu_1', name: 'look', argumentsJson: '{"at":3}' },
    ],
  ],
  [
    'redacted thoughts',
    [
      { kind: 'reasoning', text: '', redacted: true, seal: anthropic },
      { kind: 'text', text: 'Yes.' },
    ],
  ],
  [
    'thoughts of which the seal is all',
    [
      { kind: 'reasoning', text: '', seal: openai },
      { kind: 'text', text: 'Yes.' },
    ],
  ],
  ['a seal on a call', [{ kind: 'tool-call', id: 'c', name: 'look', argumentsJson: '{}', seal: openai }]],
  ['a seal on a text', [{ kind: 'text', text: 'Yes.', seal: openai }]],
  [
    'two thoughts, each with its seal',
    [
      { kind: 'reasoning', text: 'one', seal: anthropic },
      { kind: 'reasoning', text: 'two', seal: anthropic },
      { kind: 'text', text: 'Yes.' },
    ],
  ],
  [
    'code that another provider ran',
    [
      { kind: 'hosted-call', id: 'srv', tool: 'code-execution', name: 'bash_code_execution', inputJson: '{"command":"ls"}', native },
      { kind: 'hosted-result', callId: 'srv', tool: 'code-execution', text: 'a.txt', isError: false, native },
    ],
  ],
  [
    'a search that this dialect cannot show',
    [
      { kind: 'hosted-call', id: 'srv', tool: 'web-search', name: 'web_search', inputJson: '{"query":"gate"}', native },
      {
        kind: 'hosted-result',
        callId: 'srv',
        tool: 'web-search',
        text: 'x',
        isError: false,
        sources: [{ url: 'https://x.example' }],
        native,
      },
      { kind: 'text', text: 'Found.' },
    ],
  ],
  [
    'a block that only another dialect has',
    [
      { kind: 'native', by: 'anthropic-messages', value: { type: 'compaction', content: 'c' } },
      { kind: 'text', text: 'Yes.' },
    ],
  ],
])('%s', (_name, parts) => {
  it('comes back from a whole reply', () => {
    expect(back(wholeContents(parts))).toEqual(parts);
  });

  it('comes back from a stream', () => {
    expect(back(streamContents(parts)).filter((part) => part.kind !== 'text' || part.text !== '')).toEqual(parts);
  });
});

it('a damaged or made-up token is no part', () => {
  const token = (value: string): string => Buffer.from(`pailou/seal1${JSON.stringify(['gemini', 'carried', value])}`).toString('base64');
  for (const value of ['{}', '{"kind":"tool-call"}', '{"kind":"native","by":1,"value":{}}', 'x']) {
    const [part] = back([{ role: 'model', parts: [{ text: 'x', thought: true, thoughtSignature: token(value) }] }]);
    expect(part).toMatchObject({ kind: 'reasoning', text: 'x' });
  }
});

it('a stream reads as the reply that it was', () => {
  const collector = createCollector();
  const decoder = gemini.streamDecoder({ maker: 'them', newId: (prefix) => prefix });
  const encoder = gemini.streamEncoder(context);
  unfold(replyOf([{ kind: 'text', text: 'Yes.' }]), (event) =>
    encoder.event(event, (data) => decoder.frame({ data }, (one) => collector.event(one))),
  );
  decoder.end((event) => collector.event(event));
  expect(collector.result().reply).toMatchObject({ parts: [{ kind: 'text', text: 'Yes.' }], stop: { reason: 'stop' } });
});
