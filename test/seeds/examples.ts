import {
  chatReply,
  chatReplyWithFingerprint,
  embeddingsReply,
  geminiEmbeddings,
  geminiReply,
  messagesReply,
  missingModel,
  rerankReply,
  responsesReply,
} from './answer-shapes.ts';
import type { Shape } from './shape.ts';

/** What an example's answer is. Streams are checked event by event, by the grammar of their protocol. */
export type Expected =
  | { readonly kind: 'json'; readonly status: number; readonly shape: Shape }
  | { readonly kind: 'chat-stream' | 'responses-stream' | 'messages-stream' | 'gemini-stream' | 'gemini-array' };

/** One example of a document: what is sent, field by field, with texts of our own, and what comes back. */
export interface Example {
  readonly document: '000' | '001' | '002' | '003';
  readonly name: string;
  readonly path: string;
  readonly key: 'bearer' | 'x-api-key';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
  readonly expected: Expected;
  /** The program that the document shows it with: it is run with that one, too. */
  readonly shownIn?: 'curl' | 'python' | 'javascript';
}

/** Models that the documents name, as aliases: the examples are run as written, the operator says what answers. */
export const aliases: Readonly<Record<string, string>> = {
  'gemini-2.5-flash': 'sandbox/chat',
  'gemini-2.5-flash-lite': 'sandbox/chat',
  'claude-3-5-sonnet-20241022': 'sandbox/chat',
  'gpt-3.5-turbo': 'sandbox/chat',
  'gemini-embedding-001': 'sandbox/embed',
  'text-embedding-ada-002': 'sandbox/embed',
  'rerank-multilingual-v2.0': 'sandbox/rerank',
};

/** A provider's name for `{platform}`. */
export const PLATFORM = 'sandbox';
/** One of its own models. */
const PLATFORM_MODEL = 'chat';

const SYSTEM = '你是一位耐心的助手。';
const GREETING = '你好，今天过得怎么样？';
const SPRING = '你好，请写一首春天的小诗。';
const AUTUMN = '请写一首秋天的小诗';
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAIAAAASFvFNAAAADklEQVR4nGNgYGCAYwAADgADAUCBOgAAAABJRU5ErkJggg==';
const PDF = Buffer.from('%PDF-1.4\n%%EOF\n').toString('base64');

/** A JSON answer of this shape. */
export const whole = (shape: Shape): Expected => ({ kind: 'json', status: 200, shape });
const ANTHROPIC = { 'anthropic-version': '2023-06-01' };

const chat000 = (stream: boolean): Example => ({
  document: '000',
  name: `chat, ${stream ? 'streamed' : 'whole'}`,
  path: '/v1/chat/completions',
  key: 'bearer',
  body: {
    model: 'gemini-2.5-flash',
    messages: [
      { role: 'system', content: SYSTEM },
      { role: 'user', content: SPRING },
    ],
    max_tokens: 100,
    temperature: 0.7,
    stream,
  },
  expected: stream ? { kind: 'chat-stream' } : whole(chatReply),
});

const gemini000 = (verb: string, expected: Expected): Example => ({
  document: '000',
  name: `Gemini ${verb}`,
  path: `/v1beta/models/gemini-2.5-flash:${verb}`,
  key: 'bearer',
  body: {
    contents: [{ role: 'user', parts: [{ text: SPRING }] }],
    generationConfig: { maxOutputTokens: 100, temperature: 0.7, topP: 0.9 },
    systemInstruction: { parts: [{ text: SYSTEM }] },
  },
  expected,
});

const document000: readonly Example[] = [
  chat000(false),
  chat000(true),
  gemini000('generateContent', whole(geminiReply)),
  gemini000('streamGenerateContent', { kind: 'gemini-array' }),
  {
    document: '000',
    name: 'Messages, streamed',
    path: '/v1/messages',
    key: 'bearer',
    body: {
      model: 'claude-3-5-sonnet-20241022',
      messages: [{ role: 'user', content: SPRING }],
      system: SYSTEM,
      max_tokens: 100,
      temperature: 0.7,
      stream: true,
    },
    expected: { kind: 'messages-stream' },
  },
];

const LITE = 'gemini-2.5-flash-lite';
const in001 = (name: string, path: string, body: Example['body'], expected: Expected): Example => ({
  document: '001',
  name,
  path,
  key: 'bearer',
  body,
  expected,
  shownIn: 'curl',
});

const document001: readonly Example[] = [
  in001('chat', '/v1/chat/completions', { model: LITE, messages: [{ role: 'user', content: GREETING }], stream: false }, whole(chatReply)),
  in001(
    'chat, streamed',
    '/v1/chat/completions',
    { model: LITE, messages: [{ role: 'user', content: AUTUMN }], stream: true },
    { kind: 'chat-stream' },
  ),
  in001('Responses', '/v1/responses', { model: LITE, input: '请用三句话介绍函数式编程。', stream: false }, whole(responsesReply)),
  in001(
    'Responses, streamed',
    '/v1/responses',
    { model: LITE, input: [{ role: 'user', content: [{ type: 'input_text', text: AUTUMN }] }], stream: true },
    { kind: 'responses-stream' },
  ),
  in001(
    'Gemini',
    `/v1beta/models/${LITE}:generateContent`,
    { contents: [{ role: 'user', parts: [{ text: GREETING }] }] },
    whole(geminiReply),
  ),
  in001(
    'Gemini, streamed',
    `/v1beta/models/${LITE}:streamGenerateContent?alt=sse`,
    { contents: [{ role: 'user', parts: [{ text: AUTUMN }] }] },
    { kind: 'gemini-stream' },
  ),
  {
    ...in001(
      'Messages',
      '/v1/messages',
      { model: LITE, max_tokens: 1024, messages: [{ role: 'user', content: GREETING }], stream: false },
      whole(messagesReply),
    ),
    key: 'x-api-key',
    headers: ANTHROPIC,
  },
  {
    ...in001(
      'Messages, streamed',
      '/v1/messages',
      { model: LITE, max_tokens: 1024, messages: [{ role: 'user', content: AUTUMN }], stream: true },
      { kind: 'messages-stream' },
    ),
    key: 'x-api-key',
    headers: ANTHROPIC,
  },
];

