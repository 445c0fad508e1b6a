import { request as httpRequest } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, conduct, json, stream } from '../fakes/upstream.ts';
import { chat, dataOf, type Dialect, DIALECTS, messages, PAIRS, TEXT, WORDS } from './dialects.ts';
import { ask, call, lastRecord, setStage, type Stage, told } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await setStage();
});
afterAll(() => stage.close());

/** A client that hangs up when it is told to. */
function visitor(
  client: Dialect,
  upstream: Dialect,
  streamed: boolean,
): { hangUp(): number; readonly firstBytes: Promise<string>; readonly head: Promise<number> } {
  const model = `${upstream.provider}/up`;
  let told: (text: string) => void;
  let began: (status: number) => void;
  const firstBytes = new Promise<string>((resolve) => (told = resolve));
  const head = new Promise<number>((resolve) => (began = resolve));
  const sent = httpRequest(
    `${stage.server.url}${client.path(model, streamed)}`,
    { method: 'POST', agent: false, headers: { 'content-type': 'application/json', 'x-api-key': stage.server.key } },
    (response) => {
      began(response.statusCode ?? 0);
      response.on('error', () => {});
      response.on('data', (bytes: Buffer) => told(bytes.toString()));
    },
  );
  sent.on('error', () => {});
  sent.end(JSON.stringify(client.body(model, streamed)));
  return {
    firstBytes,
    head,
    hangUp() {
      sent.destroy();
      return performance.now();
    },
  };
}

describe.each(PAIRS)('$name: a client that leaves', ({ client, upstream }) => {
  const begun = upstream.events.slice(0, upstream.before - 1);
  const places: readonly {
    name: string;
    streamed: boolean;
    until: (play: ReturnType<typeof conduct>, who: ReturnType<typeof visitor>) => Promise<void>;
    status: number;
  }[] = [
    { name: 'before the headers', streamed: true, until: () => Promise.resolve(), status: 499 },
    { name: 'before the headers of a whole reply', streamed: false, until: () => Promise.resolve(), status: 499 },
    {
      name: 'before the first token',
      streamed: true,
      async until(play) {
        play.head();
        await play.write(': wait\n\n');
      },
      status: 499,
    },
    {
      name: 'in mid-stream',
      streamed: true,
      async until(play, who) {
        play.head();
        await play.write(begun.join(''));
        await who.firstBytes;
      },
      status: 200,
    },
  ];
  it.each(places)('$name: the upstream is let go at once, and the record says who ended it', async ({ streamed, until, status }) => {
    const before = stage.server.records.length;
    const play = conduct();
    stage.upstream.answer = play.answer;
    const who = visitor(client, upstream, streamed);
    await play.asked;
    await until(play, who);
    const left = who.hangUp();
    expect((await play.hungUp) - left).toBeLessThan(250);
    const record = await lastRecord(stage, before + 1);
    expect(record).toMatchObject({ endedBy: 'client', attempts: 1, status });
    expect(record.fault).toBeUndefined();
  });
});

describe('what a client that left had received', () => {
  it('is counted as far as the upstream had told it', async () => {
    const before = stage.server.records.length;
    const play = conduct();
    stage.upstream.answer = play.answer;
    const who = visitor(messages, messages, true);
    await play.asked;
    play.head();
    await play.write(messages.events.slice(0, 4).join(''));
    await who.firstBytes;
    who.hangUp();
    await play.hungUp;
    expect(await lastRecord(stage, before + 1)).toMatchObject({ input: 5, endedBy: 'client' });
  });
});

