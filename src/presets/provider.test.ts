import { describe, expect, it } from 'vitest';
import { DEFAULT_FACTS, type FactChanges, type ProtocolId } from '../ir/index.ts';
import { presetNames, presets, presetsByEnv } from './index.ts';
import type { ProviderSettings, ProviderWire } from './preset.ts';
import { compileProvider } from './provider.ts';

const noFacts = (): FactChanges => ({});

const compile = (settings: ProviderSettings, facts: (protocol: ProtocolId) => FactChanges = noFacts) =>
  compileProvider('mine', settings, facts);

const address = ({ origin, basePath }: ProviderWire): string => origin + basePath;

const addresses = (settings: ProviderSettings): Record<string, string> =>
  Object.fromEntries([...compile(settings).wires].map(([protocol, wire]) => [protocol, address(wire)]));

describe('baseUrl', () => {
  it.each([
    { name: 'nothing', baseUrl: 'http://x:9', at: 'http://x:9/v1' },
    { name: 'the version', baseUrl: 'http://x:9/v1', at: 'http://x:9/v1' },
    { name: 'a slash at the end', baseUrl: 'http://x:9/v1/', at: 'http://x:9/v1' },
    { name: 'doubled slashes', baseUrl: 'http://x:9//v1//', at: 'http://x:9/v1' },
    { name: 'an endpoint that was pasted with it', baseUrl: 'http://x:9/v1/chat/completions', at: 'http://x:9/v1' },
    { name: 'a path', baseUrl: 'https://x/team/llm', at: 'https://x/team/llm/v1' },
    { name: 'a path and the version', baseUrl: 'https://x/team/llm/v1', at: 'https://x/team/llm/v1' },
    { name: 'another version', baseUrl: 'https://x/api/v3', at: 'https://x/api/v3' },
  ])('with $name', ({ baseUrl, at }) => {
    expect(addresses({ preset: 'openai-compatible', baseUrl })['openai-chat']).toBe(at);
  });

  it.each([
    { name: 'the root', baseUrl: 'http://x', chat: 'http://x/api/paas/v4', messages: 'http://x/api/anthropic/v1' },
    { name: "one wire's own base", baseUrl: 'http://x/api/paas/v4', chat: 'http://x/api/paas/v4', messages: 'http://x/api/anthropic/v1' },
    {
      name: "another wire's own base",
      baseUrl: 'http://x/api/anthropic/v1',
      chat: 'http://x/api/paas/v4',
      messages: 'http://x/api/anthropic/v1',
    },
    {
      name: 'that base without its version',
      baseUrl: 'http://x/api/anthropic',
      chat: 'http://x/api/paas/v4',
      messages: 'http://x/api/anthropic/v1',
    },
    {
      name: "another address on the vendor's own host",
      baseUrl: 'https://api.z.ai/api/coding/paas/v4',
      chat: 'https://api.z.ai/api/coding/paas/v4',
      messages: 'https://api.z.ai/api/anthropic/v1',
    },
    { name: 'a version alone', baseUrl: 'http://x/v1', chat: 'http://x/v1', messages: 'http://x/api/anthropic/v1' },
  ])('of a provider with several bases: $name', ({ baseUrl, chat, messages }) => {
    expect(addresses({ preset: 'zai', key: 'k', baseUrl })).toEqual({ 'openai-chat': chat, 'anthropic-messages': messages });
  });

  it('as a map gives one each, and leaves out what it does not name', () => {
    const baseUrl = { 'openai-chat': 'https://ark.example/api/coding/v3', 'openai-responses': 'http://y' };
    expect(addresses({ preset: 'volcengine', key: 'k', baseUrl })).toEqual({
      'openai-chat': 'https://ark.example/api/coding/v3',
      'openai-responses': 'http://y/api/v3',
    });
    expect(addresses({ preset: 'deepseek', key: 'k', baseUrl: { 'anthropic-messages': 'https://api.deepseek.com/anthropic' } })).toEqual({
      'anthropic-messages': 'https://api.deepseek.com/anthropic/v1',
    });
    expect(addresses({ preset: 'openai-compatible', baseUrl: { 'anthropic-messages': 'http://y/claude' } })).toEqual({
      'anthropic-messages': 'http://y/claude/v1',
    });
  });

  it.each([
    { name: 'the preset', settings: { preset: 'groq', key: 'k' }, path: '/openai/v1/models' },
    { name: 'a bare host', settings: { preset: 'groq', key: 'k', baseUrl: 'http://x' }, path: '/openai/v1/models' },
    { name: 'a base', settings: { preset: 'groq', key: 'k', baseUrl: 'http://x/v1' }, path: '/v1/models' },
    { name: 'a base with a path', settings: { preset: 'openai-compatible', baseUrl: 'http://x/a/v1' }, path: '/a/v1/models' },
    {
      name: "a list that lies beside the wire's base",
      settings: { preset: 'github-models', key: 'k', baseUrl: 'http://x/a' },
      path: '/a/catalog/models',
    },
  ])('says where models are listed: $name', ({ settings, path }) => expect(compile(settings).modelsPath).toBe(path));
});

