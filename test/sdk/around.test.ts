import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DIALECTS } from '../exchange/dialects.ts';
import { conduct, startUpstream } from '../fakes/upstream.ts';
import { startTestServer, type TestServer } from '../server.ts';
import { all, anthropicAt, at, gatewayOfThisFile, googleAt, openaiAt, PROVIDERS, UPSTREAMS } from './stage.ts';

const gateway = gatewayOfThisFile();

describe('lists of models', () => {
  const MODEL = at('gemini', 'echo');

  it('openai: all, and one', async () => {
    const sdk = openaiAt(gateway().url, gateway().key);
    const ids = (await all(sdk.models.list())).map((model) => model.id);
    for (const protocol of UPSTREAMS) expect(ids).toContain(at(protocol, 'chat'));
    expect(new Set(ids).size).toBe(ids.length);
    expect(await sdk.models.retrieve(MODEL)).toMatchObject({ id: MODEL, object: 'model' });
    await expect(sdk.models.retrieve('nobody/x')).rejects.toMatchObject({ status: 404 });
  });

  it('anthropic: page by page, and one', async () => {
    const sdk = anthropicAt(gateway().url, gateway().key);
    const ids = (await all(sdk.models.list({ limit: 5 }))).map((model) => model.id);
    for (const protocol of UPSTREAMS) expect(ids).toContain(at(protocol, 'chat'));
    expect(new Set(ids).size).toBe(ids.length);
    expect(await sdk.models.retrieve(MODEL)).toMatchObject({ id: MODEL, type: 'model' });
    await expect(sdk.models.retrieve('nobody/x')).rejects.toMatchObject({ status: 404 });
  });

  it('google: page by page, and one', async () => {
    const sdk = googleAt(gateway().url, gateway().key);
    const names = (await all(await sdk.models.list({ config: { pageSize: 5 } }))).map((model) => model.name);
    for (const protocol of UPSTREAMS) expect(names).toContain(`models/${at(protocol, 'chat')}`);
    expect(new Set(names).size).toBe(names.length);
    expect(await sdk.models.get({ model: MODEL })).toMatchObject({ name: `models/${MODEL}` });
    await expect(sdk.models.get({ model: 'nobody/x' })).rejects.toMatchObject({ status: 404 });
  });
});

describe.each(UPSTREAMS)('base URLs that name the provider: /up-%s', (protocol) => {
  const base = (): string => `${gateway().url}/up-${protocol}`;

  it('openai', async () => {
    const sdk = openaiAt(base(), gateway().key);
    const messages = [{ role: 'user' as const, content: '牌楼' }];
    expect((await sdk.chat.completions.create({ model: 'echo', messages })).choices[0]?.message.content).toBe('牌楼');
    expect((await sdk.responses.create({ model: 'echo', input: '牌楼' })).output_text).toBe('牌楼');
    const ids = (await all(sdk.models.list())).map((model) => model.id);
    expect(ids).toContain('echo');
    await expect(sdk.responses.create({ model: 'nothing', input: 'x' })).rejects.toMatchObject({ status: 404 });
  });

  it('anthropic', async () => {
    const sdk = anthropicAt(base(), gateway().key);
    const reply = await sdk.messages.create({ model: 'echo', max_tokens: 50, messages: [{ role: 'user', content: '牌楼' }] });
    expect(reply.content).toMatchObject([{ type: 'text', text: '牌楼' }]);
  });

  it('google', async () => {
    expect((await googleAt(base(), gateway().key).models.generateContent({ model: 'echo', contents: '牌楼' })).text).toBe('牌楼');
  });
});

describe('base URLs as people write them', () => {
  it.each(['/v1', '/v1/', '/v1/v1', ''])('openai: %s', async (path) => {
    const sdk = openaiAt(gateway().url, gateway().key).withOptions({ baseURL: gateway().url + path });
    expect((await sdk.responses.create({ model: at('gemini', 'echo'), input: '牌楼' })).output_text).toBe('牌楼');
  });

  it.each(['', '/', '/v1'])('anthropic: %s', async (path) => {
    const sdk = anthropicAt(gateway().url + path, gateway().key);
    const messages = [{ role: 'user' as const, content: '牌楼' }];
    const reply = await sdk.messages.create({ model: at('gemini', 'echo'), max_tokens: 50, messages });
    expect(reply.content).toMatchObject([{ text: '牌楼' }]);
  });

  it.each(['v1', 'v1beta'])('google: %s', async (apiVersion) => {
    const sdk = googleAt(gateway().url, gateway().key);
    const config = { httpOptions: { apiVersion } };
    expect((await sdk.models.generateContent({ model: at('openai-chat', 'echo'), contents: '牌楼', config })).text).toBe('牌楼');
  });
});

describe.each(UPSTREAMS)('a client that hangs up takes its provider along: %s', (protocol) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ providers: PROVIDERS });
  });
  afterAll(() => server.close());

  const stalled = at(protocol, 'stall-after-3');
  const content = 'tell me a long story';
  const signalOf = (): { readonly signal: AbortSignal; readonly abort: () => void } => {
    const controller = new AbortController();
    return { signal: controller.signal, abort: () => controller.abort() };
  };

  /** Reads a stream up to its first event, and hangs up. */
  async function hangUp(stream: AsyncIterable<unknown>, abort: () => void): Promise<void> {
    try {
      for await (const _event of stream) abort();
    } catch (error) {
      expect(error).toBeInstanceOf(Error);
    }
  }

  /** The call is over, by the client, long before any time-out of the gateway's. */
  async function isOver(count: number): Promise<void> {
    await expect.poll(() => server.records.length, { interval: 5, timeout: 5000 }).toBe(count);
    expect(server.records.at(-1)).toMatchObject({ endedBy: 'client', provider: `up-${protocol}` });
    expect(server.defects).toEqual([]);
  }

  it('by every SDK', async () => {
    const openai = openaiAt(server.url, server.key);
    const chat = signalOf();
    const messages = [{ role: 'user' as const, content }];
    await hangUp(await openai.chat.completions.create({ model: stalled, stream: true, messages }, chat), chat.abort);
    await isOver(1);
    const responses = signalOf();
    await hangUp(await openai.responses.create({ model: stalled, stream: true, input: content, store: false }, responses), responses.abort);
    await isOver(2);
    const anthropic = anthropicAt(server.url, server.key).messages.stream({ model: stalled, max_tokens: 100, messages });
    await hangUp(anthropic, () => anthropic.abort());
    await isOver(3);
    const google = signalOf();
    const config = { abortSignal: google.signal };
    await hangUp(
      await googleAt(server.url, server.key).models.generateContentStream({ model: stalled, contents: content, config }),
      google.abort,
    );
    await isOver(4);
  });

  it('also before the answer began', async () => {
    const call = conduct();
    const upstream = await startUpstream(call.answer);
    const dialect = DIALECTS.find((one) => one.id === protocol);
    const gateway = await startTestServer({ providers: dialect ? { slow: dialect.settings(upstream.url) } : {} });
    const { signal, abort } = signalOf();
    const asked = openaiAt(gateway.url, gateway.key).responses.create({ model: 'slow/x', input: content, store: false }, { signal });
    await Promise.all([call.asked.then(abort), expect(asked).rejects.toThrow(/abort/i)]);
    await call.hungUp;
    await gateway.close();
    await upstream.close();
  });
});
