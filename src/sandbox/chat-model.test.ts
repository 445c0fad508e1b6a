import { describe, expect, it } from 'vitest';
import {
  type ChatRequest,
  createCollector,
  createGrammarCheck,
  type FunctionTool,
  GatewayError,
  type MediaPart,
  type Part,
  type Reply,
  type ToolCallPart,
  type Turn,
} from '../ir/index.ts';
import { type Behaviour, behaviourOf } from './behaviour.ts';
import { perform, type Performance, type WireWays } from './chat-model.ts';
import { countText } from './count-tokens.ts';
import { replyEvents } from './reply-events.ts';
import { sealValue } from './seals.ts';

const text = (said: string): Part => ({ kind: 'text', text: said });
const user = (...parts: (string | Part)[]): Turn => ({
  role: 'user',
  parts: parts.map((part) => (typeof part === 'string' ? text(part) : part)),
});
const assistant = (...parts: (string | Part)[]): Turn => ({ ...user(...parts), role: 'assistant' });
const asking = (turns: string | readonly Turn[], more: Partial<ChatRequest> = {}): ChatRequest => ({
  model: 'chat',
  instructions: [],
  turns: typeof turns === 'string' ? [user(turns)] : turns,
  tools: [],
  stream: false,
  ...more,
});

function ways(more: Partial<WireWays> = {}): WireWays {
  let calls = 0;
  return {
    protocol: 'anthropic-messages',
    sealOn: 'reasoning',
    sealForm: 'bare',
    replyId: 'r1',
    newCallId: () => `call_${++calls}`,
    now: 1_800_000_000,
    ...more,
  };
}

const CHAT = behaviourOf('chat') as Behaviour;
const ECHO = behaviourOf('echo') as Behaviour;
const act = (request: ChatRequest, behaviour = CHAT, more: Partial<WireWays> = {}): Performance => perform(request, behaviour, ways(more));
const answer = (turns: string | readonly Turn[], more: Partial<ChatRequest> = {}): Reply => act(asking(turns, more)).reply;
const said = (reply: Reply): string => reply.parts.flatMap((part) => (part.kind === 'text' ? [part.text] : [])).join('');
const callsIn = (reply: Reply): readonly ToolCallPart[] => reply.parts.filter((part) => part.kind === 'tool-call');

const weather: FunctionTool = {
  kind: 'function',
  name: 'get_weather',
  description: 'Get the current weather for a city',
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
};
const email: FunctionTool = {
  kind: 'function',
  name: 'send_email',
  description: 'Send an email to somebody',
  parameters: {
    type: 'object',
    properties: { to: { type: 'string', format: 'email' }, body: { type: 'string' } },
    required: ['to', 'body'],
  },
};

describe('echo', () => {
  it.each<[name: string, turns: readonly Turn[], expected: string]>([
    ['the last user text', [user('one'), assistant('two'), user('three')], 'three'],
    ['several texts of one turn', [user('a', 'b')], 'a\nb'],
    ['exactly, spaces and directives too', [user('  [[fail]] 你好 \n')], '  [[fail]] 你好 \n'],
    [
      'an earlier turn when the last has no text',
      [user('first'), assistant('x'), user({ kind: 'media', media: 'image', source: { type: 'url', url: 'https://a.example/b.png' } })],
      'first',
    ],
    [
      'the result of a tool when there is no text at all',
      [user({ kind: 'tool-result', callId: 'c', content: [text('42')], isError: false })],
      '42',
    ],
  ])('%s', (_name, turns, expected) => {
    const { reply, behaviour } = act(asking(turns), ECHO);
    expect(said(reply)).toBe(expected);
    expect(behaviour).toBe(ECHO);
  });
});