describe('regions and settings', () => {
  it.each([
    {
      name: 'a shared key name means the international host',
      settings: { preset: 'moonshot', key: 'k' },
      at: 'https://api.moonshot.ai/v1',
    },
    { name: 'region: cn switches', settings: { preset: 'moonshot', key: 'k', region: 'cn' }, at: 'https://api.moonshot.cn/v1' },
    {
      name: 'a region in the host',
      settings: { preset: 'bedrock', key: 'k', region: 'eu-west-1' },
      at: 'https://bedrock-runtime.eu-west-1.amazonaws.com',
    },
    {
      name: 'a host without a region',
      settings: { preset: 'vertex', settings: { project: 'p1' } },
      at: 'https://aiplatform.googleapis.com/v1/projects/p1/locations/global/publishers/google',
    },
    {
      name: 'a region in host and path',
      settings: { preset: 'vertex', region: 'us-east5', settings: { project: 'p1' } },
      at: 'https://us-east5-aiplatform.googleapis.com/v1/projects/p1/locations/us-east5/publishers/google',
    },
    {
      name: 'a host as people copy it',
      settings: { preset: 'databricks', key: 'k', settings: { host: 'https://adb-1.azuredatabricks.net/' } },
      at: 'https://adb-1.azuredatabricks.net/serving-endpoints',
    },
    {
      name: 'a resource is not needed where the address is given',
      settings: { preset: 'azure-openai', key: 'k', baseUrl: 'http://x/openai/v1' },
      at: 'http://x/openai',
    },
  ])('$name', ({ settings, at }) => expect(Object.values(addresses(settings))).toContain(at));

  it.each([
    {
      name: 'no key',
      settings: { preset: 'openai' },
      says: "Provider 'mine' (preset 'openai') needs 'key', for example \"${env:OPENAI_API_KEY}\"",
    },
    {
      name: 'no resource',
      settings: { preset: 'azure-openai', key: 'k' },
      says: '\'settings.resource\', for example "${env:AZURE_RESOURCE_NAME}"',
    },
    { name: 'no project', settings: { preset: 'vertex' }, says: '\'settings.project\', for example "${env:GOOGLE_VERTEX_PROJECT}"' },
    { name: 'no address', settings: { preset: 'openai-compatible' }, says: "needs 'baseUrl'" },
    { name: 'an unknown preset', settings: { preset: 'opneai' }, says: "unknown preset 'opneai'. Known: openai, anthropic" },
    { name: 'an unknown region', settings: { preset: 'moonshot', key: 'k', region: 'mars' }, says: "no region 'mars'. Known: intl, cn" },
    {
      name: 'a protocol that it does not speak',
      settings: { preset: 'groq', key: 'k', protocols: ['gemini'] },
      says: "does not speak 'gemini'. It speaks: openai-chat",
    },
    {
      name: 'a map with another',
      settings: { preset: 'groq', key: 'k', baseUrl: { gemini: 'http://x' } },
      says: "does not speak 'gemini'",
    },
    {
      name: 'an address that is none',
      settings: { preset: 'openai', key: 'k', baseUrl: 'localhost' },
      says: "'baseUrl' is not a URL: 'localhost'",
    },
    { name: 'another scheme', settings: { preset: 'openai', key: 'k', baseUrl: 'ftp://x' }, says: 'must begin with http' },
    {
      name: 'a password in the address',
      settings: { preset: 'openai', key: 'k', baseUrl: 'http://u:p@x' },
      says: 'must not hold a user name',
    },
    { name: 'a query in the address', settings: { preset: 'openai', key: 'k', baseUrl: 'http://x?a=1' }, says: 'must not hold a query' },
    {
      name: 'a setting that would change the host',
      settings: { preset: 'azure-openai', key: 'k', settings: { resource: 'x/../y' } },
      says: "'resource' may hold",
    },
    {
      name: 'a line break in a header',
      settings: { preset: 'openai', key: 'k', headers: { 'X-A': 'a\r\nb' } },
      says: "header 'X-A' holds a line break",
    },
    { name: 'a line break in the key', settings: { preset: 'openai', key: 'a\nb' }, says: "'key' holds a line break" },
  ] as { name: string; settings: ProviderSettings; says: string }[])('$name is said', ({ settings, says }) => {
    expect(() => compile(settings)).toThrow(says);
  });
});

