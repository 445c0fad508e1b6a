import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Conducted, type FakeUpstream, json, startUpstream } from '../fakes/upstream.ts';
import type { TestServer } from '../server.ts';
import { chat, DIALECTS, messages, TEXT } from '../exchange/dialects.ts';
import { call, type Got } from '../exchange/stage.ts';
import { ALIVE, setSlowStage, type SlowStage } from './slow-stage.ts';
import { anthropicAt, googleAt, openaiAt } from './stage.ts';

let stage: SlowStage;
let server: TestServer;
let first: FakeUpstream;
let second: FakeUpstream;
beforeAll(async () => {
  second = await startUpstream(json(chat.whole));
  stage = await setSlowStage((url) => ({
    server: ALIVE,
    providers: {
      a: { ...chat.settings(url), retries: 0 },
      claude: { ...messages.settings(url), retries: 0 },
      b: chat.settings(second.url),
    },
    models: {
      'both-*': { targets: [{ to: 'a/*' }, { to: 'b/*' }], strategy: 'priority' },
      'kept-*': { targets: [{ to: 'a/*' }], cache: 60_000 },
    },
  }));
  ({ server, upstream: first } = stage);
});
afterAll(async () => {
  await stage.close();
  await second.close();
});

const keptWaiting: SlowStage['keptWaiting'] = (ask, then) => stage.keptWaiting(ask, then);

const turns = [{ role: 'user' as const, content: 'x' }];
/** `said`: what `ask` gives, where that is not the text itself. */
const SDKS: readonly { readonly name: string; readonly ask: (model: string) => Promise<unknown>; readonly said?: unknown }[] = [
  {
    name: 'openai, chat',
    ask: async (model) =>
      (await openaiAt(server.url, server.key).chat.completions.create({ model, messages: turns })).choices[0]?.message.content,
  },
  {
    name: 'openai, responses',
    ask: async (model) => (await openaiAt(server.url, server.key).responses.create({ model, input: 'x', store: false })).output_text,
  },
  {
    name: 'openai, responses that are kept',
    ask: async (model) => (await openaiAt(server.url, server.key).responses.create({ model, input: 'x' })).output_text,
  },
  {
    name: 'openai, responses summed up',
    ask: async (model) =>
      (await openaiAt(server.url, server.key).responses.compact({ model, input: 'x' })).output.map(({ type }) => type).join(', '),
    said: 'message, compaction',
  },
  {
    name: 'anthropic',
    async ask(model) {
      const said = await anthropicAt(server.url, server.key).messages.create({ model, max_tokens: 50, messages: turns });
      return said.content.map((part) => (part.type === 'text' ? part.text : '')).join('');
    },
  },
  { name: 'google', ask: async (model) => (await googleAt(server.url, server.key).models.generateContent({ model, contents: 'x' })).text },
];

const asJson = { 'content-type': 'application/json' };
const FAILURES: readonly [string, (play: Conducted) => void][] = [
  [
    'an error status',
    (play) => {
      play.head(500, asJson);
      play.end(JSON.stringify(chat.error(500, 'it broke')));
    },
  ],
  [
    'the client’s own mistake',
    (play) => {
      play.head(400, asJson);
      play.end(JSON.stringify(chat.error(400, 'your mistake')));
    },
  ],
  ['a closed connection', (play) => play.cut('rst')],
  [
    'half a reply',
    async (play) => {
      play.head(200, { ...asJson, 'content-length': '5000' });
      await play.write(JSON.stringify(chat.whole).slice(0, 40));
      play.cut('fin');
    },
  ],
  [
    'an error in a success',
    (play) => {
      play.head(200, asJson);
      play.end(JSON.stringify({ error: { message: 'it broke', type: 'server_error', param: null, code: null } }));
    },
  ],
];