describe('what is said', () => {
  it.each<[prompt: string, pattern: RegExp]>([
    ['你好,最近怎么样?', /我很好/],
    ['你好!', /^你好/],
    ['Hello!', /^Hello/],
    ['写一首关于秋天的短诗。', /^[\p{Script=Han}，。\n]+$/u],
    ['你好,能帮我写一首关于春天的诗吗?', /东风/],
    ['Write a poem about spring', /brook/],
    ['请用三句话总结函数式编程的核心思想。', /纯函数/],
    ['它和 Java 有什么关系?', /没有直接关系/],
    ['What is 12 * 7?', /= 84$/],
    ['3.5 + 4 等于多少？', /= 7\.5$/],
    ['Count to 5', /^1 2 3 4 5$/],
    ['从 3 数到 6', /^3 4 5 6$/],
    ['ping', /^pong$/],
    ['Say hello world.', /^hello world$/],
    ['Reply with exactly: pong', /^pong$/],
    ['请说“收到”', /^收到$/],
    ['Who are you?', /sandbox model/],
    ['你是谁?', /沙箱/],
    ['Why do cats purr?', /I read: "Why do cats purr\?"/],
    ['为什么天是蓝的？', /收到：“为什么天是蓝的？”/],
    ['My name is Ada Lovelace.', /Ada Lovelace/],
    ['[[say just this]]', /^just this$/],
    ['[[words 3]]', /^word1 word2 word3$/],
    ['', /listening/],
  ])('%s', (prompt, pattern) => expect(said(answer(prompt))).toMatch(pattern));

  const before = [user('My name is Ada and I like bees'), assistant('Hello'), user('And tea'), assistant('Good')];
  const chinese = [user('我叫小明，今年八岁'), assistant('你好')];
  it.each<[name: string, turns: readonly Turn[], expected: string]>([
    ['the last message', [...before, user('What did I just say?')], 'You said: "And tea"'],
    [
      'the first message',
      [...before, user('What was my first message?')],
      'The first thing you said was: "My name is Ada and I like bees"',
    ],
    ['a name', [...before, user("What's my name?")], 'Your name is Ada.'],
    ['the last message in Chinese', [...chinese, user('我刚才说了什么？')], '你刚才说的是：“我叫小明，今年八岁”'],
    ['a name in the same turn', [user('My name is Ada'), user('What is my name?')], 'Your name is Ada.'],
    ['a name that was not told', [user('我叫什么名字？')], '你还没有告诉我你的名字。'],
    ['a name in Chinese', [...chinese, user('我叫什么名字？')], '你叫小明。'],
    ['nothing, when there was nothing', [user('What did I say?')], 'You have not said anything before this.'],
  ])('remembers %s', (_name, turns, expected) => expect(said(answer(turns))).toBe(expected));

  it('answers in the language of the instructions when the prompt has none', () => {
    expect(said(answer('???', { instructions: [text('你是一名乐于助人的助手。')] }))).toMatch(/收到/);
  });

  it('gives different poems for n answers, at most eight', () => {
    const reply = answer('Write a poem about autumn', { n: 3 });
    expect(reply.others).toHaveLength(2);
    expect(reply.others?.[0]?.parts).not.toEqual(reply.parts);
    expect(reply.others?.[1]?.parts).toEqual(reply.parts);
    expect(answer('hi', { n: 100 }).others).toHaveLength(7);
  });
});

describe('files', () => {
  const png = 'iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAIAAAASFvFNAAAADklEQVR4nGNgYGCAYwAADgADAUCBOgAAAABJRU5ErkJggg==';
  const image = (more: Partial<MediaPart> = {}): MediaPart => ({
    kind: 'media',
    media: 'image',
    mediaType: 'image/png',
    source: { type: 'base64', data: png },
    ...more,
  });
  it.each<[name: string, part: MediaPart, expected: string]>([
    ['a PNG', image(), 'I received an image (image/png, PNG, 3×2, 70 bytes).'],
    [
      'an address',
      image({ source: { type: 'url', url: 'https://a.example/b.png' } }),
      'I received an image (image/png, URL https://a.example/b.png).',
    ],
    [
      'a PDF with a name',
      {
        kind: 'media',
        media: 'document',
        mediaType: 'application/pdf',
        filename: 'a.pdf',
        source: { type: 'base64', data: Buffer.from('%PDF-1.7\n').toString('base64') },
      },
      'I received a file "a.pdf" (application/pdf, PDF 1.7, 9 bytes).',
    ],
    ['a text', { kind: 'media', media: 'document', source: { type: 'text', text: 'äö' } }, 'I received a file (4 bytes).'],
    [
      'a stored file',
      { kind: 'media', media: 'document', source: { type: 'file', id: 'file-1', by: 'openai-chat' } },
      'I received a file (id file-1).',
    ],
  ])('describes %s', (_name, part, expected) => expect(said(answer([user('What is this?', part)]))).toBe(expected));

  it('describes them in Chinese', () => {
    expect(said(answer([user('这是什么图？', image(), image())]))).toBe(
      '我收到了一张图片（image/png，PNG，3×2，70 字节）、一张图片（image/png，PNG，3×2，70 字节）。',
    );
  });
});

