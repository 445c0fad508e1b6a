import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../server.ts';
import { corrections } from './corrections.ts';
import { aliases, type Example, examples, notDueYet } from './examples.ts';
import { shapeProblems } from './shape.ts';
import { streamProblems } from './stream-shapes.ts';

const run = promisify(execFile);

/** Examples of endpoints that are not built yet stay in sight as skips. */
const LATER = true;

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ models: aliases });
});
afterAll(() => server.close());

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

async function byFetch(example: Example): Promise<Answered> {
  const response = await fetch(server.url + example.path, {
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

const SENDERS = { curl: byCurl, python: byPython, javascript: byFetch };
const send = (example: Example): Promise<Answered> => (SENDERS[example.shownIn ?? 'javascript'] ?? byFetch)(example);

/** Whether a program is there; one that is not is a skip by name. */
const has = (program: string, ...args: readonly string[]): Promise<boolean> =>
  run(program, args).then(
    () => true,
    () => false,
  );
const available = { curl: await has('curl', '--version'), python: await has('python3', '-c', 'import requests'), javascript: true };

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
    it.skipIf(!available[example.shownIn ?? 'javascript'])(`${example.name}`, async () => {
      expect(problemsOf(example, await send(example))).toEqual([]);
      expect(server.defects).toEqual([]);
    });
  }
  for (const later of notDueYet.filter((one) => one.document === document))
    it.skipIf(LATER)(`not due yet: ${later.name} (${later.endpoint})`, () => expect(later.endpoint).toBe('built'));
});

it('lists what was corrected, for documents that have examples', () => {
  const known = new Set(examples.map((example) => example.document));
  expect(corrections.filter((correction) => !known.has(correction.document))).toEqual([]);
});
