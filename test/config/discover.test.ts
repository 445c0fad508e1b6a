import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { findInEnvironment, findLocalServers, mayDiscover, type Probe, withFound } from '../../src/config/discover.ts';
import { presets } from '../../src/presets/index.ts';
import { loadText } from './scratch.ts';

describe('keys in the environment', () => {
  test.each([
    ['OPENAI_API_KEY', 'openai', {}],
    ['ANTHROPIC_API_KEY', 'anthropic', {}],
    ['GEMINI_API_KEY', 'gemini', {}],
    ['GOOGLE_API_KEY', 'gemini', {}],
    ['DEEPSEEK_API_KEY', 'deepseek', {}],
    ['DASHSCOPE_API_KEY', 'dashscope', {}],
    ['MOONSHOT_API_KEY', 'moonshot', {}],
    ['ZHIPU_API_KEY', 'zai', {}],
    ['ZHIPUAI_API_KEY', 'zai', {}],
    ['ZAI_API_KEY', 'zai', {}],
    ['ARK_API_KEY', 'volcengine', {}],
    ['SILICONFLOW_API_KEY', 'siliconflow', {}],
    ['OPENROUTER_API_KEY', 'openrouter', {}],
    ['XAI_API_KEY', 'xai', {}],
    ['GROQ_API_KEY', 'groq', {}],
    ['MISTRAL_API_KEY', 'mistral', {}],
  ])('%s is a provider', async (variable, preset, more) => {
    const found = findInEnvironment({ [variable]: 'sk-of-the-test' });
    expect(found).toEqual([{ name: preset, settings: { preset, key: 'sk-of-the-test', ...more }, from: [variable] }]);
    const { loaded } = await loadText('version: 1\n', { env: { [variable]: 'sk-of-the-test' } });
    expect(loaded?.config.providers).toEqual({ [preset]: found[0]?.settings });
  });

  test('an empty variable is none', () => expect(findInEnvironment({ OPENAI_API_KEY: '' })).toEqual([]));

  test('every variable that a hosted preset names finds it, with what its address needs', () => {
    for (const preset of presets.values()) {
      if (preset.local || preset.origin === '') continue;
      const settings = Object.fromEntries(
        (preset.settings ?? []).flatMap(({ env }) => (env?.[0] === undefined ? [] : [[env[0], 'value']])),
      );
      for (const variable of preset.env) {
        expect(
          findInEnvironment({ ...settings, [variable]: 'key' }).map(({ name }) => name),
          variable,
        ).toContain(preset.id);
      }
    }
  });

  test.each([
    ['the file names providers', 'version: 1\nproviders: { mine: { preset: sandbox } }\n'],
    ['it says not to look', 'version: 1\ndiscover: false\n'],
  ])('nothing is found where %s', async (_name, text) => {
    const { loaded } = await loadText(text, { env: { OPENAI_API_KEY: 'sk-0123' } });
    expect(loaded?.found).toEqual([]);
    expect(loaded && mayDiscover(loaded.config)).toBe(false);
    expect(Object.keys(loaded?.config.providers ?? {})).not.toContain('openai');
  });

  test('a file without providers leaves the environment in force', async () => {
    const { loaded } = await loadText('version: 1\nmodels: { fast: openai/gpt-5-mini }\n', { env: { OPENAI_API_KEY: 'sk-0123' } });
    expect(Object.keys(loaded?.config.providers ?? {})).toEqual(['openai']);
  });
});

const MODELS = JSON.stringify({ object: 'list', data: [{ id: 'a-model' }] });

/** Servers by port, each with its answer. */
const probeOf =
  (servers: Readonly<Record<number, string>>, asked: string[] = []): Probe =>
  (url) => {
    asked.push(url);
    return Promise.resolve(servers[Number(new URL(url).port)]);
  };

describe('servers on this machine', () => {
  test.each([
    [11_434, 'ollama'],
    [1234, 'lm-studio'],
    [8080, 'llama.cpp'],
    [8000, 'vllm'],
  ])('port %i is %s', async (port, name) => {
    const found = await findLocalServers({}, 7117, probeOf({ [port]: MODELS }));
    expect(found).toEqual([{ name, settings: { preset: name }, from: [`127.0.0.1:${port}`] }]);
  });

  test.each([
    ['a page', '<html>hello</html>'],
    ['something else in JSON', '{"status":"ok"}'],
    ['nothing', ''],
    ['a list of something else', '[]'],
  ])('what answers with %s is no server of models', async (_name, body) => {
    expect(await findLocalServers({}, 7117, probeOf({ 8000: body, 8080: body }))).toEqual([]);
  });

  test('all are asked on loopback, once, but not itself', async () => {
    const asked: string[] = [];
    await findLocalServers({}, 8080, probeOf({}, asked));
    expect(asked.every((url) => url.startsWith('http://127.0.0.1:'))).toBe(true);
    expect(new Set(asked).size).toBe(asked.length);
    expect(asked.some((url) => url.includes(':8080/'))).toBe(false);
    expect(asked.some((url) => url.includes(':11434/'))).toBe(true);
  });

  test('a probe that fails finds nothing and hurts nothing', async () => {
    const probe: Probe = (url) => (url.includes(':8000') ? Promise.reject(new Error('reset')) : probeOf({ 1234: MODELS })(url, 1));
    expect((await findLocalServers({}, 7117, probe)).map(({ name }) => name)).toEqual(['lm-studio']);
  });

  test('a key of one in the environment is used for it, and said where from', async () => {
    const [found] = await findLocalServers({ LM_API_TOKEN: 'token-of-the-test' }, 7117, probeOf({ 1234: MODELS }));
    expect(found).toEqual({
      name: 'lm-studio',
      settings: { preset: 'lm-studio', key: 'token-of-the-test' },
      from: ['127.0.0.1:1234', 'LM_API_TOKEN'],
    });
  });

  test('the same kind in the cloud keeps its name', async () => {
    const { loaded } = await loadText('version: 1\n', { env: { OLLAMA_API_KEY: 'k' } });
    const found = await findLocalServers({ OLLAMA_API_KEY: 'k' }, 7117, probeOf({ 11_434: MODELS }));
    const { providers } = withFound(loaded?.config ?? ({ providers: {} } as never), found);
    expect(Object.keys(providers)).toEqual(['ollama', 'ollama-local']);
    expect(providers['ollama']).toMatchObject({ region: 'cloud' });
    expect(providers['ollama-local']).not.toHaveProperty('region');
  });

  test('a server that accepts and never answers costs no more than the probe may last', async () => {
    const server = createServer(() => undefined);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const { httpProbe } = await import('../../src/config/discover.ts');
    const started = performance.now();
    expect(await httpProbe(`http://127.0.0.1:${port}/v1/models`, 100)).toBeUndefined();
    expect(performance.now() - started).toBeLessThan(5000);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  test('real answers are read; refusals, errors and endless ones are not', async () => {
    const { httpProbe } = await import('../../src/config/discover.ts');
    const server = createServer((request, response) => {
      if (request.url === '/good') response.end(MODELS);
      else if (request.url === '/bad') response.writeHead(401).end(MODELS);
      else {
        const more = (): void => void (response.write(Buffer.alloc(65_536, 'a')) ? setImmediate(more) : response.once('drain', more));
        more();
        response.on('error', () => undefined);
      }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const ask = (path: string) => httpProbe(`http://127.0.0.1:${port}${path}`, 5000);
    expect(await ask('/good')).toBe(MODELS);
    expect(await ask('/bad')).toBeUndefined();
    expect(await ask('/endless')).toBeUndefined();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    expect(await ask('/good')).toBeUndefined();
  });
});