describe('a compiled provider', () => {
  it('has the protocols in the order of preference, narrowed by the operator', () => {
    expect([...compile({ preset: 'openai', key: 'k' }).wires.keys()]).toEqual(['openai-responses', 'openai-chat', 'openai-completions']);
    expect([...compile({ preset: 'openai', key: 'k', protocols: ['openai-chat'] }).wires.keys()]).toEqual(['openai-chat']);
  });

  it('speaks what not every such server has only where it is named', () => {
    const baseUrl = 'http://x';
    expect([...compile({ preset: 'openai-compatible', baseUrl }).wires.keys()]).toEqual(['openai-chat', 'openai-completions']);
    expect([...compile({ preset: 'openai-compatible', baseUrl, protocols: ['openai-responses'] }).wires.keys()]).toEqual([
      'openai-responses',
    ]);
  });

  it("sends the credential, the wire's headers and the operator's, whose word is the last", () => {
    const { wires } = compile({ preset: 'anthropic', key: ' k ', headers: { 'Anthropic-Version': '2026-10-21', 'X-Team': 'a' } });
    expect(wires.get('anthropic-messages')?.headers).toEqual({ 'x-api-key': 'k', 'anthropic-version': '2026-10-21', 'x-team': 'a' });
  });

  it('sends no credential where there is none', () => {
    expect(compile({ preset: 'ollama' }).wires.get('openai-chat')?.headers).toEqual({});
    expect(compile({ preset: 'openai', headers: { Authorization: 'Basic x' } }).wires.get('openai-chat')?.headers).toEqual({
      authorization: 'Basic x',
    });
  });

  it('knows facts: the defaults, the dialect’s, the wire’s, the model’s, each over the one before', () => {
    const facts = (protocol: ProtocolId): FactChanges =>
      protocol === 'openai-chat' ? { seed: false, maxStop: 9, maxTokensField: 'max_tokens' } : {};
    const of = (model: string) => compile({ preset: 'openai', key: 'k' }, facts).wires.get('openai-chat')?.factsOf(model);
    expect(of('gpt-4o')).toMatchObject({
      n: DEFAULT_FACTS.n,
      seed: false,
      maxStop: 4,
      maxTokensField: 'max_completion_tokens',
      sampling: true,
    });
    expect(of('gpt-5-mini')).toMatchObject({ seed: false, maxStop: 0, sampling: false, efforts: ['minimal', 'low', 'medium', 'high'] });
  });

  it('remembers facts, but not of every name that somebody makes up', () => {
    const wire = compile({ preset: 'openai', key: 'k' }).wires.get('openai-chat');
    expect(wire?.factsOf('gpt-5')).toBe(wire?.factsOf('gpt-5'));
    const first = wire?.factsOf('gpt-5');
    for (let i = 0; i < 1001; i++) wire?.factsOf(`made-up-${i}`);
    expect(wire?.factsOf('gpt-5')).not.toBe(first);
    expect(wire?.factsOf('gpt-5')).toEqual(first);
  });

  it.each([
    { preset: 'vertex', model: 'claude-sonnet-5@20260630', served: ['anthropic-messages'] },
    { preset: 'vertex', model: 'gemini-3-pro', served: ['gemini'] },
    { preset: 'bedrock', model: 'us.anthropic.claude-sonnet-5', served: ['anthropic-messages', 'bedrock-converse'] },
    { preset: 'bedrock', model: 'openai.gpt-oss-120b-1:0', served: ['openai-chat', 'bedrock-converse'] },
    { preset: 'bedrock', model: 'amazon.nova-pro-v1:0', served: ['bedrock-converse'] },
    { preset: 'openai', model: 'gpt-4o-audio-preview', served: ['openai-chat', 'openai-completions'] },
    { preset: 'openai', model: 'gpt-5-pro', served: ['openai-responses', 'openai-completions'] },
  ])('$preset serves $model in $served', ({ preset, model, served }) => {
    const { wires } = compile({ preset, key: 'k', settings: { project: 'p' } });
    expect([...wires.values()].filter((wire) => wire.serves(model)).map((wire) => wire.protocol)).toEqual(served);
  });

  it('exposes what the operator says and knows what the preset says', () => {
    const provider = compile({ preset: 'openai', key: 'k', expose: ['gpt-5*'] });
    expect(['gpt-5-mini', 'gpt-4o'].map(provider.exposes)).toEqual([true, false]);
    expect(['gpt-4o', 'claude-opus-5', 'o3-mini', 'ollama-x'].map(provider.knows)).toEqual([true, false, true, false]);
  });

  it('shares seals between the clouds of one maker, and not between servers that only look alike', () => {
    const maker = (preset: string, more: Partial<ProviderSettings> = {}) =>
      compile({ preset, key: 'k', settings: { project: 'p', resource: 'r' }, ...more }).maker;
    expect([maker('anthropic'), maker('vertex'), maker('bedrock')]).toEqual(['anthropic', 'anthropic', 'anthropic']);
    expect(maker('openai')).not.toBe(maker('azure-openai'));
    const compatible = (name: string) => compileProvider(name, { preset: 'openai-compatible', baseUrl: 'http://x' }, noFacts).maker;
    expect(compatible('a')).not.toBe(compatible('b'));
  });

  it('waits as long as the operator says, and by default as documented', () => {
    expect(compile({ preset: 'openai', key: 'k', timeouts: { idle: 5 } }).timeouts).toEqual({
      connect: 10_000,
      headers: 300_000,
      firstToken: 300_000,
      idle: 5,
      total: 1_800_000,
    });
  });
});

