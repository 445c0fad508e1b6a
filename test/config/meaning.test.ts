import { describe, expect, test } from 'vitest';
import { RESERVED_NAMES } from '../../src/config/check-providers.ts';
import { RESERVED } from '../../src/http/gateway/paths.ts';
import { linesOf, loadText } from './scratch.ts';

const models = (text: string): string =>
  `version: 1\nproviders:\n  openai: { preset: openai, key: "\${env:K}" }\n  mine: { preset: openai-compatible, baseUrl: "http://h:1/v1", expose: ["small-*"] }\nmodels:\n${text}`;

const env = { K: 'sk-0123456789abcdef' };

describe('names of models that lead nowhere', () => {
  test.each([
    ['an alias of itself', '  a: a\n', '6:6 models.a: error: This leads in a circle: a → a.'],
    ['a circle of two', '  a: b\n  b: a\n', '6:6 models.a: error: This leads in a circle: a → b → a.'],
    ['a circle through a pattern', '  a: b-1\n  "b-*": a\n', 'This leads in a circle: a → b-1 → a.'],
    ['a pattern that grows', '  "a-*": a-b-*\n', 'This leads in a circle: a-* → a-b-* →'],
    ['no provider and no alias', '  a: nowhere\n', "'nowhere' is no alias, and no configured provider is known to have it."],
    ['an alias misspelt', '  fast: openai/gpt-5\n  a: fasst\n', "Did you mean 'fast'?"],
    [
      'a provider misspelt',
      '  a: opena/gpt-5\n',
      "There is no provider 'opena'. Expected one of: openai, mine, sandbox. Did you mean 'openai'?",
    ],
    ['a model that is not exposed', '  a: mine/large\n', "Provider 'mine' does not expose 'large'. Expected a model that matches: small-*"],
    ['a star too many', '  "a-*": openai/*-*\n', "'openai/*-*' has more * than 'a-*'. Expected no more * than the name has"],
    ['a star out of nothing', '  a: openai/*\n', "'openai/*' has more * than 'a'."],
    [
      'a pattern that is never reached',
      '  "a-*": openai/gpt-5\n  "a-b-*": openai/gpt-4\n',
      "'a-b-*' is never reached: 'a-*' above it matches all of it.",
    ],
  ])('%s', async (_name, text, says) => {
    const { problems, loaded } = await loadText(models(text), { env });
    expect(loaded).toBeUndefined();
    expect(linesOf(problems)[0]).toContain(says);
    // Whoever reads Chinese is told in Chinese: no English sentence is left.
    for (const line of linesOf(problems, 'zh')) expect(line.replace(/^.*?错误：/, '')).not.toMatch(/\b(is|the|no|leads|does)\b/);
  });

  test.each([
    ['an alias of an alias', '  a: b\n  b: openai/gpt-5\n'],
    ['a bare id that a provider is known to have', '  a: gpt-5-mini\n'],
    ['a pattern onto itself', '  "gpt-*": openai/gpt-*\n'],
    ['a pattern onto an alias', '  fast: openai/gpt-5\n  "claude-haiku-*": fast\n'],
    ['the narrower pattern first', '  "a-b-*": openai/gpt-5\n  "a-*": openai/gpt-4\n'],
    ['the sandbox', '  a: sandbox/chat\n'],
    ['an exposed model', '  a: mine/small-1\n'],
    ['a model id with slashes', '  a: openai/org/model:free\n'],
  ])('what leads somewhere passes: %s', async (_name, text) => {
    const { problems } = await loadText(models(text), { env });
    expect(linesOf(problems)).toEqual([]);
  });

  test('a local server may still be found where nothing is configured: a warning', async () => {
    const { loaded, problems } = await loadText('version: 1\nmodels: { a: ollama/llama3 }\n');
    expect(loaded?.config.models).toEqual({ a: 'ollama/llama3' });
    expect(linesOf(problems)).toEqual([expect.stringContaining("There is no provider 'ollama' yet")]);
  });
});

test('names that providers cannot have are those that begin a path of the gateway', () => {
  expect([...RESERVED_NAMES].toSorted()).toEqual([...RESERVED].toSorted());
});

describe('providers that cannot be made', () => {
  const provider = (text: string): string => `version: 1\nproviders:\n  ${text}\n`;
  test.each([
    [
      'a preset misspelt',
      'a: { preset: opnai, key: "${env:K}" }',
      '3:16 providers.a.preset: error: Wrong value.',
      "Did you mean 'openai'?",
    ],
    ['no preset', 'a: { key: "${env:K}" }', "'preset' is missing.", ''],
    ['no key', 'a: { preset: openai }', 'needs \'key\', for example "${env:OPENAI_API_KEY}"', ''],
    ['no address', 'a: { preset: openai-compatible }', "needs 'baseUrl': the address of the server", ''],
    ['no resource', 'a: { preset: azure-openai, key: "${env:K}" }', "needs 'settings.resource'", ''],
    ['a region that it has not', 'a: { preset: openai, key: "${env:K}", region: mars }', "has no region 'mars'. Known: eu, us", ''],
    [
      'rerank by embeddings of which it has none',
      'a: { preset: anthropic, key: "${env:K}", rerank: embeddings }',
      "has no embeddings for 'rerank' to use",
      '',
    ],
    ['a region where there are none', 'a: { preset: anthropic, key: "${env:K}", region: eu }', "has no region 'eu'. It has none", ''],
    [
      'a protocol that it does not speak',
      'a: { preset: openai, key: "${env:K}", protocols: [gemini] }',
      "does not speak 'gemini'. It speaks: ",
      '',
    ],
    [
      'a password in the address',
      'a: { preset: openai-compatible, baseUrl: "http://u:p@h/" }',
      'must not hold a user name or password',
      '',
    ],
    ['a query in the address', 'a: { preset: openai-compatible, baseUrl: "http://h/?a=b" }', 'must not hold a query', ''],
    ['another scheme', 'a: { preset: openai-compatible, baseUrl: "ftp://h/" }', 'Expected an address: https://gateway.example.com', ''],
    [
      'a name that is part of our paths',
      'v1: { preset: openai, key: "${env:K}" }',
      "3:3 providers.v1: error: 'v1' cannot name a provider: it is part of the gateway’s own paths",
      '',
    ],
    ['a name with a slash', '"a/b": { preset: openai, key: "${env:K}" }', "'a/b' cannot name a provider", ''],
  ])('%s', async (_name, line, says, near) => {
    const { problems, loaded } = await loadText(provider(line), { env });
    expect(loaded).toBeUndefined();
    expect(problems).toHaveLength(1);
    const [english = ''] = linesOf(problems);
    expect(english).toContain(says);
    expect(english).toContain(near);
    expect(english).toMatch(/^pailou\.yaml:3:\d+ providers\S* ?error: |^pailou\.yaml:3:\d+ \S+: error: /);
    const [chinese = ''] = linesOf(problems, 'zh');
    expect(chinese).toContain('错误：');
    expect(chinese).not.toMatch(/\b(needs|has|does|must|cannot|missing)\b/);
  });
});
