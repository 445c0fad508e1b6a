import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, bytes, cutStream, json, stream } from '../fakes/upstream.ts';
import { type Dialect, PAIRS, TEXT, WORDS } from './dialects.ts';
import { ask, setStage, type Stage, told } from './stage.ts';

let stage: Stage;
const FAST = { connect: 1000, headers: 120, firstToken: 240, idle: 120, total: 2000 };
let fast: Stage;
beforeAll(async () => {
  stage = await setStage();
  fast = await setStage({}, {}, FAST);
});
afterAll(async () => {
  // Settled once: whatever happened to a call, it has one record.
  for (let i = 0; i < 100 && stage.server.records.length < stage.asked; i++) await new Promise((resolve) => setImmediate(resolve));
  expect([stage.server.records.length, fast.server.records.length]).toEqual([stage.asked, fast.asked]);
  await stage.close();
  await fast.close();
});

const html: Answer = (_request, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>hello</html>');
const asType =
  (type: string, text: string): Answer =>
  (_request, response) =>
    void response.writeHead(200, { 'content-type': type }).end(text);
const silent: Answer = () => {};

interface Row {
  readonly name: string;
  readonly answer: (upstream: Dialect) => Answer;
  readonly status: number;
  /** Anthropic's own status, where it differs. */
  readonly anthropic?: number;
  readonly message?: string | RegExp;
  readonly only?: 'stream' | 'whole';
  readonly waits?: string;
  readonly fast?: boolean;
}

const refusal =
  (status: number, message = 'no such thing'): ((upstream: Dialect) => Answer) =>
  (upstream) =>
    json(upstream.error(status, message), status);

/** What happens before the client has seen anything: a status, in the client's envelope. */
const BEFORE: readonly Row[] = [
  { name: '400', answer: refusal(400), status: 400, message: 'no such thing' },
  { name: '401', answer: refusal(401, 'bad key up-secret'), status: 502, message: /refused the gateway's credential/ },
  { name: '402', answer: refusal(402), status: 502, message: /credential/ },
  { name: '403', answer: refusal(403), status: 502, message: /credential/ },
  { name: '404', answer: refusal(404), status: 404, message: 'no such thing' },
  { name: '413', answer: refusal(413), status: 413, message: 'no such thing' },
  { name: '422', answer: refusal(422), status: 422, message: 'no such thing' },
  {
    name: '429',
    answer: (upstream) => json(upstream.error(429, 'slow down'), 429, { 'retry-after': '7' }),
    status: 429,
    message: 'slow down',
    waits: '7',
  },
  { name: '500', answer: refusal(500), status: 502 },
  { name: '502 with a page', answer: () => asStatus(502, '<html>Bad gateway at 10.1.2.3</html>'), status: 502, message: /^(?!.*10\.1)/ },
  { name: '503', answer: refusal(503), status: 503, anthropic: 529 },
  { name: '529', answer: refusal(529), status: 503, anthropic: 529 },
  { name: '504', answer: refusal(504), status: 504 },
  {
    name: 'a redirect',
    answer: () => (_request, response) => void response.writeHead(307, { location: 'http://169.254.169.254/' }).end(),
    status: 502,
    message: /redirect/,
  },
  { name: 'a page', answer: () => html, status: 502, message: /text\/html/ },
  { name: 'an empty body', answer: () => asType('application/json', ''), status: 502, message: /empty/ },
  { name: 'an empty stream', answer: () => asType('text/event-stream', ''), status: 502 },
  { name: 'a stream of comments', answer: () => asType('text/event-stream', ': hello\n\n: hello\n\n'), status: 502 },
  { name: 'a bare last word', answer: () => asType('text/event-stream', 'data: [DONE]\n\n'), status: 502, only: 'stream' },
  { name: 'an error in a 200', answer: (upstream) => json(upstream.error(429, 'slow down')), status: 429, message: 'slow down' },
  { name: 'an error as the first event', answer: (upstream) => stream([upstream.errorEvent]), status: 502, message: 'it broke' },
  { name: 'no JSON', answer: () => asType('application/json', 'oops'), status: 502 },
  { name: 'half JSON', answer: (upstream) => asType('application/json', JSON.stringify(upstream.whole).slice(0, -20)), status: 502 },
  { name: 'a list', answer: () => asType('application/json', '[]'), status: 502 },
  {
    name: 'an encoding that nobody knows',
    answer: () => (_r, to) => void to.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'lzma' }).end('xx'),
    status: 502,
  },
  {
    name: 'a damaged gzip',
    answer: () => (_r, to) =>
      void to.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(gzipSync('{"a":1}').subarray(0, 12)),
    status: 502,
  },
  { name: 'no HTTP', answer: () => bytes('what do you want\r\n\r\n'), status: 502 },
  {
    name: 'another protocol',
    answer: () => bytes('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'),
    status: 502,
  },
  { name: 'no content', answer: () => (_request, response) => void response.writeHead(204).end(), status: 502 },
  { name: 'a closed connection', answer: () => bytes(''), status: 502 },
  { name: 'two lengths', answer: () => bytes('HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}'), status: 502 },
  {
    name: 'a body that is cut',
    answer: () => bytes('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 200\r\n\r\n{"a":'),
    status: 502,
  },
  { name: 'silence', answer: () => silent, status: 504, fast: true },
  {
    name: 'headers and silence',
    answer: () => (_r, to) => to.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders(),
    status: 504,
    fast: true,
  },
  {
    name: 'comments and no first token',
    answer: () => (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const timer = setInterval(() => response.write(': wait\n\n'), 50);
      response.on('close', () => clearInterval(timer));
    },
    status: 504,
    only: 'stream',
    fast: true,
  },
];