describe('all presets', () => {
  it('have ids of their own that may stand in a path', () => {
    expect(presets.size).toBe(presetNames.length);
    for (const name of presetNames) expect(name).toMatch(/^[a-z0-9][a-z0-9.-]*$/);
  });

  it('are called over https but for those on the own machine', () => {
    const odd = [...presets.values()].flatMap(({ id, origin, local, regions }) =>
      [origin, ...Object.values(regions ?? {})]
        .filter((one) => !one.startsWith('https://') && one !== '' && !(local !== undefined && one.startsWith('http://127.0.0.1')))
        .map((one) => `${id} ${one}`),
    );
    expect(odd).toEqual(['sandbox http://sandbox.invalid']);
  });

  it('cite a page', () => {
    expect([...presets.values()].filter(({ docs }) => docs.length === 0)).toEqual([]);
  });
});

describe('keys in the environment', () => {
  it.each([
    { name: 'one spelling', env: { ZHIPU_API_KEY: 'k' }, found: [{ preset: 'zai', key: 'k' }] },
    { name: 'the other spelling', env: { ZHIPUAI_API_KEY: 'k' }, found: [{ preset: 'zai', key: 'k' }] },
    {
      name: 'a name that says the region',
      env: { SILICONFLOW_CN_API_KEY: 'k' },
      found: [{ preset: 'siliconflow', key: 'k', region: 'cn' }],
    },
    { name: 'an empty value', env: { OPENAI_API_KEY: ' ' }, found: [] },
    { name: 'a key whose address lacks a value', env: { AZURE_API_KEY: 'k', CLOUDFLARE_API_TOKEN: 'k', DATABRICKS_TOKEN: 'k' }, found: [] },
    {
      name: 'a key with its address',
      env: { AZURE_API_KEY: 'k', AZURE_RESOURCE_NAME: 'r' },
      found: [{ preset: 'azure-openai', key: 'k', settings: { resource: 'r' } }],
    },
    {
      name: 'AWS keys and region',
      env: { AWS_ACCESS_KEY_ID: 'i', AWS_SECRET_ACCESS_KEY: 's', AWS_REGION: 'eu-west-1' },
      found: [{ preset: 'bedrock', key: 'i:s', region: 'eu-west-1' }],
    },
    { name: 'half of AWS keys', env: { AWS_ACCESS_KEY_ID: 'i' }, found: [] },
    {
      name: 'Google credentials in a file',
      env: { GOOGLE_APPLICATION_CREDENTIALS: '/x.json', GOOGLE_CLOUD_PROJECT: 'p' },
      found: [{ preset: 'vertex', settings: { project: 'p' } }],
    },
    { name: 'a key for a server of one’s own', env: { VLLM_API_KEY: 'k' }, found: [] },
    {
      name: 'two providers, in the order of the presets',
      env: { GROQ_API_KEY: 'g', OPENAI_API_KEY: 'o' },
      found: [
        { preset: 'openai', key: 'o' },
        { preset: 'groq', key: 'g' },
      ],
    },
  ])('$name', ({ env, found }) => {
    const providers = presetsByEnv(env);
    expect(providers.map((one) => one.settings)).toEqual(found);
    for (const one of providers) expect(() => compile(one.settings)).not.toThrow();
  });

  it('says which variables it read', () => {
    expect(presetsByEnv({ AWS_ACCESS_KEY_ID: 'i', AWS_SECRET_ACCESS_KEY: 's', AWS_REGION: 'x' }).map((one) => one.from)).toEqual([
      ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_REGION'],
    ]);
  });
});