describe.each(PAIRS)('$name: time', ({ client, upstream }) => {
  it('each token goes on at once, and the finish waits for the true end', async () => {
    const play = conduct();
    stage.upstream.answer = play.answer;
    const model = `${upstream.provider}/up`;
    let seen = '';
    let wake = (): void => {};
    const sent = httpRequest(
      `${stage.server.url}${client.path(model, true)}`,
      { method: 'POST', agent: false, headers: { 'content-type': 'application/json', 'x-api-key': stage.server.key } },
      (response) => {
        response.on('data', (bytes: Buffer) => {
          seen += bytes.toString();
          wake();
        });
        response.on('end', () => wake());
      },
    );
    sent.end(JSON.stringify(client.body(model, true)));
    const until = async (is: () => boolean): Promise<void> => {
      while (!is()) await new Promise<void>((resolve) => (wake = resolve));
    };
    await play.asked;
    play.head();
    for (const event of upstream.events.slice(0, upstream.before)) {
      await play.write(event);
      for (const word of WORDS) if (event.includes(`"${word}"`)) await until(() => seen.includes(word));
    }
    const [finish = '', ...rest] = upstream.events.slice(upstream.before);
    if (rest.length > 0) {
      await play.write(finish);
      // Other calls come and go meanwhile: what would have been sent has been.
      for (let i = 0; i < 3; i++) await call(`${stage.server.url}/livez`, undefined);
      expect(told(client, { status: 200, headers: {}, text: seen, complete: false }).finished).toBe(false);
    }
    play.end(rest.length > 0 ? rest.join('') : finish);
    await until(() => Boolean(told(client, { status: 200, headers: {}, text: seen, complete: true }).finished));
    expect(told(client, { status: 200, headers: {}, text: seen, complete: true }).text).toBe(TEXT);
  });
});

describe('several choices of a provider that gives them in one stream', () => {
  const piece = (index: number, content: string, finish: string | null = null): string =>
    `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"up","choices":[{"index":${index},"delta":{"content":"${content}"},"finish_reason":${finish && `"${finish}"`}}]}\n\n`;
  it.each([
    { name: 'raw', client: chat },
    { name: 'to a client that takes one', client: messages },
  ])('$name: one goes on at once after another has ended', async ({ client }) => {
    const play = conduct();
    stage.upstream.answer = play.answer;
    const body = JSON.stringify({ ...client.body('oai/up', true), ...(client === chat ? { n: 2 } : {}) });
    const response = fetch(stage.server.url + client.path('oai/up', true), {
      method: 'POST',
      body,
      headers: { 'x-api-key': stage.server.key },
    });
    await play.asked;
    play.head();
    await play.write(piece(0, 'One ') + piece(0, 'end', 'stop'));
    if (client === chat) await play.write(piece(1, 'second'));
    const reader = ((await response).body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream()).getReader();
    let seen = '';
    while (!seen.includes(client === chat ? 'second' : 'One ')) seen += (await reader.read()).value ?? '';
    if (client === chat) await play.write(piece(1, '', 'stop'));
    play.end('data: [DONE]\n\n');
    for (let next = await reader.read(); !next.done; next = await reader.read()) seen += next.value;
    expect(client.isFinished(dataOf(seen))).toBeTruthy();
    expect(client.errorIn(dataOf(seen))).toBeUndefined();
  });

  it('one that is cut before the last has ended is not whole', async () => {
    stage.upstream.answer = stream([piece(0, 'One '), piece(1, 'two'), piece(0, '', 'stop'), piece(1, 'three')]);
    const got = await call(`${stage.server.url}/v1/chat/completions`, JSON.stringify({ ...chat.body('oai/up', true), n: 2 }), {
      'x-api-key': stage.server.key,
    });
    const data = dataOf(got.text);
    expect(chat.errorIn(data)).toBeTypeOf('string');
    expect(data).not.toContain('[DONE]');
    expect(got.text).toContain('three');
  });
});