function asStatus(status: number, page: string): Answer {
  return (_request, response) => void response.writeHead(status, { 'content-type': 'text/html' }).end(page);
}

describe.each(PAIRS)('$name: nothing was sent yet', ({ client, upstream }) => {
  const rows = BEFORE.flatMap((row) =>
    (['whole', 'stream'] as const)
      .filter((form) => (row.only ?? form) === form)
      .map((form) => ({ ...row, form, title: `${row.name}, ${form}` })),
  );
  it.each(rows)('$title', async ({ answer, status, anthropic, message, form, waits, fast: isFast }) => {
    const on = isFast ? fast : stage;
    on.upstream.answer = answer(upstream);
    const got = await ask(on, client, upstream, form === 'stream');
    expect(got.status, got.text).toBe(client.id === 'anthropic-messages' ? (anthropic ?? status) : status);
    expect(got.headers['content-type']).toContain('application/json');
    const said = client.envelope(JSON.parse(got.text), got.status);
    if (message !== undefined) expect(said.message).toMatch(message);
    expect(got.text).not.toContain('up-secret');
    expect(got.text).not.toContain('127.0.0.1');
    expect(got.headers['x-pailou-served-by']).toBe(`${upstream.provider}/up`);
    expect(got.headers['retry-after']).toBe(waits);
  });
});

interface Break {
  readonly name: string;
  readonly answer: (upstream: Dialect) => Answer;
  /** How many of the three texts must have come. */
  readonly texts: number;
  readonly message?: RegExp;
  readonly fast?: boolean;
}

const upTo = (upstream: Dialect, texts: number): readonly string[] => {
  const first = upstream.events.findIndex((event) => event.includes(WORDS[0]));
  return upstream.events.slice(0, first + texts);
};
const unfinished = (upstream: Dialect): readonly string[] => upstream.events.slice(0, upstream.before);
/** With the finish event, but without the last word of dialects that have one. */
const finishEvent = (upstream: Dialect): string => upstream.events[upstream.before] ?? '';
const stalled =
  (pieces: readonly string[]): Answer =>
  (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const one of pieces) response.write(one);
  };

/** What happens in mid-stream: the dialect's own error, no finish, and what had come has been told. */
const AFTER: readonly Break[] = [
  { name: 'FIN', answer: (up) => cutStream(upTo(up, 2), 'fin'), texts: 2 },
  { name: 'RST', answer: (up) => cutStream(upTo(up, 2), 'rst'), texts: 0 },
  { name: 'FIN in an event', answer: (up) => cutStream([...upTo(up, 2), upTo(up, 3).at(-1)?.slice(0, -15) ?? ''], 'fin'), texts: 2 },
  { name: 'a clean end too early', answer: (up) => stream(upTo(up, 3)), texts: 3 },
  { name: 'a clean end before the finish', answer: (up) => stream(unfinished(up)), texts: 3 },
  {
    name: 'RST right after the finish',
    answer: (up) => cutStream([...unfinished(up), up.id === 'openai-responses' ? '' : finishEvent(up)], 'rst'),
    texts: 0,
  },
  {
    name: 'FIN right after the finish',
    answer: (up) => cutStream([...unfinished(up), up.id === 'openai-responses' ? '' : finishEvent(up)], 'fin'),
    texts: 3,
  },
  { name: 'an error event', answer: (up) => stream([...upTo(up, 2), up.errorEvent]), texts: 2, message: /it broke/ },
  {
    name: 'an error event, and the connection stays open',
    answer: (up) => stalled([...upTo(up, 2), up.errorEvent]),
    texts: 2,
    message: /it broke/,
    fast: true,
  },
  {
    name: 'an error event without its blank line',
    answer: (up) => stream([...upTo(up, 2), up.errorEvent.trimEnd()]),
    texts: 2,
    message: /it broke/,
  },
  {
    name: 'an error after the finish',
    answer: (up) => stream([...unfinished(up), up.id === 'openai-responses' ? '' : finishEvent(up), up.errorEvent]),
    texts: 3,
    message: /it broke/,
  },
  { name: 'silence', answer: (up) => stalled(upTo(up, 2)), texts: 2, fast: true },
  {
    name: 'a last chunk that is too short',
    answer: (up) => bytes(`HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 100000\r\n\r\n${upTo(up, 2).join('')}`),
    texts: 2,
  },
];

