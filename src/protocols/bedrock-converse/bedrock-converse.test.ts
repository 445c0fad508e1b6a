import { describe, expect, it } from 'vitest';
import {
  type ChatRequest,
  createCollector,
  createGrammarCheck,
  createNotes,
  DEFAULT_FACTS,
  type FactChanges,
  type Json,
  type JsonObject,
  type Part,
  type ReplyEvent,
  type Turn,
} from '../../ir/index.ts';
import { bedrockConverse } from './index.ts';

const PNG = 'iVBORw0KGgo=';

const request = (changes: Partial<ChatRequest>): ChatRequest => ({
  model: 'm',
  instructions: [],
  turns: [{ role: 'user', parts: [{ kind: 'text', text: 'Hi' }] }],
  tools: [],
  stream: false,
  ...changes,
});

function encode(changes: Partial<ChatRequest>, facts: FactChanges = {}) {
  const notes = createNotes();
  const context = { model: 'm', facts: { ...DEFAULT_FACTS, ...bedrockConverse.facts, ...facts }, maker: 'anthropic', notes };
  const body = bedrockConverse.encodeRequest(request(changes), context);
  return { body, notes: notes.list.map((note) => `${note.field};${note.what}`) };
}

const user = (...parts: readonly Part[]): Turn => ({ role: 'user', parts });
const assistant = (...parts: readonly Part[]): Turn => ({ role: 'assistant', parts });
const text = (value: string): Part => ({ kind: 'text', text: value });
const call = (id: string, name = 'look'): Part => ({ kind: 'tool-call', id, name, argumentsJson: '{"at":1}' });
const result = (callId: string, value: string, isError = false): Part => ({ kind: 'tool-result', callId, content: [text(value)], isError });
const LOOK = {
  kind: 'function',
  name: 'look',
  description: 'Looks',
  parameters: { type: 'object', properties: { at: { type: 'integer' } } },
} as const;
const LOOK_SPEC = {
  toolSpec: { name: 'look', description: 'Looks', inputSchema: { json: { type: 'object', properties: { at: { type: 'integer' } } } } },
};
const USE = (id: string) => ({ toolUse: { toolUseId: id, name: 'look', input: { at: 1 } } });
const HI = [{ role: 'user', content: [{ text: 'Hi' }] }];

interface Row {
  readonly name: string;
  readonly request: Partial<ChatRequest>;
  readonly facts?: FactChanges;
  readonly body: JsonObject;
  readonly notes?: readonly string[];
}

