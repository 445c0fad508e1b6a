import { describe, expect, it } from 'vitest';
import { createCollector } from './collect.ts';
import type { ReplyEvent } from './event.ts';
import { gatewayFault } from './fault.ts';
import { createGrammarCheck } from './grammar.ts';
import type { Reply } from './reply.ts';
import { unfold } from './unfold.ts';

const seal = { by: 'gemini', maker: 'them', value: 's' } as const;
const reply: Reply = {
  id: 'r',
  model: 'm',
  createdAt: 7,
  serviceTier: 'flex',
  residue: { gemini: { more: 1 } },
  parts: [
    { kind: 'reasoning', text: 'hm', seal },
    { kind: 'reasoning', text: '', redacted: true, seal },
    {
      kind: 'text',
      text: 'a',
      citations: [{ url: 'https://example.com/', start: 0, end: 1 }],
      logprobs: [{ token: 'a', logprob: -1 }],
      seal,
    },
    { kind: 'text', text: '', seal },
    { kind: 'refusal', text: 'no' },
    { kind: 'tool-call', id: 'c', name: 'f', argumentsJson: '{"a":1}', seal },
    { kind: 'media', media: 'image', mediaType: 'image/png', source: { type: 'base64', data: 'AA==' } },
    { kind: 'hosted-call', id: 'h', tool: 'web-search', name: 's', inputJson: '{}', native: { by: 'gemini', value: { x: 1 } } },
    { kind: 'hosted-result', callId: 'h', tool: 'web-search', text: 't', isError: false, sources: [{ url: 'https://example.com/' }] },
    { kind: 'native', by: 'gemini', value: { y: 2 } },
  ],
  stop: { reason: 'tool-calls', raw: 'STOP' },
  others: [{ parts: [{ kind: 'text', text: 'b' }], stop: { reason: 'length' } }],
  usage: { input: 1, output: 2, cacheRead: 1 },
};

function events(of: Reply): ReplyEvent[] {
  const list: ReplyEvent[] = [];
  unfold(of, (event) => list.push(event));
  return list;
}

function collect(list: readonly ReplyEvent[]) {
  const collector = createCollector();
  for (const event of list) collector.event(event);
  return collector.result();
}

describe('a reply as events', () => {
  it('is given back whole, and follows the grammar', () => {
    const check = createGrammarCheck();
    for (const event of events(reply)) expect(check.next(event)).toBeUndefined();
    expect(check.end()).toBeUndefined();
    expect(collect(events(reply))).toEqual({ reply, complete: true });
  });

  it('cut anywhere is what came so far, and not complete', () => {
    const all = events(reply);
    for (let count = 1; count < all.length; count++) {
      const { reply: found, complete } = collect(all.slice(0, count));
      expect(complete).toBe(false);
      expect(found.parts.length).toBeLessThanOrEqual(reply.parts.length);
    }
  });

  it('that fails has its fault', () => {
    const fault = gatewayFault('upstream', 'It broke off');
    expect(collect([...events(reply).slice(0, 4), { type: 'fault', fault }])).toMatchObject({ fault, complete: true });
  });
});

describe('the grammar', () => {
  const begin: ReplyEvent = { type: 'reply-start', id: 'r', model: 'm' };
  const part: ReplyEvent = { type: 'part-start', part: { kind: 'text' } };
  it.each<[string, readonly ReplyEvent[]]>([
    ['a delta without a part', [begin, { type: 'part-delta', text: 'x' }]],
    ['a part in a part', [begin, part, part]],
    ['an end with a part open', [begin, part, { type: 'reply-end', stop: { reason: 'stop' } }]],
    ['usage before the start', [{ type: 'usage', usage: { input: 1, output: 1 } }]],
    ['a second start', [begin, begin]],
    ['an earlier choice after a later one', [begin, { ...part, choice: 1 }, { type: 'part-end' }, part]],
    ['anything after a fault', [{ type: 'fault', fault: gatewayFault('upstream', 'x') }, begin]],
  ])('has no %s', (_, list) => {
    const check = createGrammarCheck();
    expect(list.map((event) => check.next(event)).at(-1)).toEqual(expect.any(String));
  });
});