describe('tools', () => {
  const both = { tools: [email, weather] };
  it('calls the one that fits, with arguments from the prompt', () => {
    const reply = answer("What's the weather in Oslo?", both);
    expect(reply.parts).toEqual([{ kind: 'tool-call', id: 'call_1', name: 'get_weather', argumentsJson: '{"city":"Oslo"}' }]);
    expect(reply.stop).toEqual({ reason: 'tool-calls' });
  });

  it.each<[name: string, prompt: string, more: Partial<ChatRequest>, names: readonly string[]]>([
    ['a Chinese prompt and an English tool', '上海天气如何？', both, ['get_weather']],
    ['nothing fits', 'Hello!', both, []],
    ['none allowed', 'weather in Oslo', { ...both, toolChoice: { type: 'none' } }, []],
    ['none allowed, though the prompt orders one', '[[call get_weather]]', { ...both, toolChoice: { type: 'none' } }, []],
    ['one is required and none fits', 'Hello!', { ...both, toolChoice: { type: 'required' } }, ['send_email']],
    ['one is required and one fits', 'weather?', { ...both, toolChoice: { type: 'required' } }, ['get_weather']],
    ['one is named', 'weather?', { ...both, toolChoice: { type: 'tool', name: 'send_email' } }, ['send_email']],
    [
      'one of some is required',
      'weather?',
      { ...both, toolChoice: { type: 'allowed', mode: 'required', names: ['send_email'] } },
      ['send_email'],
    ],
    ['only some are allowed', 'weather?', { ...both, toolChoice: { type: 'allowed', mode: 'auto', names: ['send_email'] } }, []],
    ['two places, two calls', 'weather in Oslo and Rome', both, ['get_weather', 'get_weather']],
    ['two places, one call at a time', 'weather in Oslo and Rome', { ...both, parallelToolCalls: false }, ['get_weather']],
    ['as the prompt says', '[[call a {"x":1}]][[call get_weather]]', both, ['a', 'get_weather']],
    ['as the prompt says, one at a time', '[[call a {"x":1}]][[call b {}]]', { ...both, parallelToolCalls: false }, ['a']],
    [
      'tools of the provider are not called',
      'search the web',
      { tools: [{ kind: 'hosted', tool: 'web-search', name: 'web_search', native: { by: 'openai-responses', value: {} } }] },
      [],
    ],
  ])('%s', (_name, prompt, more, names) => expect(callsIn(answer(prompt, more)).map((call) => call.name)).toEqual(names));

  it('gives every call an id of its own and keeps the words of the prompt', () => {
    const calls = callsIn(answer('[[call get_weather {"city": "Bergen" }]] and [[call get_weather {"city":"Rome"}]]', both));
    expect(calls.map((call) => [call.id, call.argumentsJson])).toEqual([
      ['call_1', '{"city": "Bergen" }'],
      ['call_2', '{"city":"Rome"}'],
    ]);
  });

  it('fills what a bare order leaves open, by the schema', () => {
    expect(callsIn(answer('[[call send_email]] to ann@example.org', both))[0]?.argumentsJson).toBe(
      '{"to":"ann@example.org","body":"to ann@example.org"}',
    );
  });

  it('gives a custom tool its text and a grouped one its group', () => {
    const custom = callsIn(answer('[[call shell ls -l]]', { tools: [{ kind: 'custom', name: 'shell' }] }));
    expect(custom).toEqual([{ kind: 'tool-call', id: 'call_1', name: 'shell', argumentsJson: 'ls -l', input: 'text' }]);
    const grouped = callsIn(answer('[[call crm__find {"id":1}]]', { tools: [{ kind: 'function', name: 'find', namespace: 'crm' }] }));
    expect(grouped).toMatchObject([{ name: 'find', namespace: 'crm' }]);
  });

  const call: Part = { kind: 'tool-call', id: 'c1', name: 'get_weather', argumentsJson: '{}' };
  const result = (content: readonly Part[], isError = false): Part => ({ kind: 'tool-result', callId: 'c1', content, isError });
  it.each<[name: string, turns: readonly Turn[], expected: string]>([
    [
      'a result',
      [user('weather in Oslo?'), assistant(call), user(result([text('4 °C, rain')]))],
      'The tool get_weather answered: 4 °C, rain',
    ],
    [
      'a failure',
      [user('weather in Oslo?'), assistant(call), user(result([text('no such city')], true))],
      'The tool get_weather failed: no such city',
    ],
    ['nothing', [user('weather in Oslo?'), assistant(call), user(result([]))], 'The tool get_weather answered: nothing'],
    [
      'several, in Chinese',
      [user('天气？'), assistant(call), user(result([text('晴')]), result([text('雨')]))],
      '工具 get_weather 的结果是：晴\n工具 get_weather 的结果是：雨',
    ],
    [
      'a result beside a reminder',
      [user('weather?'), assistant(call), user(result([text('sun')]), 'weather is nice')],
      'The tool get_weather answered: sun',
    ],
  ])('uses %s', (_name, turns, expected) => expect(said(answer(turns, both))).toBe(expected));

  it('calls again after a result when it must', () => {
    const turns = [user('weather in Oslo?'), assistant(call), user(result([text('4 °C')]))];
    expect(callsIn(answer(turns, { ...both, toolChoice: { type: 'required' } }))).toHaveLength(1);
  });
});