const CONVERSATIONS: readonly Row[] = [
  { name: 'one message', request: {}, body: { messages: HI } },
  {
    name: 'instructions, from wherever the client had them',
    request: { instructions: [text('Be brief')], turns: [{ role: 'developer', parts: [text('Be kind')] }, user(text('Hi'))] },
    body: { system: [{ text: 'Be brief' }, { text: 'Be kind' }], messages: HI },
  },
  {
    name: 'instructions alone',
    request: { instructions: [text('Say hi')], turns: [] },
    body: { messages: [{ role: 'user', content: [{ text: 'Say hi' }] }] },
    notes: ['system;moved'],
  },
  {
    name: 'instructions in mid-conversation',
    request: { turns: [user(text('Hi')), assistant(text('Hello')), { role: 'system', parts: [text('Be brief')] }] },
    body: { messages: [...HI, { role: 'assistant', content: [{ text: 'Hello' }] }, { role: 'user', content: [{ text: 'Be brief' }] }] },
    notes: ['messages[2].role;moved'],
  },
  {
    name: 'the assistant begins',
    request: { turns: [assistant(text('Hello'))] },
    body: {
      messages: [
        { role: 'user', content: [{ text: '(The conversation begins with the assistant.)' }] },
        { role: 'assistant', content: [{ text: 'Hello' }] },
      ],
    },
    notes: ['messages;emulated'],
  },
  {
    name: 'blank text, which is refused, and neighbours of one role',
    request: { turns: [user(text(' ')), user(text('Hi')), assistant(text('')), user(text('there'))] },
    body: { messages: [{ role: 'user', content: [{ text: 'Hi' }, { text: 'there' }] }] },
  },
  {
    name: 'calls and results of one turn, also when they come in two messages and in another order',
    request: {
      turns: [
        user(text('Hi')),
        assistant(text('Looking'), call('a'), call('b')),
        user(result('b', 'B')),
        user(result('a', 'A', true)),
        user(text('So?')),
      ],
      tools: [LOOK],
    },
    body: {
      messages: [
        ...HI,
        { role: 'assistant', content: [{ text: 'Looking' }, USE('a'), USE('b')] },
        {
          role: 'user',
          content: [
            { toolResult: { toolUseId: 'a', content: [{ text: 'A' }], status: 'error' } },
            { toolResult: { toolUseId: 'b', content: [{ text: 'B' }] } },
            { text: 'So?' },
          ],
        },
      ],
      toolConfig: { tools: [LOOK_SPEC] },
    },
  },
  {
    name: 'a call without a result, and a result without a call',
    request: { turns: [user(text('Hi')), assistant(call('a')), user(result('z', 'Z'))], tools: [LOOK] },
    body: {
      messages: [
        ...HI,
        { role: 'assistant', content: [USE('a')] },
        {
          role: 'user',
          content: [
            { toolResult: { toolUseId: 'a', content: [{ text: 'There is no result of this call.' }], status: 'error' } },
            { text: 'Result of the tool call z:\nZ' },
          ],
        },
      ],
      toolConfig: { tools: [LOOK_SPEC] },
    },
    notes: ['messages;emulated', 'messages;approximated'],
  },
  {
    name: 'calls whose tools the client left out: they must be defined',
    request: { turns: [user(text('Hi')), assistant(call('a')), user(result('a', ''))] },
    body: {
      system: [{ text: 'Do not call any tool; answer in text.' }],
      messages: [
        ...HI,
        { role: 'assistant', content: [USE('a')] },
        { role: 'user', content: [{ toolResult: { toolUseId: 'a', content: [{ text: '(empty)' }] } }] },
      ],
      toolConfig: { tools: [{ toolSpec: { name: 'look', inputSchema: { json: { type: 'object', properties: {} } } } }] },
    },
    notes: ['tools;emulated'],
  },
  {
    name: 'arguments that are no object',
    request: {
      turns: [user(text('Hi')), assistant({ kind: 'tool-call', id: 'a', name: 'look', argumentsJson: '[1' }), user(result('a', 'A'))],
      tools: [LOOK],
    },
    body: {
      messages: [
        ...HI,
        { role: 'assistant', content: [{ toolUse: { toolUseId: 'a', name: 'look', input: { unparsed_arguments: '[1' } } }] },
        { role: 'user', content: [{ toolResult: { toolUseId: 'a', content: [{ text: 'A' }] } }] },
      ],
      toolConfig: { tools: [LOOK_SPEC] },
    },
  },
  {
    name: 'thinking of this maker goes back, of another not',
    request: {
      turns: [
        user(text('Hi')),
        assistant(
          { kind: 'reasoning', text: 'Hm', seal: { by: 'anthropic-messages', maker: 'anthropic', value: 'sig' } },
          { kind: 'reasoning', text: '', redacted: true, seal: { by: 'bedrock-converse', maker: 'anthropic', value: 'AAEC' } },
          { kind: 'reasoning', text: 'Ah', seal: { by: 'openai-responses', maker: 'openai', value: 'x' } },
          text('Hello'),
        ),
        user(text('So?')),
      ],
    },
    body: {
      messages: [
        ...HI,
        {
          role: 'assistant',
          content: [
            { reasoningContent: { reasoningText: { text: 'Hm', signature: 'sig' } } },
            { reasoningContent: { redactedContent: 'AAEC' } },
            { text: 'Hello' },
          ],
        },
        { role: 'user', content: [{ text: 'So?' }] },
      ],
    },
    notes: ['reasoning;dropped'],
  },
  {
    name: 'cache marks, where the model has a cache',
    request: {
      instructions: [{ kind: 'text', text: 'Long', cache: { ttl: '1h' } }],
      turns: [user({ kind: 'text', text: 'Hi', cache: {} })],
      tools: [{ ...LOOK, cache: {} }],
    },
    facts: { cacheControl: true },
    body: {
      system: [{ text: 'Long' }, { cachePoint: { type: 'default', ttl: '1h' } }],
      messages: [{ role: 'user', content: [{ text: 'Hi' }, { cachePoint: { type: 'default' } }] }],
      toolConfig: { tools: [LOOK_SPEC, { cachePoint: { type: 'default' } }] },
    },
  },
  {
    name: 'cache marks, where it has none',
    request: { turns: [user({ kind: 'text', text: 'Hi', cache: {} })] },
    body: { messages: HI },
    notes: ['cache_control;dropped'],
  },
];

