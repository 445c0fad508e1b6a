import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, json, stream } from '../fakes/upstream.ts';
import { chat, type Dialect, gemini, messages, responses, TEXT, WORDS } from './dialects.ts';
import { ask, setStage, type Stage, told } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await setStage();
});
afterAll(() => stage.close());

const LANES: readonly { readonly name: string; readonly client: Dialect; readonly upstream: Dialect }[] = [
  { name: 'raw', client: chat, upstream: chat },
  { name: 'raw, Anthropic', client: messages, upstream: messages },
  { name: 'raw, Gemini', client: gemini, upstream: gemini },
  { name: 'raw, Responses', client: responses, upstream: responses },
  { name: 'translated', client: messages, upstream: chat },
  { name: 'translated, from Gemini', client: chat, upstream: gemini },
];
const GIANT = '楼'.repeat(2_000_000);

describe.each(LANES)('$name: what is very large', ({ client, upstream }) => {
  it('one event of megabytes, with the finish in it where the dialect puts it there', async () => {
    const events = upstream.events.map((event) => event.replaceAll('three.', GIANT));
    const bytes = Buffer.from(events.join(''));
    const pieces = Array.from({ length: Math.ceil(bytes.length / 100_003) }, (_, at) => bytes.subarray(at * 100_003, (at + 1) * 100_003));
    stage.upstream.answer = stream(pieces);
    const got = await ask(stage, client, upstream, true);
    const said = told(client, got);
    expect(said.text === TEXT.replace('three.', GIANT)).toBe(true);
    expect(said).toMatchObject({ finished: true, error: undefined });
  });

  it('a whole reply of megabytes', async () => {
    stage.upstream.answer = json(JSON.stringify(upstream.whole).replaceAll('three.', GIANT));
    const got = await ask(stage, client, upstream, false);
    expect(got.status).toBe(200);
    expect(client.wholeText(JSON.parse(got.text)) === TEXT.replace('three.', GIANT)).toBe(true);
  });

  it('an event that does not end is given up, and what came before it was told', async () => {
    const endless: Answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const event of upstream.events) {
        if (event.includes(`"${WORDS[1]}"`)) break;
        response.write(event);
      }
      response.write('data: {"x":"');
      const more = Buffer.alloc(256 * 1024, 'x');
      const pour = (): void => {
        while (!response.destroyed && response.write(more));
        if (!response.destroyed) response.once('drain', pour);
      };
      pour();
    };
    stage.upstream.answer = endless;
    const got = await ask(stage, client, upstream, true);
    expect(told(client, got)).toMatchObject({ text: WORDS[0], finished: false, error: expect.stringContaining('too long') });
  });
});

describe('a reply that does not end', () => {
  it('whole, translated: is given up at a bound', async () => {
    stage.upstream.answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const more = Buffer.alloc(1024 * 1024, ' ');
      const pour = (): void => {
        while (!response.destroyed && response.write(more));
        if (!response.destroyed) response.once('drain', pour);
      };
      pour();
    };
    const got = await ask(stage, messages, chat, false);
    expect(got.status).toBe(502);
    expect(messages.envelope(JSON.parse(got.text), 502).message).toContain('more than can be held');
  });

  it('streamed to a client whose last event says all of it again: is given up at a bound', async () => {
    const more = Buffer.from((chat.events[2] ?? '').replace(WORDS[1], 'x'.repeat(2 ** 20)));
    stage.upstream.answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(chat.events[0]);
      const pour = (): void => {
        while (!response.destroyed && response.write(more));
        if (!response.destroyed) response.once('drain', pour);
      };
      pour();
    };
    const said = told(responses, await ask(stage, responses, chat, true));
    expect(said.error).toContain('longer reply than can be kept');
    expect(said.text.length).toBeGreaterThanOrEqual(2 ** 26);
  }, 60_000);

  it('an error’s: is read as far as it matters', async () => {
    stage.upstream.answer = (_request, response) => {
      response.writeHead(400, { 'content-type': 'text/plain' });
      const more = Buffer.alloc(64 * 1024, 'x');
      const pour = (): void => {
        while (!response.destroyed && response.write(more));
        if (!response.destroyed) response.once('drain', pour);
      };
      pour();
    };
    for (const upstream of [chat, messages]) expect((await ask(stage, chat, upstream, false)).status).toBe(400);
  });
});
