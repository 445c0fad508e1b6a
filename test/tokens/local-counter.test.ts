import { monitorEventLoopDelay } from 'node:perf_hooks';
import { afterAll, describe, expect, it } from 'vitest';
import type { ChatRequest, Part, Tool } from '../../src/ir/index.ts';
import { createLocalCounter, type Counted } from '../../src/tokens/local-counter.ts';

const counter = createLocalCounter();
afterAll(() => counter.close());

const asked = (parts: readonly Part[], more: Partial<ChatRequest> = {}): ChatRequest => ({
  model: 'm',
  instructions: [],
  turns: [{ role: 'user', parts }],
  tools: [],
  stream: false,
  ...more,
});
const text = (value: string): Part => ({ kind: 'text', text: value });

const count = (request: ChatRequest, model = 'gpt-4o'): Promise<Counted> => counter.count(request, model, 'openai-chat');

async function tokens(request: ChatRequest, model?: string): Promise<number> {
  const counted = await count(request, model);
  if ('why' in counted) throw new Error(counted.why);
  return counted.tokens;
}

describe('evil text', () => {
  // o200k takes the letter by eights, fours, …; the others are within what a vendor would count.
  it.each<[name: string, evil: string, least: number, most: number]>([
    ['a million times the letter a', 'a'.repeat(1_000_000), 100_000, 200_000],
    ['a million spaces', ' '.repeat(1_000_000), 5_000, 50_000],
    ['a million equals signs', '='.repeat(1_000_000), 10_000, 200_000],
    ['a million digits', '7'.repeat(999_999), 330_000, 360_000],
    ['emoji of several code points', '👩‍👩‍👧‍👦🏳️‍🌈'.repeat(50_000), 100_000, 2_500_000],
    ['5 MB of Chinese', '敏捷的棕色狐狸跳过懒狗'.repeat(160_000), 500_000, 3_000_000],
    ['lone surrogates', '\ud83d'.repeat(300_000), 30_000, 1_500_000],
    ['special tokens', '<|endoftext|>'.repeat(50_000), 100_000, 500_000],
  ])('%s is counted in bounded time, beside the main loop', async (_name, evil, least, most) => {
    await tokens(asked([text('warm')]));
    const delay = monitorEventLoopDelay({ resolution: 10 });
    delay.enable();
    const started = performance.now();
    const counted = await count(asked([text(evil)]));
    const took = performance.now() - started;
    delay.disable();
    expect(took).toBeLessThan(11_000);
    expect(delay.max / 1e6).toBeLessThan(500);
    if ('why' in counted) throw new Error(counted.why);
    expect(counted.tokens).toBeGreaterThan(least);
    expect(counted.tokens).toBeLessThan(most);
  });

  it('is refused where it is more than any model reads', async () => {
    expect(await count(asked([text('x'.repeat(17 * 1024 * 1024))]))).toEqual({ why: expect.stringContaining('more text') as string });
  });
});