const MEDIA: readonly Row[] = [
  {
    name: 'an image, whose type shows in its bytes',
    request: { turns: [user({ kind: 'media', media: 'image', source: { type: 'base64', data: PNG } })] },
    body: { messages: [{ role: 'user', content: [{ image: { format: 'png', source: { bytes: PNG } } }] }] },
  },
  {
    name: 'an image in its address',
    request: { turns: [user({ kind: 'media', media: 'image', source: { type: 'url', url: 'data:image/webp;base64,UklGRg==' } })] },
    body: { messages: [{ role: 'user', content: [{ image: { format: 'webp', source: { bytes: 'UklGRg==' } } }] }] },
  },
  {
    name: 'a document, which needs a plain name and a text beside it',
    request: {
      turns: [
        user({
          kind: 'media',
          media: 'document',
          mediaType: 'application/pdf',
          filename: 'Q3 — report__v2.final.pdf',
          source: { type: 'base64', data: 'JVBERi0=' },
        }),
      ],
    },
    body: {
      messages: [
        {
          role: 'user',
          content: [
            { document: { format: 'pdf', name: 'Q3 report v2 final', source: { bytes: 'JVBERi0=' } } },
            { text: 'See the document.' },
          ],
        },
      ],
    },
  },
  {
    name: 'a text as a document',
    request: {
      turns: [
        user({ kind: 'media', media: 'document', mediaType: 'application/json', source: { type: 'text', text: '{}' } }, text('What?')),
      ],
    },
    body: {
      messages: [
        { role: 'user', content: [{ document: { format: 'txt', name: 'document', source: { bytes: 'e30=' } } }, { text: 'What?' }] },
      ],
    },
  },
  {
    name: 'an image in a tool result, where the model takes none there',
    request: {
      turns: [
        user(text('Hi')),
        assistant(call('a')),
        user({
          kind: 'tool-result',
          callId: 'a',
          isError: false,
          content: [text('Seen'), { kind: 'media', media: 'image', mediaType: 'image/png', source: { type: 'base64', data: PNG } }],
        }),
      ],
      tools: [LOOK],
    },
    facts: { mediaInToolResults: false },
    body: {
      messages: [
        ...HI,
        { role: 'assistant', content: [USE('a')] },
        {
          role: 'user',
          content: [{ toolResult: { toolUseId: 'a', content: [{ text: 'Seen' }] } }, { image: { format: 'png', source: { bytes: PNG } } }],
        },
      ],
      toolConfig: { tools: [LOOK_SPEC] },
    },
    notes: ['messages;moved'],
  },
];

const tooled = (changes: Partial<ChatRequest>): Partial<ChatRequest> => ({ tools: [LOOK], ...changes });
const toolBody = (more: JsonObject = {}, rest: JsonObject = {}): JsonObject => ({
  messages: HI,
  toolConfig: { tools: [LOOK_SPEC], ...more },
  ...rest,
});