describe('a provider that is not there', () => {
  it('is 502, and its address is not told', async () => {
    const own = await setStage();
    await own.upstream.close();
    const got = await ask(own, PAIRS[0]?.client as Dialect, PAIRS[0]?.upstream as Dialect, true);
    expect(got.status).toBe(502);
    expect(got.text).toMatch(/does not accept connections/);
    expect(got.text).not.toContain('127.0.0.1');
    await own.server.close();
    expect(own.server.defects).toEqual([]);
  });
});

describe.each(PAIRS)('$name: a stream that breaks', ({ client, upstream }) => {
  it.each(AFTER)('$name', async ({ answer, texts, message, fast: isFast }) => {
    const on = isFast ? fast : stage;
    on.upstream.answer = answer(upstream);
    const got = await ask(on, client, upstream, true);
    if (got.status !== 200) {
      // All came at once, so that nothing had been sent: then the status says it.
      expect(texts === 0 || got.status >= 400).toBe(true);
      expect(() => client.envelope(JSON.parse(got.text), got.status)).not.toThrow();
      return;
    }
    const { text, finished, error, data } = told(client, got);
    expect(finished, got.text).toBe(false);
    expect(error, got.text).toBeTypeOf('string');
    if (message) expect(error).toMatch(message);
    // The only failure that some clients of this dialect understand.
    if (client.id === 'openai-responses') {
      const [begun, failed] = [data[0], data.at(-1)];
      expect(failed.type).toBe('response.failed');
      // Of the response that has begun, whose events are numbered on.
      expect([failed.response.id, failed.response.model]).toEqual([begun.response.id, begun.response.model]);
      const numbers = data.map(({ sequence_number }) => sequence_number as number);
      expect(numbers, got.text).toEqual(numbers.map((_, at) => at));
    }
    expect(TEXT.startsWith(text)).toBe(true);
    expect(text.length).toBeGreaterThanOrEqual(WORDS.slice(0, texts).join('').length);
  });
});

describe.each(PAIRS)('$name: what is no fault', ({ client, upstream }) => {
  const good: readonly { name: string; answer: Answer }[] = [
    { name: 'a stream', answer: stream(upstream.events) },
    { name: 'a stream in one piece', answer: stream([upstream.events.join('')]) },
    { name: 'a stream byte by byte', answer: stream([...Buffer.from(upstream.events.join(''))].map((byte) => Buffer.from([byte]))) },
    { name: 'comments before and between', answer: stream([': one\n\n', ...upstream.events.flatMap((event) => [': two\n\n', event])]) },
    { name: 'other line ends', answer: stream(upstream.events.map((event) => event.replaceAll(/\r?\n/g, '\r\n'))) },
    { name: 'a whole reply instead', answer: json(upstream.whole) },
    {
      name: 'a packed stream that nobody asked for',
      answer: (_r, to) =>
        void to.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' }).end(gzipSync(upstream.events.join(''))),
    },
    {
      name: 'an early hint first, and trailers after',
      answer: bytes(
        `HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n${Buffer.byteLength(upstream.events.join('')).toString(16)}\r\n${upstream.events.join('')}\r\n0\r\nx-sum: 1\r\n\r\n`,
      ),
    },
  ];
  it.each(good)('$name', async ({ answer }) => {
    stage.upstream.answer = answer;
    const got = await ask(stage, client, upstream, true);
    expect(got.status, got.text).toBe(200);
    expect(told(client, got)).toMatchObject({ text: TEXT, finished: true, error: undefined });
    expect(got.complete).toBe(true);
  });

  it.each([
    { name: 'a whole reply', answer: json(upstream.whole) },
    { name: 'a stream instead', answer: stream(upstream.events) },
    {
      name: 'a packed one',
      answer: ((_r, to) =>
        void to
          .writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
          .end(gzipSync(JSON.stringify(upstream.whole)))) satisfies Answer,
    },
  ])('$name, asked for whole', async ({ answer }) => {
    stage.upstream.answer = answer;
    const got = await ask(stage, client, upstream, false);
    expect(got.status, got.text).toBe(200);
    expect(client.wholeText(JSON.parse(got.text))).toBe(TEXT);
  });
});

describe.each(PAIRS.filter(({ client }) => client.id === 'anthropic-messages' || client.id === 'gemini'))(
  '$name: in mid-stream',
  ({ client, upstream }) => {
    it('an error tells the id of the request, as the head does', async () => {
      stage.upstream.answer = stream(upTo(upstream, 2));
      const got = await ask(stage, client, upstream, true);
      expect(told(client, got).error).toBeDefined();
      expect(got.text).toContain(String(got.headers['x-pailou-request-id']));
    });
  },
);