describe.concurrent.each(SDKS)('$name: an answer that is long in coming', ({ ask, said: expected = TEXT }) => {
  it.each([
    ['in the client’s words or others', 'a', chat],
    ['in the words of another', 'claude', messages],
  ] as const)('comes behind white space, %s', async (_, provider, dialect) => {
    const said = keptWaiting(
      (mark) => ask(`${provider}/${mark}`),
      (play) => {
        play.head(200, asJson);
        play.end(JSON.stringify(dialect.whole));
      },
    );
    expect(await said).toBe(expected);
  });

  it.each(FAILURES)('that is %s raises', async (_, fails) => {
    await expect(keptWaiting((mark) => ask(`a/${mark}`), fails)).rejects.toThrow();
  });
});

describe.concurrent('on the wire', () => {
  const ask = (model: string, dialect = chat): Promise<Got> =>
    call(`${server.url}${dialect.path(model, false)}`, JSON.stringify(dialect.body(model, false)), {
      'content-type': 'application/json',
      authorization: `Bearer ${server.key}`,
    });

  it.each(DIALECTS)('$id: white space, then the answer, or what nobody takes for one and a broken connection', async (dialect) => {
    const good = await keptWaiting(
      (mark) => ask(`a/${mark}`, dialect),
      (play) => {
        play.head(200, asJson);
        play.end(JSON.stringify(chat.whole));
      },
    );
    expect(good).toMatchObject({ status: 200, complete: true, text: expect.stringMatching(/^\n+\{/) });
    expect(good.headers['content-type']).toMatch(/^application\/json/);
    expect(dialect.wholeText(JSON.parse(good.text))).toBe(TEXT);
    const bad = await keptWaiting(
      (mark) => ask(`a/${mark}`, dialect),
      (play) => {
        play.head(500, asJson);
        play.end(JSON.stringify(chat.error(500, 'it broke')));
      },
    );
    expect(bad).toMatchObject({ status: 200, complete: false });
    expect(() => JSON.parse(bad.text)).toThrow();
    expect(bad.text).toContain('it broke');
    expect(server.records.find(({ status, protocol }) => status === 502 && protocol === dialect.id)).toMatchObject({ endedBy: 'upstream' });
  });

  it.each([
    ['an error', 500, chat.error(500, 'it broke'), 'it broke'],
    ['no summary', 200, { ...chat.whole, choices: [] }, 'gave no summary'],
  ] as const)(
    'a window to be summed up for which there is %s: said behind white space, and told as it would have been later',
    async (...row) => {
      const [, status, answer, says] = row;
      const sumUp = (model: string): Promise<Got> =>
        call(`${server.url}/v1/responses/compact`, JSON.stringify({ model, input: 'x' }), {
          'content-type': 'application/json',
          authorization: `Bearer ${server.key}`,
          'idempotency-key': `sum-${status}`,
        });
      let model = '';
      const bad = await keptWaiting(
        (mark) => sumUp((model = `a/${mark}`)),
        (play) => {
          play.head(status, asJson);
          play.end(JSON.stringify(answer));
        },
      );
      expect(bad).toMatchObject({ status: 200, complete: false, text: expect.stringMatching(/^\n+\{/) });
      expect(() => JSON.parse(bad.text)).toThrow();
      expect(bad.text).toContain(says);
      const again = await sumUp(model);
      expect(again).toMatchObject({ status: 502, complete: true, text: expect.stringContaining(says) });
      expect(again.headers['idempotent-replayed']).toBe('true');
    },
  );

  it('asked again with its key, what failed behind white space is told as it would have been', async () => {
    const repeated = (model: string, key: string): Promise<Got> =>
      call(`${server.url}${chat.path(model, false)}`, JSON.stringify(chat.body(model, false)), {
        'content-type': 'application/json',
        authorization: `Bearer ${server.key}`,
        'idempotency-key': key,
      });
    for (const [status, told] of [
      [500, 502],
      [400, 400],
    ] as const) {
      let model = '';
      const cut = await keptWaiting(
        (mark) => repeated((model = `a/${mark}`), `slow-${status}`),
        (play) => {
          play.head(status, asJson);
          play.end(JSON.stringify(chat.error(status, 'it broke')));
        },
      );
      expect(cut).toMatchObject({ status: 200, complete: false });
      const again = await repeated(model, `slow-${status}`);
      expect(again).toMatchObject({ status: told, complete: true });
      expect(again.headers['idempotent-replayed']).toBe('true');
      expect(chat.envelope(JSON.parse(again.text), told).message).toContain('it broke');
      expect(first.seen.filter(({ body }) => body.includes(model.slice(2)))).toHaveLength(1);
    }
  });

  it('the next target may still answer', async () => {
    const got = await keptWaiting(
      (mark) => ask(`both-${mark}`),
      (play) => play.cut('rst'),
    );
    expect(got).toMatchObject({ status: 200, complete: true });
    expect(chat.wholeText(JSON.parse(got.text))).toBe(TEXT);
    expect(server.records.find(({ asked }) => asked.startsWith('both-'))).toMatchObject({ provider: 'b', attempts: 2, status: 200 });
  });

  it.each([
    ['an answer', true],
    ['their common mistake', false],
  ] as const)('clients that share one call of a provider share %s, each behind its own white space', async (_, isGood) => {
    const both = await keptWaiting(
      async (mark) => Promise.all([ask(`kept-${mark}`), ask(`kept-${mark}`)]),
      (play) => {
        play.head(isGood ? 200 : 400, asJson);
        play.end(JSON.stringify(isGood ? chat.whole : chat.error(400, 'your mistake')));
      },
    );
    for (const got of both) {
      expect(got).toMatchObject({ status: 200, complete: isGood, text: expect.stringMatching(/^\n+/) });
      if (isGood) expect(chat.wholeText(JSON.parse(got.text))).toBe(TEXT);
      else expect(() => JSON.parse(got.text)).toThrow();
    }
  });

  it('a client that leaves meanwhile stops the upstream', async () => {
    const leaving = new AbortController();
    const { url, key } = server;
    const asked = keptWaiting(
      (mark) =>
        fetch(`${url}/v1/chat/completions`, {
          method: 'POST',
          signal: leaving.signal,
          headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
          body: JSON.stringify(chat.body(`a/${mark}`, false)),
        }).then((answer) => answer.text()),
      async (play) => {
        const at = performance.now();
        leaving.abort();
        expect((await play.hungUp) - at).toBeLessThan(250);
      },
    );
    await expect(asked).rejects.toThrow();
  });
});

describe.concurrent('Gemini’s array', () => {
  const ask = async (then: (play: Conducted) => unknown): Promise<Got> =>
    keptWaiting(
      (mark) =>
        call(`${server.url}/v1beta/models/a/${mark}:streamGenerateContent`, JSON.stringify({ contents: [{ parts: [{ text: 'x' }] }] }), {
          'x-goog-api-key': server.key,
        }),
      then,
    );
  it('is kept alive by white space before and between its elements', async () => {
    const upTo = chat.before + 1;
    const got = await ask(async (play) => {
      play.head();
      await play.write(chat.events.slice(0, upTo).join(''));
      play.end(chat.events.slice(upTo).join(''));
    });
    expect(got).toMatchObject({ status: 200, complete: true, text: expect.stringMatching(/^\n+\[/) });
    const elements = JSON.parse(got.text) as { candidates?: { content?: { parts?: { text?: string }[] } }[] }[];
    const text = elements.map((one) => one.candidates?.[0]?.content?.parts?.map((part) => part.text ?? '').join('') ?? '').join('');
    expect(text).toBe(TEXT);
  });
  it('ends with the error as its element', async () => {
    const got = await ask((play) => {
      play.head(500, asJson);
      play.end(JSON.stringify(chat.error(500, 'it broke')));
    });
    expect(got.status).toBe(200);
    expect(JSON.parse(got.text)).toEqual([{ error: expect.objectContaining({ message: expect.stringContaining('it broke') }) }]);
  });
});