const TOOLS: readonly Row[] = [
  { name: 'the model decides', request: tooled({ toolChoice: { type: 'auto' } }), body: toolBody() },
  { name: 'some tool', request: tooled({ toolChoice: { type: 'required' } }), body: toolBody({ toolChoice: { any: {} } }) },
  {
    name: 'this tool',
    request: tooled({ toolChoice: { type: 'tool', name: 'look' } }),
    body: toolBody({ toolChoice: { tool: { name: 'look' } } }),
  },
  { name: 'no tool', request: tooled({ toolChoice: { type: 'none' } }), body: { messages: HI } },
  {
    name: 'some tool, of a model that cannot be made to',
    request: tooled({ toolChoice: { type: 'required' } }),
    facts: { forcedToolChoice: false },
    body: toolBody({}, { system: [{ text: 'Answer by calling one of the tools; do not answer in text alone.' }] }),
    notes: ['tool_choice;emulated'],
  },
  {
    name: 'some of the tools',
    request: { tools: [LOOK, { ...LOOK, name: 'hear' }], toolChoice: { type: 'allowed', mode: 'required', names: ['look'] } },
    body: toolBody({ toolChoice: { any: {} } }),
    notes: ['tool_choice;emulated'],
  },
  {
    name: 'one tool at a time',
    request: tooled({ parallelToolCalls: false }),
    body: toolBody(),
    notes: ['parallel_tool_calls;dropped'],
  },
  {
    name: 'a name that the wire does not take, and no description',
    request: { tools: [{ kind: 'function', name: 'a.b', description: '' }] },
    body: {
      messages: HI,
      toolConfig: {
        tools: [
          {
            toolSpec: {
              name: expect.stringMatching(/^a_b_\w{8}$/) as unknown as string,
              inputSchema: { json: { type: 'object', properties: {} } },
            },
          },
        ],
      },
    },
  },
  {
    name: 'a tool of free text',
    request: { tools: [{ kind: 'custom', name: 'sh' }] },
    body: {
      messages: HI,
      toolConfig: {
        tools: [
          {
            toolSpec: {
              name: 'sh',
              inputSchema: { json: { type: 'object', properties: { input: { type: 'string' } }, required: ['input'] } },
            },
          },
        ],
      },
    },
    notes: ['tools.sh;emulated'],
  },
  {
    name: 'a strict tool, where tools are held to their schema',
    request: { tools: [{ ...LOOK, strict: true }] },
    facts: { strictTools: true },
    body: { messages: HI, toolConfig: { tools: [{ toolSpec: { ...LOOK_SPEC.toolSpec, strict: true } }] } },
  },
];

const inference = (more: JsonObject): JsonObject => ({ messages: HI, inferenceConfig: more });
const additional = (more: JsonObject, rest: JsonObject = {}): JsonObject => ({ messages: HI, ...rest, additionalModelRequestFields: more });

const PARAMETERS: readonly Row[] = [
  {
    name: 'what all models share',
    request: { maxOutputTokens: 100, temperature: 0.5, topP: 0.9, stop: ['END', ''] },
    body: inference({ maxTokens: 100, temperature: 0.5, topP: 0.9, stopSequences: ['END'] }),
  },
  {
    name: 'a temperature above the highest',
    request: { temperature: 1.5 },
    body: inference({ temperature: 1 }),
    notes: ['temperature;approximated'],
  },
  {
    name: 'temperature and top_p, of a model that takes one of them',
    request: { temperature: 0.5, topP: 0.9 },
    facts: { temperatureWithTopP: false },
    body: inference({ temperature: 0.5 }),
    notes: ['top_p;dropped'],
  },
  { name: 'top_k, of a model that takes it', request: { topK: 5 }, facts: { topK: true }, body: additional({ top_k: 5 }) },
  { name: 'top_k, of another', request: { topK: 5 }, body: { messages: HI }, notes: ['top_k;dropped'] },
  {
    name: 'sampling, of a model that takes none',
    request: { temperature: 0.2, topP: 0.9, topK: 3 },
    facts: { sampling: false },
    body: { messages: HI },
    notes: ['temperature;dropped', 'top_p;dropped', 'top_k;dropped'],
  },
  {
    name: 'what it has no word for',
    request: { seed: 1, frequencyPenalty: 1, presencePenalty: 1, logprobs: {}, user: 'u', promptCacheKey: 'k', verbosity: 'low' },
    body: { messages: HI },
    notes: [
      'seed;dropped',
      'frequency_penalty;dropped',
      'presence_penalty;dropped',
      'logprobs;dropped',
      'verbosity;dropped',
      'prompt_cache_key;dropped',
      'user;dropped',
    ],
  },
  {
    name: 'metadata, as far as it fits',
    request: { metadata: { team: 'a', long: 'x'.repeat(300), n: 1 } },
    body: { messages: HI, requestMetadata: { team: 'a' } },
    notes: ['metadata;dropped'],
  },
  { name: 'a tier', request: { serviceTier: 'priority' }, body: { messages: HI, serviceTier: { type: 'priority' } } },
  {
    name: 'a schema, of a model that is held to it',
    request: { output: { type: 'json-schema', schema: { type: 'object' }, name: 'a' } },
    facts: { output: 'json-schema' },
    body: {
      messages: HI,
      outputConfig: { textFormat: { type: 'json_schema', structure: { jsonSchema: { schema: '{"type":"object"}', name: 'a' } } } },
    },
  },
  {
    name: 'JSON, of a model that can only be asked',
    request: { output: { type: 'json' } },
    body: { system: [{ text: 'Answer with one JSON object only, without any text or code fence around it.' }], messages: HI },
    notes: ['response_format;emulated'],
  },
  {
    name: 'a budget to think',
    request: { reasoning: { effort: 'medium' }, maxOutputTokens: 4000, temperature: 0.5 },
    facts: { reasoningControl: 'budget', efforts: ['none', 'low'] },
    body: additional({ thinking: { type: 'enabled', budget_tokens: 2976 } }, { inferenceConfig: { maxTokens: 4000 } }),
    notes: ['temperature;dropped'],
  },
  {
    name: 'a budget without a maximum, which grows',
    request: { reasoning: { budgetTokens: 2000 } },
    facts: { reasoningControl: 'budget', defaultMaxTokens: 8000 },
    body: additional({ thinking: { type: 'enabled', budget_tokens: 2000 } }, { inferenceConfig: { maxTokens: 10_000 } }),
  },
  {
    name: 'no room to think',
    request: { reasoning: { budgetTokens: 2000 }, maxOutputTokens: 500 },
    facts: { reasoningControl: 'budget' },
    body: inference({ maxTokens: 500 }),
    notes: ['reasoning;dropped'],
  },
  {
    name: 'adaptive thinking',
    request: { reasoning: { effort: 'minimal' } },
    facts: { reasoningControl: 'adaptive', efforts: ['low', 'high'] },
    body: additional({ thinking: { type: 'adaptive' }, output_config: { effort: 'low' } }),
    notes: ['reasoning.effort;approximated'],
  },
  {
    name: 'thinking off, where it can be',
    request: { reasoning: { enabled: false } },
    facts: { reasoningControl: 'adaptive', efforts: ['none', 'low'] },
    body: additional({ thinking: { type: 'disabled' } }),
  },
  {
    name: 'thinking off, where it cannot',
    request: { reasoning: { effort: 'none' } },
    facts: { reasoningControl: 'adaptive', efforts: ['low', 'high'] },
    body: additional({ output_config: { effort: 'low' } }),
    notes: ['reasoning.effort;approximated'],
  },
  {
    name: 'a level',
    request: { reasoning: { effort: 'high' } },
    facts: { reasoningControl: 'level', efforts: ['none', 'low', 'medium', 'high'] },
    body: additional({ reasoningConfig: { type: 'enabled', maxReasoningEffort: 'high' } }),
  },
  {
    name: 'an effort',
    request: { reasoning: { effort: 'xhigh' } },
    facts: { reasoningControl: 'effort', efforts: ['low', 'high'] },
    body: additional({ reasoning_effort: 'high' }),
    notes: ['reasoning.effort;approximated'],
  },
  {
    name: 'thinking, of a model that does not',
    request: { reasoning: { effort: 'high' } },
    body: { messages: HI },
    notes: ['reasoning;dropped'],
  },
];