describe('thinking', () => {
  const seal = (thought: string) => ({ by: 'anthropic-messages', maker: 'sandbox', value: sealValue(thought) });
  it.each<[name: string, prompt: string, more: Partial<ChatRequest>, thinks: boolean]>([
    ['not asked', 'hi', {}, false],
    ['an effort', 'hi', { reasoning: { effort: 'low' } }, true],
    ['a budget', 'hi', { reasoning: { budgetTokens: 2000 } }, true],
    ['switched off', 'hi', { reasoning: { enabled: false } }, false],
    ['no effort', 'hi', { reasoning: { effort: 'none' } }, false],
    ['in the prompt', '[[think]] hi', {}, true],
  ])('%s', (_name, prompt, more, thinks) => expect(answer(prompt, more).parts[0]?.kind === 'reasoning').toBe(thinks));

  it('thinks what it is told, before the answer, under its seal', () => {
    const reply = answer('[[think one two]] ping');
    expect(reply.parts).toEqual([{ kind: 'reasoning', text: 'one two', seal: seal('one two') }, text('pong')]);
    expect(reply.usage).toMatchObject({ output: countText('one two') + countText('pong'), reasoning: countText('one two') });
  });

  it('puts the seal where the wire keeps it', () => {
    const { reply } = act(asking('[[think x]] weather in Oslo', { tools: [weather] }), CHAT, { protocol: 'gemini', sealOn: 'next' });
    expect(reply.parts).toMatchObject([
      { kind: 'reasoning', text: 'x' },
      { kind: 'tool-call', seal: { by: 'gemini', maker: 'sandbox' } },
    ]);
    expect(reply.parts[0]).not.toHaveProperty('seal');
    const list = act(asking('[[think x]] hi'), CHAT, { protocol: 'openai-chat', sealForm: 'details' }).reply.parts[0];
    expect(list?.kind === 'reasoning' && JSON.parse(list.seal?.value ?? '')).toEqual([
      expect.objectContaining({ type: 'reasoning.encrypted', data: sealValue('x') }),
    ]);
    const none = act(asking('[[think x]] hi'), CHAT, { protocol: 'openai-chat', sealOn: 'nothing' }).reply;
    expect(JSON.stringify(none.parts)).not.toContain('seal');
  });

  it('knows its seals when they come back, and passes over those of others', () => {
    const thought: Part = { kind: 'reasoning', text: 'one', seal: { by: 'anthropic-messages', value: sealValue('one') } };
    const foreign: Part = { kind: 'reasoning', text: 'two', seal: { by: 'anthropic-messages', value: 'RXZlcnkgZ29vZA==' } };
    expect(said(answer([user('a'), assistant(thought, foreign, 'b'), user('[[seals]]')]))).toBe('own seals: 1, foreign seals: 1');
    const listed: Part = { kind: 'reasoning', text: 'one', seal: { by: 'openai-chat', value: sealValue('one', 'details') } };
    expect(said(answer([user('a'), assistant(listed, 'b'), user('[[seals]]')]))).toBe('own seals: 1, foreign seals: 0');
  });

  it('refuses a seal of its own that was changed', () => {
    const value = Buffer.from(Buffer.from(sealValue('one'), 'base64').toString().replace(/.$/, '!')).toString('base64');
    const thought: Part = { kind: 'reasoning', text: 'one', seal: { by: 'anthropic-messages', value } };
    expect(() => answer([user('a'), assistant(thought), user('b')])).toThrow(GatewayError);
  });
});