const chat002 = (stream: boolean): Example => ({
  document: '002',
  name: `chat with every parameter, ${stream ? 'streamed' : 'whole'}`,
  path: '/v1/chat/completions',
  key: 'bearer',
  body: {
    model: 'gpt-3.5-turbo',
    messages: [
      { role: 'system', content: SYSTEM },
      { role: 'user', content: '你好！' },
    ],
    stream,
    max_tokens: 1000,
    temperature: 0.7,
    top_p: 1.0,
    top_k: 50,
    frequency_penalty: 0.0,
    presence_penalty: 0.0,
    stop: null,
    user: 'user-7',
  },
  expected: stream ? { kind: 'chat-stream' } : whole(chatReplyWithFingerprint),
});

const usage002 = (shownIn: NonNullable<Example['shownIn']>): Example => ({
  document: '002',
  name: `chat in ${shownIn}`,
  path: '/v1/chat/completions',
  key: 'bearer',
  body: { model: 'gpt-3.5-turbo', messages: [{ role: 'user', content: '你好！' }] },
  expected: whole(chatReply),
  shownIn,
});

const document002: readonly Example[] = [
  chat002(false),
  chat002(true),
  {
    document: '002',
    name: 'the error format',
    path: '/v1/chat/completions',
    key: 'bearer',
    body: { messages: [{ role: 'user', content: '你好！' }] },
    expected: { kind: 'json', status: 400, shape: missingModel },
  },
  usage002('curl'),
  usage002('python'),
  usage002('javascript'),
];

const chat003 = (name: string, messages: readonly unknown[], more: Example['body'] = {}): Example => ({
  document: '003',
  name,
  path: `/${PLATFORM}/v1/chat/completions`,
  key: 'bearer',
  body: { messages, model: PLATFORM_MODEL, ...more },
  expected: more['stream'] === true ? { kind: 'chat-stream' } : whole(chatReply),
  shownIn: 'curl',
});

const image003 = (form: string, url: string): Example =>
  chat003(`chat with an image: ${form}`, [
    {
      role: 'user',
      content: [
        { type: 'text', text: '图里有什么？' },
        { type: 'image_url', image_url: { url } },
      ],
    },
  ]);
const file003 = (form: string, file_data: string): Example =>
  chat003(`chat with a file: ${form}`, [
    {
      role: 'user',
      content: [
        { type: 'text', text: '总结一下' },
        { type: 'file', file: { file_data } },
      ],
    },
  ]);

const document003: readonly Example[] = [
  chat003('chat', [{ role: 'user', content: GREETING }]),
  image003('an address', 'https://example.com/picture.png'),
  image003('bare base64', PNG),
  image003('a data URI', `data:image/png;base64,${PNG}`),
  file003('an address', 'https://example.com/paper.pdf'),
  file003('bare base64', PDF),
  file003('a data URI', `data:application/pdf;base64,${PDF}`),
  chat003('chat, streamed', [{ role: 'user', content: AUTUMN }], { stream: true }),
  chat003('a conversation', [
    { role: 'system', content: '你是一位编程老师' },
    { role: 'user', content: '什么是 JavaScript?' },
    { role: 'assistant', content: 'JavaScript 是一种编程语言。' },
    { role: 'user', content: '它和 Java 有什么关系？' },
  ]),
];

const gemini001 = (name: string, texts: readonly string[]): Example =>
  in001(
    name,
    '/v1beta/models/gemini-embedding-001:batchEmbedContents',
    { requests: texts.map((text) => ({ model: 'models/gemini-embedding-001', content: { parts: [{ text }] } })) },
    whole(geminiEmbeddings),
  );

const EMBEDDED = '苏州的园林';
const embeddings002 = (name: string, more: Example['body'], shownIn?: NonNullable<Example['shownIn']>): Example => ({
  document: '002',
  name,
  path: '/v1/embeddings',
  key: 'bearer',
  body: { model: 'text-embedding-ada-002', input: EMBEDDED, ...more },
  expected: whole(embeddingsReply),
  ...(shownIn ? { shownIn } : {}),
});

const vectors: readonly Example[] = [
  gemini001('embeddings of one text', ['园林是什么？']),
  gemini001('embeddings of two texts', ['园林是什么？', '苏州有哪些园林？']),
  embeddings002('embeddings', { encoding_format: 'float', dimensions: 1536, user: 'user-123' }),
  embeddings002('embeddings, shown with curl and JavaScript', {}, 'curl'),
  embeddings002('embeddings, shown with Python', {}, 'python'),
  {
    document: '002',
    name: 'rerank',
    path: '/v1/rerank',
    key: 'bearer',
    body: {
      model: 'rerank-multilingual-v2.0',
      query: '苏州有哪些园林？',
      documents: ['拙政园是苏州的园林', '长江流经上海', '苏州面很好吃'],
      top_n: 3,
      return_documents: true,
    },
    expected: whole(rerankReply),
  },
];

/** Every example of the four documents that is asked and answered in JSON; sounds, images and videos have files of their own. */
export const examples: readonly Example[] = [...document000, ...document001, ...document002, ...document003, ...vectors];