describe('a request of Converse', () => {
  it.each([...CONVERSATIONS, ...MEDIA, ...TOOLS, ...PARAMETERS])('$name', ({ request: changes, facts, body, notes = [] }) => {
    const encoded = encode(changes, facts);
    expect(encoded.body).toEqual(body);
    expect(encoded.notes).toEqual(notes);
  });

  it.each([
    { name: 'a file that another keeps', part: { kind: 'media', media: 'image', source: { type: 'file', id: 'f', by: 'openai-chat' } } },
    { name: 'an address that nobody fetched', part: { kind: 'media', media: 'image', source: { type: 'url', url: 'https://x/y.png' } } },
    { name: 'audio', part: { kind: 'media', media: 'audio', mediaType: 'audio/wav', source: { type: 'base64', data: 'AA==' } } },
    {
      name: 'an image of another type',
      part: { kind: 'media', media: 'image', mediaType: 'image/tiff', source: { type: 'base64', data: 'AA==' } },
    },
  ] as { name: string; part: Part }[])('is refused for $name, never sent without it', ({ part }) => {
    expect(() => encode({ turns: [user(part)] })).toThrow('cannot be sent to this model');
  });

  it('is refused for a tool that the provider would have to run', () => {
    const tool = { kind: 'hosted', tool: 'web-search', name: 'web_search', native: { by: 'anthropic-messages', value: {} } } as const;
    expect(() => encode({ tools: [tool] })).toThrow("no tool of its own like 'web_search'");
  });

  it('names the model in the path, whatever is in its id', () => {
    expect(bedrockConverse.path('us.anthropic.claude-v1:0', false)).toBe('/model/us.anthropic.claude-v1%3A0/converse');
    expect(bedrockConverse.path('arn:aws:bedrock:us-east-1:1:inference-profile/a', true)).toBe(
      '/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fa/converse-stream',
    );
  });
});