describe('the form of the answer', () => {
  const schema = { type: 'object', properties: { city: { type: 'string' }, days: { type: 'integer' } }, required: ['city', 'days'] };
  it('is an object when JSON is wanted', () => {
    expect(JSON.parse(said(answer('ping', { output: { type: 'json' } })))).toEqual({ answer: 'pong' });
  });
  it('keeps to a schema', () => {
    expect(JSON.parse(said(answer('A trip to Rome for 4 days', { output: { type: 'json-schema', schema } })))).toEqual({
      city: 'Rome',
      days: 4,
    });
  });
  it('takes the results of tools into it', () => {
    const turns = [
      user('plan it'),
      assistant({ kind: 'tool-call', id: 'c', name: 'f', argumentsJson: '{}' }),
      user({ kind: 'tool-result', callId: 'c', content: [text('{"city":"Turin","days":2}')], isError: false }),
    ];
    expect(JSON.parse(said(answer(turns, { output: { type: 'json-schema', schema } })))).toEqual({ city: 'Turin', days: 2 });
  });
  it('breaks it when told what to say', () => {
    expect(said(answer('[[say no JSON]]', { output: { type: 'json-schema', schema } }))).toBe('no JSON');
  });
});

describe('where the answer ends', () => {
  it.each<[name: string, prompt: string, more: Partial<ChatRequest>, expected: string, stop: object]>([
    ['at a stop sequence', '[[say one two three]]', { stop: [' three', ' two'] }, 'one', { reason: 'stop-sequence', sequence: ' two' }],
    ['not at an empty one', '[[say one]]', { stop: [''] }, 'one', { reason: 'stop' }],
    ['when the tokens are used up', '[[say one two three four]]', { maxOutputTokens: 2 }, 'one two', { reason: 'length' }],
    ['when there are no tokens', '[[say one]]', { maxOutputTokens: 0 }, '', { reason: 'length' }],
    ['by itself when they suffice', '[[say one two]]', { maxOutputTokens: 2 }, 'one two', { reason: 'stop' }],
    ['in Chinese', '[[say 一二三四五]]', { maxOutputTokens: 3 }, '一二', { reason: 'length' }],
    [
      'at the stop sequence before the limit',
      '[[say one two three]]',
      { stop: ['two'], maxOutputTokens: 100 },
      'one ',
      { reason: 'stop-sequence', sequence: 'two' },
    ],
  ])('%s', (_name, prompt, more, expected, stop) => {
    const reply = answer(prompt, more);
    expect([said(reply), reply.stop]).toEqual([expected, stop]);
  });

  it('leaves out a call that does not fit into the tokens', () => {
    const reply = answer('[[call get_weather {"city":"Oslo"}]]', { tools: [weather], maxOutputTokens: 3 });
    expect([reply.parts, reply.stop]).toEqual([[], { reason: 'length' }]);
  });

  it('refuses and filters when told to', () => {
    expect(answer('[[refuse]] x')).toMatchObject({ parts: [{ kind: 'refusal' }], stop: { reason: 'refusal' } });
    expect(answer('[[filter]] x')).toMatchObject({ parts: [], stop: { reason: 'content-filter' } });
  });
});