describe('what is counted', () => {
  const base = (): Promise<number> => tokens(asked([text('Hello!')]));

  it('is the vendor’s own number for the plainest call', async () => {
    expect(await base()).toBe(9);
  });

  it.each<[name: string, more: Partial<ChatRequest>, least: number]>([
    ['instructions', { instructions: [text('You are a helpful assistant.')] }, 6],
    [
      'a system turn',
      {
        turns: [
          { role: 'system', parts: [text('Be brief.')] },
          { role: 'user', parts: [text('Hello!')] },
        ],
      },
      6,
    ],
    [
      'a tool',
      {
        tools: [
          { kind: 'function', name: 'f', description: 'does', parameters: { type: 'object', properties: { a: { type: 'string' } } } },
        ],
      },
      20,
    ],
    ['a schema', { output: { type: 'json-schema', schema: { type: 'object', properties: { a: { type: 'string' } } } } }, 15],
  ])('%s adds to it', async (_name, more, least) => {
    expect((await tokens(asked([text('Hello!')], more))) - (await base())).toBeGreaterThanOrEqual(least);
  });

  it('does not depend on the order of turns or parts', async () => {
    const words = ['first words', 'and then others, 1234', 'the last ones\n\nof all'].map(text);
    const counts = await Promise.all([words, words.toReversed()].map((parts) => tokens(asked(parts))));
    expect(counts[0]).toBe(counts[1]);
    const turns = words.map((part) => ({ role: 'user' as const, parts: [part] }));
    const orders = [turns, turns.toReversed()].map((order) => tokens(asked([], { turns: order })));
    expect(new Set(await Promise.all(orders)).size).toBe(1);
  });

  it('grows with every word', async () => {
    let last = 0;
    for (let words = 1; words < 60; words += 7) {
      const now = await tokens(asked([text('word '.repeat(words))]));
      expect(now).toBeGreaterThan(last);
      last = now;
    }
  });

  it('leaves out thoughts of earlier questions', async () => {
    const thought = (value: string): Part => ({ kind: 'reasoning', text: value });
    const turns = (value: string): ChatRequest['turns'] => [
      { role: 'user', parts: [text('one')] },
      { role: 'assistant', parts: [thought(value), text('two')] },
      { role: 'user', parts: [text('three')] },
    ];
    const [short, long] = await Promise.all(
      ['hm', 'hm '.repeat(500)].map((value) => tokens(asked([], { turns: turns(value) }), 'claude-sonnet-4-5')),
    );
    expect(short).toBe(long);
  });

  it.each<[name: string, tool: object]>([
    ['no parameters', {}],
    ['properties that are no object', { parameters: { type: 'object', properties: 7 } }],
    ['a property that is no schema', { parameters: { type: 'object', properties: { a: null, b: true, c: [] } } }],
    [
      'names of prototypes',
      {
        parameters: JSON.parse('{"type":"object","properties":{"__proto__":{"type":"string"},"constructor":{"type":"object"}}}') as object,
      },
    ],
    ['a schema that names itself', { parameters: { $ref: '#/$defs/a', $defs: { a: { type: 'array', items: { $ref: '#/$defs/a' } } } } }],
  ])('a tool with %s is counted as it stands', async (_name, tool) => {
    const tools = [{ kind: 'function', name: 'odd', ...tool } as Tool];
    for (const model of ['gpt-4o', 'claude-sonnet-4-5'])
      expect(await tokens(asked([text('Hello!')], { tools }), model)).toBeGreaterThan(15);
  });
});

describe('what is refused, and why', () => {
  const image = (source: Extract<Part, { kind: 'media' }>['source']): Part => ({ kind: 'media', media: 'image', source });
  it.each<[name: string, request: ChatRequest, model: string, why: RegExp]>([
    ['a model of no family', asked([text('hi')]), 'unheard-of-1', /no local count/],
    ['a newer Claude than any recorded', asked([text('hi')]), 'claude-opus-9', /no local count/],
    ['Claude, thinking by a router’s variant', asked([text('hi')]), 'anthropic/claude-3.7-sonnet:thinking', /no local count/],
    [
      'bytes that are no image',
      asked([image({ type: 'base64', data: 'AAAA' })]),
      'gpt-4o',
      /size of the image 'messages\[0\]\.content\[0\]' cannot be read/,
    ],
    [
      'an image that must be fetched',
      asked([image({ type: 'url', url: 'https://example.com' })]),
      'gpt-4o',
      /not known before it is fetched/,
    ],
    [
      'an image for a model that takes none',
      asked([image({ type: 'base64', data: 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ' })]),
      'gpt-3.5-turbo',
      /an image/,
    ],
    ['tools, where they are not known', asked([text('hi')], { tools: [{ kind: 'function', name: 'f' }] }), 'o3', /tools/],
    ['a free-text tool', asked([text('hi')], { tools: [{ kind: 'custom', name: 'patch' }] }), 'gpt-4o', /free-text tool 'patch'/],
    ['sealed thoughts', asked([{ kind: 'text', text: 'x', seal: { by: 'gemini', value: 's' } }]), 'gemini-2.5-flash', /sealed/],
    [
      'a conversation kept elsewhere',
      asked([text('hi')], { residue: { 'openai-responses': { previous_response_id: 'resp_1' } } }),
      'gpt-4o',
      /previous_response_id/,
    ],
    ['a block of one dialect', asked([{ kind: 'native', by: 'gemini', value: {} }]), 'gpt-4o', /block/],
  ])('%s', async (_name, request, model, why) => {
    expect(await count(request, model)).toEqual({ why: expect.stringMatching(why) as string });
  });
});