const source = () => {
  let made = 0;
  return { maker: 'anthropic', newId: (prefix: string) => `${prefix}${++made}` };
};

function stream(
  frames: readonly (readonly [string, Json])[],
  cut?: Parameters<ReturnType<typeof bedrockConverse.streamDecoder>['end']>[1],
) {
  const decoder = bedrockConverse.streamDecoder(source());
  const events: ReplyEvent[] = [];
  const grammar = createGrammarCheck();
  const emit = (event: ReplyEvent): void => {
    expect(grammar.next(event)).toBeUndefined();
    events.push(event);
  };
  for (const [event, data] of frames) decoder.frame({ event, data: JSON.stringify(data) }, emit);
  const isDone = decoder.isDone();
  decoder.end(emit, cut);
  expect(grammar.end()).toBeUndefined();
  const collector = createCollector();
  for (const event of events) collector.event(event);
  return { events, isDone, ...collector.result() };
}

const USAGE = {
  inputTokens: 10,
  outputTokens: 20,
  totalTokens: 130,
  cacheReadInputTokens: 60,
  cacheWriteInputTokens: 40,
  cacheDetails: [{ ttl: '1h', inputTokens: 30 }],
};
const REPLY = {
  output: {
    message: {
      role: 'assistant',
      content: [
        { reasoningContent: { reasoningText: { text: 'Hm, let me look', signature: 'sig' } } },
        { reasoningContent: { redactedContent: 'AAECAw==' } },
        { text: 'Looking.' },
        { toolUse: { toolUseId: 'tooluse_a', name: 'look', input: { at: 1 } } },
      ],
    },
  },
  stopReason: 'tool_use',
  usage: USAGE,
};
const FRAMES: readonly (readonly [string, Json])[] = [
  ['messageStart', { role: 'assistant', p: 'abc' }],
  ['contentBlockDelta', { contentBlockIndex: 0, delta: { reasoningContent: { text: 'Hm, let' } } }],
  ['contentBlockDelta', { contentBlockIndex: 0, delta: { reasoningContent: { text: ' me look' } } }],
  ['contentBlockDelta', { contentBlockIndex: 0, delta: { reasoningContent: { signature: 'sig' } } }],
  ['contentBlockStop', { contentBlockIndex: 0 }],
  ['contentBlockDelta', { contentBlockIndex: 1, delta: { reasoningContent: { redactedContent: 'AAECAw==' } } }],
  ['contentBlockStop', { contentBlockIndex: 1 }],
  ['contentBlockDelta', { contentBlockIndex: 2, delta: { text: 'Look' } }],
  ['contentBlockDelta', { contentBlockIndex: 2, delta: { text: 'ing.' } }],
  ['contentBlockStop', { contentBlockIndex: 2 }],
  ['contentBlockStart', { contentBlockIndex: 3, start: { toolUse: { toolUseId: 'tooluse_a', name: 'look' } } }],
  ['contentBlockDelta', { contentBlockIndex: 3, delta: { toolUse: { input: '{"at"' } } }],
  ['contentBlockDelta', { contentBlockIndex: 3, delta: { toolUse: { input: ':1}' } } }],
  ['contentBlockStop', { contentBlockIndex: 3 }],
  ['messageStop', { stopReason: 'tool_use' }],
  ['metadata', { usage: USAGE, metrics: { latencyMs: 3 } }],
];

