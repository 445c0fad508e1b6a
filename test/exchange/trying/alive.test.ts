import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createKeepAlives } from '../../../src/http/keep-alive.ts';
import { type Conducted, conduct, type FakeUpstream, startUpstream, stream } from '../../fakes/upstream.ts';
import { startTestServer, type TestServer } from '../../server.ts';
import { TEXT } from '../dialects.ts';
import { told } from '../stage.ts';
import { CHAT } from './trials.ts';

let ahead = 0;
let server: TestServer;
let first: FakeUpstream;
let second: FakeUpstream;
beforeAll(async () => {
  first = await startUpstream();
  second = await startUpstream();
  // A clock that can be put forward: to the keep-alives the streams have then been silent for as long.
  const clock = { now: () => Date.now(), monotonic: () => performance.now() + ahead };
  const providers = { a: CHAT.settings(first.url), b: CHAT.settings(second.url) };
  const models = { both: { targets: [{ to: 'a/up' }, { to: 'b/up' }], strategy: 'priority' } } as const;
  server = await startTestServer({ providers, models }, undefined, clock);
});
afterAll(async () => {
  await server.close();
  await first.close();
  await second.close();
  expect(server.defects).toEqual([]);
});

async function askSilent(play: Conducted, then: (play: Conducted) => void): Promise<ReturnType<typeof told> & { readonly status: number }> {
  first.answer = play.answer;
  const asked = fetch(`${server.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.key}`, 'content-type': 'application/json' },
    body: JSON.stringify(CHAT.body('both', true)),
  });
  await play.asked;
  ahead += 20_000;
  // Its head comes with the first keep-alive.
  const answer = await asked;
  let text = '';
  const reading = (async () => {
    for await (const bytes of answer.body ?? []) text += Buffer.from(bytes).toString();
  })();
  then(play);
  await reading;
  return { ...told(CHAT, { status: answer.status, headers: {}, text, complete: true }), status: answer.status };
}

it('after a keep-alive has gone out, the next target still answers', async () => {
  second.answer = stream(CHAT.events);
  const said = await askSilent(conduct(), (play) => play.cut('rst'));
  expect(said).toMatchObject({ status: 200, text: TEXT, finished: true, error: undefined });
  expect([first.seen.length, second.seen.length]).toEqual([1, 1]);
});

it('and where none does, the error comes in the stream, once', async () => {
  second.answer = (_request, response) => void response.writeHead(500, { 'content-type': 'application/json' }).end('{}');
  const said = await askSilent(conduct(), (play) => {
    play.head(500, { 'content-type': 'application/json' });
    play.end(JSON.stringify(CHAT.error(500, 'it broke')));
  });
  expect(said).toMatchObject({ status: 200, finished: false });
  expect(said.error).toBeDefined();
  expect(said.data.filter((one) => one.error)).toHaveLength(1);
});

it('a client that asked for no stream is sent nothing where the configuration does not say so: its error keeps its status', async () => {
  const play = conduct();
  first.answer = play.answer;
  const asked = fetch(`${server.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.key}`, 'content-type': 'application/json' },
    body: JSON.stringify(CHAT.body('a/up', false)),
  });
  await play.asked;
  ahead += 20_000;
  // The keep-alives look once a second.
  await new Promise((resolve) => setTimeout(resolve, 1200));
  play.head(422, { 'content-type': 'application/json' });
  play.end(JSON.stringify(CHAT.error(422, 'your mistake')));
  expect((await asked).status).toBe(422);
});

it('the silence after which something is sent can be set, also by a reload', () => {
  vi.useFakeTimers();
  try {
    let delay: number | undefined;
    const alive = createKeepAlives(
      () => Date.now(),
      () => delay,
    );
    const started = Date.now();
    const sent: number[] = [];
    const sink = {
      begun: true,
      closed: false,
      idleSince: started,
      write(text: string) {
        sent.push(Math.round((Date.now() - started) / 1000));
        sink.idleSince = Date.now();
        return text === 'x';
      },
    };
    alive.add(sink as never, 'x', {});
    vi.advanceTimersByTime(16_000);
    delay = 3000;
    vi.advanceTimersByTime(6500);
    alive.stop();
    expect(sent).toEqual([15, 18, 21]);
  } finally {
    vi.useRealTimers();
  }
});

it('what goes out a moment after the look is followed by the next in time', () => {
  vi.useFakeTimers();
  try {
    const alive = createKeepAlives(() => Date.now());
    const sent: number[] = [];
    const sink = {
      begun: true,
      closed: false,
      idleSince: Date.now(),
      write() {
        sent.push(Date.now());
        sink.idleSince = Date.now() + 1;
        return true;
      },
    };
    alive.add(sink as never, 'x', {});
    vi.advanceTimersByTime(120_000);
    alive.stop();
    expect(sent.length).toBeGreaterThan(6);
    for (const [at, time] of sent.entries()) if (at > 0) expect(time - (sent[at - 1] as number)).toBeLessThanOrEqual(15_500);
  } finally {
    vi.useRealTimers();
  }
});

it.each([
  ['who spoke for long itself has heard nothing only since it ended', false],
  ['white space in front of an answer stops where that begins', true],
])('%s', (_, isBefore) => {
  vi.useFakeTimers();
  try {
    const alive = createKeepAlives(() => performance.now());
    const sent: number[] = [];
    const sink = {
      begun: false,
      closed: false,
      idleSince: performance.now(),
      begin: () => void (sink.begun = true),
      write() {
        sent.push(Math.round(performance.now() / 1000));
        sink.idleSince = performance.now();
        return true;
      },
    };
    vi.advanceTimersByTime(60_000);
    const from = Math.round(performance.now() / 1000);
    alive.add(sink as never, 'x', {}, isBefore);
    vi.advanceTimersByTime(32_000);
    // The first piece of the answer.
    sink.write();
    vi.advanceTimersByTime(32_000);
    expect(sent.map((at) => at - from)).toEqual(isBefore ? [15, 30, 32] : [15, 30, 32, 47, 62]);
    expect(alive.size).toBe(isBefore ? 0 : 1);
    alive.stop();
  } finally {
    vi.useRealTimers();
  }
});
