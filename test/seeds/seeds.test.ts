import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MediaFetcher } from '../../src/exchange/ports.ts';
import type { ProtocolId } from '../../src/ir/index.ts';
import { startTestServer, type TestServer } from '../server.ts';
import { chatReply, chatReplyWithFingerprint } from './answer-shapes.ts';
import { corrections } from './corrections.ts';
import { aliases, type Example, examples, type Expected, PLATFORM, whole } from './examples.ts';
import { shapeProblems } from './shape.ts';
import { streamProblems } from './stream-shapes.ts';

const run = promisify(execFile);

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ models: aliases });
});
afterAll(async () => {
  expect(server.defects).toEqual([]);
  await server.close();
});

interface Answered {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

const headersOf = (example: Example): Record<string, string> => ({
  'content-type': 'application/json',
  ...(example.key === 'bearer' ? { authorization: `Bearer ${server.key}` } : { 'x-api-key': server.key }),
  ...example.headers,
});

async function byFetch(example: Example, url = server.url): Promise<Answered> {
  const response = await fetch(url + example.path, {
    method: 'POST',
    headers: headersOf(example),
    body: JSON.stringify(example.body),
  });
  return { status: response.status, contentType: response.headers.get('content-type') ?? '', body: await response.text() };
}

async function byCurl(example: Example): Promise<Answered> {
  const headers = Object.entries(headersOf(example)).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const { stdout } = await run('curl', [
    '-sS',
    '-w',
    '\n%{http_code} %{content_type}',
    '-X',
    'POST',
    server.url + example.path,
    ...headers,
    '-d',
    JSON.stringify(example.body),
  ]);
  const end = stdout.lastIndexOf('\n');
  const [status = '', ...contentType] = stdout.slice(end + 1).split(' ');
  return { status: Number(status), contentType: contentType.join(' '), body: stdout.slice(0, end) };
}

const PYTHON = `
import json, sys, requests
url, headers, body = sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3])
response = requests.post(url, headers=headers, json=body)
print(json.dumps({"status": response.status_code, "contentType": response.headers["content-type"], "body": json.dumps(response.json())}))
`;

async function byPython(example: Example): Promise<Answered> {
  const { stdout } = await run('python3', [
    '-c',
    PYTHON,
    server.url + example.path,
    JSON.stringify(headersOf(example)),
    JSON.stringify(example.body),
  ]);
  return JSON.parse(stdout) as Answered;
}

const SENDERS = { curl: byCurl, python: byPython };

/** Whether a program is there; one that is not is a skip by name. */
const has = (program: string, ...args: readonly string[]): Promise<boolean> =>
  run(program, args).then(
    () => true,
    () => false,
  );
const available = { curl: await has('curl', '--version'), python: await has('python3', '-c', 'import requests') };

function problemsOf({ expected }: Example, answer: Answered): readonly string[] {
  const status = expected.kind === 'json' ? expected.status : 200;
  if (answer.status !== status) return [`status ${answer.status}, not ${status}: ${answer.body}`];
  const type = expected.kind === 'json' || expected.kind === 'gemini-array' ? 'application/json' : 'text/event-stream';
  if (!answer.contentType.startsWith(type)) return [`content type ${answer.contentType}, not ${type}`];
  if (expected.kind === 'json') return shapeProblems(JSON.parse(answer.body), expected.shape);
  return streamProblems(expected.kind, answer.body);
}

describe.each(['000', '001', '002', '003'])('document %s', (document) => {
  for (const example of examples.filter((one) => one.document === document)) {
    const { name, shownIn } = example;
    it(`${name}`, async () => expect(problemsOf(example, await byFetch(example))).toEqual([]));
    if (shownIn && shownIn !== 'javascript')
      it.skipIf(!available[shownIn])(`${name}, by ${shownIn}`, async () => {
        expect(problemsOf(example, await SENDERS[shownIn](example))).toEqual([]);
      });
  }
});

/** The same from a provider that speaks one protocol only: for most of them the answer is then a translated one. */
const UPSTREAMS: readonly ProtocolId[] = ['openai-chat', 'openai-responses', 'anthropic-messages', 'gemini'];

/** What stands at the documents' addresses, for a provider that takes bytes only. */
const media: MediaFetcher = {
  fetch: (url) => Promise.resolve({ data: Buffer.from('%PDF-1.4'), mediaType: url.endsWith('.pdf') ? 'application/pdf' : 'image/png' }),
  check: () => Promise.resolve(),
  open: () => Promise.reject(new Error('no provider names a file here')),
};

describe.each(UPSTREAMS)('from a provider of %s', (protocol) => {
  let other: TestServer;
  beforeAll(async () => {
    const changes = {
      providers: { only: { preset: 'sandbox', protocols: [protocol] } },
      models: Object.fromEntries(Object.entries(aliases).map(([name, target]) => [name, target.replace(`${PLATFORM}/`, 'only/')])),
    };
    other = await startTestServer(changes, undefined, undefined, { media });
  });
  afterAll(async () => {
    expect(other.defects).toEqual([]);
    await other.close();
  });

  it.each(examples.filter(({ path }) => !/embed|rerank/i.test(path)))('$document: $name', async (example) => {
    const path = example.path.replace(`/${PLATFORM}/`, '/only/');
    // Only OpenAI's own chat has a fingerprint.
    const isPrinted = example.expected.kind === 'json' && example.expected.shape === chatReplyWithFingerprint;
    const expected = isPrinted ? whole(chatReply) : example.expected;
    expect(problemsOf({ ...example, expected }, await byFetch({ ...example, path }, other.url))).toEqual([]);
  });
});

describe('the types of errors that document 002 lists', () => {
  it.each([
    { type: 'invalid_request_error', model: 'sandbox/status-400', status: 400 },
    { type: 'authentication_error', model: 'sandbox/chat', status: 401, headers: { authorization: 'Bearer wrong' } },
    { type: 'not_found_error', model: 'nobody/chat', status: 404 },
    { type: 'rate_limit_error', model: 'sandbox/status-429', status: 429 },
    { type: 'api_error', model: 'sandbox/status-500', status: 502 },
    { type: 'overloaded_error', model: 'sandbox/status-503', status: 503 },
  ])('$type', async ({ type, model, status, headers }) => {
    const body = { model, messages: [{ role: 'user', content: '你好！' }] };
    const path = '/v1/chat/completions';
    const expected: Expected = { kind: 'json', status, shape: { error: { message: 'text', type: `=${type}` } } };
    const example: Example = { document: '002', name: type, path, key: 'bearer', body, expected, ...(headers ? { headers } : {}) };
    expect(problemsOf(example, await byFetch(example))).toEqual([]);
  });
});

it('lists what was corrected, for documents that have examples', () => {
  const known = new Set(examples.map((example) => example.document));
  expect(corrections.filter((correction) => !known.has(correction.document))).toEqual([]);
});