describe('a reply of Converse', () => {
  const whole = bedrockConverse.decodeReply(REPLY, source());

  it('is read with thinking, its seals, text, calls, stop and all tokens', () => {
    expect(whole).toEqual({
      id: 'msg_1',
      model: '',
      parts: [
        { kind: 'reasoning', text: 'Hm, let me look', seal: { by: 'anthropic-messages', maker: 'anthropic', value: 'sig' } },
        { kind: 'reasoning', text: '', redacted: true, seal: { by: 'bedrock-converse', maker: 'anthropic', value: 'AAECAw==' } },
        { kind: 'text', text: 'Looking.' },
        { kind: 'tool-call', id: 'tooluse_a', name: 'look', argumentsJson: '{"at":1}' },
      ],
      stop: { reason: 'tool-calls', raw: 'tool_use' },
      usage: { input: 110, output: 20, cacheRead: 60, cacheWrite: 40, cacheWrite1h: 30, native: { by: 'bedrock-converse', value: USAGE } },
    });
  });

  it('says the same as a stream', () => {
    const streamed = stream(FRAMES);
    expect(streamed.reply).toEqual(whole);
    expect(streamed.isDone).toBe(true);
  });

  it('is whole once its stop has come: only the count may be missing', () => {
    expect(stream(FRAMES.slice(0, -1))).toMatchObject({ isDone: false, complete: true, reply: { parts: whole.parts, stop: whole.stop } });
  });

  it('is broken when it ends before, at every place', () => {
    for (let end = 0; end < FRAMES.length - 2; end++) {
      expect(stream(FRAMES.slice(0, end)).fault).toMatchObject({ code: 'stream_ended_early' });
    }
  });

  it('keeps the fault that cut it', () => {
    const cut = { kind: 'upstream', status: 502, message: 'cut', by: 'upstream' } as const;
    expect(stream(FRAMES.slice(0, -1), cut).fault).toEqual(cut);
  });

  it.each([
    ['end_turn', 'stop'],
    ['max_tokens', 'length'],
    ['stop_sequence', 'stop-sequence'],
    ['guardrail_intervened', 'content-filter'],
    ['content_filtered', 'content-filter'],
    ['malformed_tool_use', 'malformed-tool-call'],
    ['model_context_window_exceeded', 'context-exceeded'],
    ['something_new', 'other'],
  ])('ends with %s, which means %s', (raw, reason) => {
    expect(bedrockConverse.decodeReply({ output: { message: { content: [] } }, stopReason: raw }, source()).stop).toEqual({ reason, raw });
  });

  it('ends with an exception in mid-stream', () => {
    const exception = { type: 'error', error: { type: 'throttlingException', message: 'Too many tokens' } };
    expect(stream([...FRAMES.slice(0, 3), ['exception', exception]]).fault).toEqual({
      kind: 'rate_limit',
      status: 429,
      message: 'Too many tokens',
      by: 'upstream',
      rawType: 'throttlingException',
    });
  });

  it('reads citations, images and what it does not know', () => {
    const content = [
      {
        citationsContent: {
          content: [{ text: 'The arch is old.' }],
          citations: [{ title: 'Arch', location: { web: { url: 'https://x' } }, sourceContent: [{ text: 'old' }] }],
        },
      },
      { image: { format: 'png', source: { bytes: PNG } } },
      { somethingNew: { a: 1 } },
    ];
    expect(bedrockConverse.decodeReply({ output: { message: { content } }, stopReason: 'end_turn' }, source()).parts).toMatchObject([
      { kind: 'text', text: 'The arch is old.', citations: [{ url: 'https://x', title: 'Arch', quote: 'old' }] },
      { kind: 'media', media: 'image', mediaType: 'image/png', source: { type: 'base64', data: PNG } },
      { kind: 'native', by: 'bedrock-converse', value: { somethingNew: { a: 1 } } },
    ]);
  });

  it('is a fault when it is none', () => {
    expect(() => bedrockConverse.decodeReply({ Message: 'Out of luck' }, source())).toThrow('Out of luck');
  });
});

describe('an error of Bedrock', () => {
  it.each([
    {
      name: 'a message',
      status: 400,
      body: '{"message":"The provided model identifier is invalid."}',
      kind: 'bad_request',
      message: 'The provided model identifier is invalid.',
    },
    { name: 'a capital letter', status: 403, body: '{"Message":"No access"}', kind: 'permission', message: 'No access' },
    {
      name: 'a name that says more than its status',
      status: 400,
      body: '{"__type":"com.amazon.coral.service#ThrottlingException","message":"Slow down"}',
      kind: 'rate_limit',
      message: 'Slow down',
    },
    {
      name: 'a page',
      status: 503,
      body: '<html>busy</html>',
      kind: 'overloaded',
      message: 'The upstream answered with status 503 and no message',
    },
    { name: 'nothing', status: 429, body: '', kind: 'rate_limit', message: 'The upstream answered with status 429 and no message' },
  ])('$name', ({ status, body, kind, message }) => {
    expect(bedrockConverse.decodeFault(status, body)).toMatchObject({ kind, status, message, by: 'upstream' });
  });
});