describe('what is told beside the answer', () => {
  it('counts the same every time, and more for more', () => {
    const one = answer('hi', { tools: [weather] });
    expect(answer('hi', { tools: [weather] })).toEqual(one);
    expect(one.usage?.input).toBeGreaterThan(answer('hi').usage?.input ?? 0);
    expect(answer('hi').usage).toEqual({ input: 5, output: countText(said(answer('hi'))) });
  });

  it('gives log probabilities when asked, one for each piece', () => {
    const [part] = answer('[[say one two]]', { logprobs: { top: 2 } }).parts;
    expect(part?.kind === 'text' && part.logprobs?.map((one) => [one.token, one.top?.length])).toEqual([
      ['one', 2],
      [' two', 2],
    ]);
    expect(answer('[[say one]]').parts[0]).not.toHaveProperty('logprobs');
  });

  it('fails as the prompt says, over what the model says', () => {
    const slow = behaviourOf('slow') as Behaviour;
    expect(act(asking('[[fail cut-after-2]] hi'), slow).behaviour).toEqual({ ...slow, trouble: { kind: 'cut', after: 2 } });
    expect(act(asking([user('[[fail]]'), assistant('x'), user('hi')])).behaviour).toEqual(CHAT);
  });
});

describe('the reply as events', () => {
  const replies: readonly [string, Reply][] = [
    ['text', answer('Write a poem about autumn')],
    ['Chinese', answer('写一首关于春天的诗')],
    ['a call with a thought', answer('[[think a b c]] weather in Oslo and Rome', { tools: [weather] })],
    ['log probabilities', answer('[[say one two three]]', { logprobs: { top: 1 } })],
    ['several answers', answer('hi', { n: 3 })],
    ['a refusal', answer('[[refuse]]')],
    ['nothing', answer('[[filter]]')],
    ['odd characters', answer('[[say  a\t\n\n👩‍👩‍👧 é\u0301 \u0000 한국어 日本語。 ]]')],
    ['one long word', answer(`[[say ${'x'.repeat(1000)}]]`)],
  ];
  it.each(replies)('are the reply again: %s', (_name, reply) => {
    const grammar = createGrammarCheck();
    const collector = createCollector();
    for (const event of replyEvents(reply)) {
      expect(grammar.next(event)).toBeUndefined();
      collector.event(event);
    }
    expect(grammar.end()).toBeUndefined();
    expect(collector.result()).toEqual({ reply, complete: true });
  });

  it('come word by word, in Chinese two by two', () => {
    const deltas = (reply: Reply) => [...replyEvents(reply)].flatMap((event) => (event.type === 'part-delta' ? [event.text] : []));
    expect(deltas(answer('[[say Hello, big world!]]'))).toEqual(['Hello,', ' big', ' world!']);
    expect(deltas(answer('[[say 你好，春天来了。]]'))).toEqual(['你好，', '春天', '来了。']);
    expect(deltas(answer('[[call f {"city":"San Francisco"}]]'))).toEqual(['{"city":"San', ' Francisco"}']);
  });
});