describe('deadlines', () => {
  it.each(PAIRS)('$name: the total one ends a stream that goes on', async ({ client, upstream }) => {
    const short = await setStage({}, {}, { connect: 1000, headers: 5000, firstToken: 5000, idle: 5000, total: 400 });
    const word =
      upstream.events[upstream.before - (upstream.id === 'openai-responses' ? 4 : upstream.id === 'anthropic-messages' ? 2 : 1)] ?? '';
    const endless: Answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const event of upstream.events.slice(0, upstream.before - 1)) response.write(event);
      const timer = setInterval(() => response.write(word), 20);
      response.on('close', () => clearInterval(timer));
    };
    short.upstream.answer = endless;
    const got = await ask(short, client, upstream, true);
    const { finished, error } = told(client, got);
    expect(finished).toBe(false);
    expect(error).toMatch(/longer than the time allowed/);
    expect(await lastRecord(short, 1)).toMatchObject({ endedBy: 'gateway', fault: 'upstream_total_timeout' });
    await short.close();
  });
});

describe('after the end', () => {
  it.each(DIALECTS)('$id: an upstream that goes on after its last word is let go', async (dialect) => {
    const play = conduct();
    stage.upstream.answer = (seen, response) => {
      play.answer(seen, response);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const event of dialect.events) response.write(event);
      if (dialect.id === 'gemini') response.end();
      else {
        const flood = (): void => {
          while (response.write(`: ${'x'.repeat(10_000)}\n\n`) && !response.destroyed);
          if (!response.destroyed) response.once('drain', flood);
        };
        flood();
      }
    };
    const got = await ask(stage, dialect, dialect, true);
    expect(told(dialect, got)).toMatchObject({ text: TEXT, finished: true, error: undefined });
    const answered = performance.now();
    if (dialect.id !== 'gemini') expect((await play.hungUp) - answered).toBeLessThan(2500);
  });

  it('a connection is used again for the next call', async () => {
    stage.upstream.answer = stream(chat.events);
    const ports = new Set<number | undefined>();
    const inner = stage.upstream.answer;
    stage.upstream.answer = (seen, response) => {
      ports.add(response.socket?.remotePort);
      inner(seen, response);
    };
    for (let i = 0; i < 5; i++) await ask(stage, chat, chat, true);
    expect(ports.size).toBe(1);
  });

  it.each([
    { name: 'event by event', pieces: chat.events },
    { name: 'in one piece', pieces: [chat.events.join('')] },
  ])('so is the client’s, $name', async ({ pieces }) => {
    stage.upstream.answer = stream(pieces);
    const socket: Socket = connect(Number(new URL(stage.server.url).port), '127.0.0.1');
    const body = JSON.stringify(chat.body('oai/up', true));
    let seen = '';
    const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
    for (let i = 1; i <= 3; i++) {
      socket.write(
        `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${stage.server.key}\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
      );
      await new Promise<void>((resolve) => {
        const look = (bytes: Buffer): void => {
          seen += bytes.toString();
          if (seen.split('\r\n0\r\n\r\n').length <= i) return;
          socket.off('data', look);
          resolve();
        };
        socket.on('data', look);
      });
    }
    socket.end();
    await closed;
    expect(seen.split('data: [DONE]').length).toBe(4);
  });
});

/** An upstream that writes as fast as it is let, and counts what it got rid of. */
function flooding(dialect: Dialect, sent: { bytes: number }): Answer {
  const word = dialect.events.find((event) => event.includes(WORDS[1])) ?? '';
  const block = word.repeat(50);
  return (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const event of dialect.events.slice(0, dialect.before - 1)) response.write(event);
    const pour = (): void => {
      while (!response.destroyed && sent.bytes < 400_000_000) {
        sent.bytes += block.length;
        if (!response.write(block)) {
          response.once('drain', pour);
          return;
        }
      }
    };
    pour();
  };
}

describe('a client that does not read stops the upstream, and goes on when it reads', () => {
  it.each([
    { name: 'raw', client: chat, upstream: chat },
    { name: 'raw, Anthropic', client: messages, upstream: messages },
    { name: 'translated', client: chat, upstream: messages },
    { name: 'translated back', client: messages, upstream: chat },
  ])('$name', async ({ client, upstream }) => {
    const sent = { bytes: 0 };
    stage.upstream.answer = flooding(upstream, sent);
    const socket = connect(Number(new URL(stage.server.url).port), '127.0.0.1');
    const model = `${upstream.provider}/up`;
    const body = JSON.stringify(client.body(model, true));
    socket.write(
      `POST ${client.path(model, true)} HTTP/1.1\r\nhost: x\r\nx-api-key: ${stage.server.key}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
    socket.pause();
    let before = -1;
    // Stands still: what the sockets hold, and no more.
    await expect
      .poll(
        () => {
          const isStill = sent.bytes > 0 && sent.bytes === before;
          before = sent.bytes;
          return isStill;
        },
        { interval: 300, timeout: 15_000 },
      )
      .toBe(true);
    const stood = sent.bytes;
    expect(stood).toBeLessThan(60_000_000);
    socket.resume();
    await expect.poll(() => sent.bytes, { interval: 20, timeout: 10_000 }).toBeGreaterThan(stood + 5_000_000);
    socket.destroy();
  });
});

describe('an upstream that waits for a client that does not read', () => {
  it.each([
    { name: 'raw', client: chat, upstream: chat },
    { name: 'translated', client: chat, upstream: messages },
  ])('$name: is not called silent', async ({ client, upstream }) => {
    const own = await setStage({}, {}, { connect: 1000, headers: 2000, firstToken: 2000, idle: 400, total: 20_000 });
    const sent = { bytes: 0 };
    own.upstream.answer = flooding(upstream, sent);
    const socket = connect(Number(new URL(own.server.url).port), '127.0.0.1');
    const model = `${upstream.provider}/up`;
    const body = JSON.stringify(client.body(model, true));
    socket.write(
      `POST ${client.path(model, true)} HTTP/1.1\r\nhost: x\r\nx-api-key: ${own.server.key}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
    socket.pause();
    let still = 0;
    let before = -1;
    // Stands still for four times the idle limit.
    await expect
      .poll(
        () => {
          still = sent.bytes > 0 && sent.bytes === before ? still + 1 : 0;
          before = sent.bytes;
          return still;
        },
        { interval: 200, timeout: 15_000 },
      )
      .toBe(8);
    expect(own.server.records).toEqual([]);
    socket.resume();
    const stood = sent.bytes;
    await expect.poll(() => sent.bytes, { interval: 20, timeout: 10_000 }).toBeGreaterThan(stood + 5_000_000);
    socket.destroy();
    await own.close();
  });
});

describe('another configuration', () => {
  it('is for calls that begin after it; those that run end on the old one', async () => {
    const own = await setStage({ models: { fast: 'oai/old' } });
    const play = conduct();
    own.upstream.answer = play.answer;
    const body = JSON.stringify(chat.body('fast', true));
    const running = call(`${own.server.url}/v1/chat/completions`, body, { authorization: `Bearer ${own.server.key}` });
    await play.asked;
    play.head();
    await play.write(chat.events[1] ?? '');
    const next = own.server.app.snapshot().config;
    own.server.app.reload({ ...next, keys: [{ name: 'other', value: 'pk-other-key-0123456789' }], models: { fast: 'oai/new' } });
    own.upstream.answer = json(chat.whole);
    const refused = await call(`${own.server.url}/v1/chat/completions`, JSON.stringify(chat.body('fast', false)), {
      authorization: `Bearer ${own.server.key}`,
    });
    expect(refused.status).toBe(401);
    const fresh = await call(`${own.server.url}/v1/chat/completions`, JSON.stringify(chat.body('fast', false)), {
      authorization: 'Bearer pk-other-key-0123456789',
    });
    expect(fresh.headers['x-pailou-served-by']).toBe('oai/new');
    for (const event of chat.events.slice(2)) await play.write(event);
    play.end();
    const got = await running;
    expect(got.headers['x-pailou-served-by']).toBe('oai/old');
    expect(told(chat, got)).toMatchObject({ text: TEXT, finished: true });
    await own.close();
  });
});
