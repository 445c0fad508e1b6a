import { describe, expect, it } from 'vitest';
import { type ChatRequest, createNotes, type JsonObject, type Part, type Reply, unfold } from '../../ir/index.ts';
import type { ReplyContext } from '../protocol.ts';
import { openaiResponses } from './index.ts';

/* What models of other makers said returns to them unchanged by way of a client of this dialect. */

const request: ChatRequest = openaiResponses.decodeRequest({ model: 'm', input: 'x' });
const context = (): ReplyContext => {
  let serial = 0;
  return { request, body: {}, newId: (prefix) => `${prefix}${serial++}`, now: () => 1_760_000_000, notes: createNotes() };
};

const CASES: readonly { readonly name: string; readonly parts: readonly Part[] }[] = [
  {
    name: 'signed thinking of Anthropic',
    parts: [
      { kind: 'reasoning', text: 'I look.', seal: { by: 'anthropic-messages', maker: 'anthropic', value: 'EqQB' } },
      { kind: 'tool-call', id: 'toolu_1', name: 'height', argumentsJson: '{}' },
    ],
  },
  {
    name: 'redacted thinking',
    parts: [
      { kind: 'reasoning', text: '', redacted: true, seal: { by: 'anthropic-messages', maker: 'anthropic', value: 'blob' } },
      { kind: 'text', text: 'Nine metres.' },
    ],
  },
  {
    name: "Gemini's signatures on calls and on text",
    parts: [
      { kind: 'reasoning', text: 'Two gates.' },
      {
        kind: 'tool-call',
        id: 'call_1',
        name: 'height',
        argumentsJson: '{"city":"A"}',
        seal: { by: 'gemini', maker: 'gemini', value: 'c2ln' },
      },
      { kind: 'tool-call', id: 'call_2', name: 'height', argumentsJson: '{"city":"B"}' },
      { kind: 'text', text: 'Wait.', seal: { by: 'gemini', maker: 'gemini', value: 'dGV4dA==' } },
    ],
  },
  {
    name: 'a search of Anthropic, with what it found',
    parts: [
      {
        kind: 'hosted-call',
        id: 'srvtoolu_1',
        tool: 'web-search',
        name: 'web_search',
        inputJson: '{"query":"gates"}',
        native: { by: 'anthropic-messages', value: { type: 'server_tool_use', id: 'srvtoolu_1' } },
      },
      {
        kind: 'hosted-result',
        callId: 'srvtoolu_1',
        tool: 'web-search',
        text: 'Gates https://gates.example',
        isError: false,
        sources: [{ url: 'https://gates.example', title: 'Gates' }],
        native: { by: 'anthropic-messages', value: { type: 'web_search_tool_result' } },
      },
      { kind: 'text', text: 'Found.' },
    ],
  },
  {
    name: 'code that Gemini ran, with its output',
    parts: [
      { kind: 'hosted-call', id: 'c1', tool: 'code-execution', name: 'code_execution', inputJson: '{"code":"1+1","language":"python"}' },
      { kind: 'hosted-result', callId: 'c1', tool: 'code-execution', text: '2', isError: false },
    ],
  },
  {
    name: 'a block that only another dialect can say',
    parts: [
      { kind: 'native', by: 'anthropic-messages', value: { type: 'container_upload', file_id: 'f' } },
      { kind: 'text', text: 'See.' },
    ],
  },
];

/** The output as the next request's input, read. */
const returned = (output: unknown): readonly Part[] =>
  openaiResponses
    .decodeRequest({ model: 'm', input: [{ role: 'user', content: 'x' }, ...(output as JsonObject[]), { role: 'user', content: 'y' }] })
    .turns.slice(1, -1)
    .flatMap((turn) => turn.parts);

/** Parts without what this dialect adds: item ids. */
const bare = (parts: readonly Part[]): unknown =>
  parts.map((part) => {
    const { id, itemId, ...rest } = part as Part & { readonly id?: string; readonly itemId?: string };
    void itemId;
    return part.kind === 'tool-call' || part.kind === 'hosted-call' ? { id, ...rest } : rest;
  });

describe.each(CASES)('$name', ({ parts }) => {
  const reply: Reply = { id: '', model: 'm', parts, stop: { reason: 'stop' } };

  it('comes back as it was', () => {
    const { output } = openaiResponses.encodeReply(reply, context());
    expect(bare(returned(output))).toEqual(bare(parts));
  });

  it('comes back as it was from a stream', () => {
    const encoder = openaiResponses.streamEncoder(context());
    const items: JsonObject[] = [];
    let last: JsonObject = {};
    unfold(reply, (event) =>
      encoder.event(event, (data) => {
        last = JSON.parse(data) as JsonObject;
        if (last['type'] === 'response.output_item.done') items.push(last['item'] as JsonObject);
      }),
    );
    expect(bare(returned(items))).toEqual(bare(parts));
    expect((last['response'] as JsonObject)['output']).toEqual(items);
  });
});

describe('what a client sends in their place', () => {
  const sent = (encrypted_content: string): readonly Part[] => returned([{ type: 'reasoning', summary: [], encrypted_content }]);

  it('a damaged token is no seal', () => {
    const [item] = openaiResponses.encodeReply({ id: '', model: 'm', parts: CASES[0]?.parts ?? [], stop: { reason: 'stop' } }, context())[
      'output'
    ] as JsonObject[];
    const token = String(item?.['encrypted_content']);
    expect(sent(`${token.slice(0, 24)}!!${token.slice(30)}`)).toEqual([{ kind: 'reasoning', text: '' }]);
    expect(sent(token)).toMatchObject([{ seal: { by: 'anthropic-messages', maker: 'anthropic', value: 'EqQB' } }]);
  });

  it("a provider's own is its own", () => {
    expect(sent('gAAAAABx')).toEqual([{ kind: 'reasoning', text: '', seal: { by: 'openai-responses', value: 'gAAAAABx' } }]);
  });
});
