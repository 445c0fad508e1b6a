import { describe, expect, test } from 'vitest';
import { RESERVED_NAMES } from '../../src/config/check-providers.ts';
import { RESERVED } from '../../src/http/gateway/paths.ts';
import { linesOf, loadText } from './scratch.ts';

const models = (text: string): string =>
  `version: 1\nproviders:\n  openai: { preset: openai, key: "\${env:K}" }\n  mine: { preset: openai-compatible, baseUrl: "http://h:1/v1", expose: ["small-*"] }\nmodels:\n${text}`;

const env = { K: 'sk-0123456789abcdef', LONG: 'pk-0123456789abcdef' };

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
    ['a route without targets', '  a: { targets: [] }\n', '6:8 models.a.targets: error: This route has no targets.'],
    [
      'a target that is no provider',
      '  a: { targets: [{ to: openai/gpt-5 }, { to: opena/gpt-5 }] }\n',
      "6:46 models.a.targets[1].to: error: There is no provider 'opena'. Expected one of: openai, mine, sandbox. Did you mean 'openai'?",
    ],
    [
      'a fallback misspelt',
      '  fast: openai/gpt-5\n  a: { targets: [{ to: openai/gpt-6 }], fallback: [fasst] }\n',
      "7:52 models.a.fallback[0]: error: 'fasst' is no alias",
    ],
    [
      'a fallback of one kind misspelt',
      '  a: { targets: [{ to: openai/gpt-6 }], fallback: { down: [b] } }\n',
      "6:60 models.a.fallback.down[0]: error: 'b' is no alias",
    ],
    [
      'a circle of routes',
      '  a: { targets: [{ to: b }] }\n  b: { targets: [{ to: openai/gpt-5 }, { to: a }] }\n',
      '6:24 models.a.targets[0].to: error: This leads in a circle: a → b → a.',
    ],
    ['a fallback onto itself', '  a: { targets: [{ to: openai/gpt-5 }], fallback: [a] }\n', 'This leads in a circle: a → a.'],
    [
      'the same target twice',
      '  a: { targets: [{ to: openai/gpt-5 }, { to: openai/gpt-5 }] }\n',
      "6:46 models.a.targets[1].to: error: 'openai/gpt-5' is a target of this route already.",
    ],
    [
      'the same target by two names',
      '  b: openai/gpt-5\n  a: { targets: [{ to: openai/gpt-5 }, { to: b }] }\n',
      "7:46 models.a.targets[1].to: error: 'b' leads to 'openai/gpt-5', which is a target of this route already.",
    ],
    [
      'the same target by the names of two aliases and a pattern',
      '  b: openai/gpt-5\n  c-*: b\n  a: { targets: [{ to: b }, { to: c-1 }] }\n',
      "8:35 models.a.targets[1].to: error: 'c-1' leads to 'openai/gpt-5', which is a target of this route already.",
    ],
    [
      'a fallback that has been tried by another name',
      '  b: openai/gpt-5\n  a: { targets: [{ to: b }], fallback: { down: [openai/gpt-5] } }\n',
      "7:49 models.a.fallback.down[0]: error: 'openai/gpt-5' is a target of this route: it has been tried by then.",
    ],
    [
      'the same fallback by two names',
      '  b: openai/b\n  a: { targets: [{ to: openai/gpt-5 }], fallback: [openai/b, b] }\n',
      "models.a.fallback[1]: error: 'b' leads to 'openai/b', which is in this list already.",
    ],
    [
      'the same fallback twice in a list',
      '  a: { targets: [{ to: openai/gpt-5 }], fallback: { down: [openai/b, openai/c], any: [openai/b, openai/b] } }\n',
      "models.a.fallback.any[1]: error: 'openai/b' is in this list already.",
    ],
    [
      'a fallback that has been tried',
      '  a: { targets: [{ to: openai/gpt-5 }], fallback: [openai/gpt-5] }\n',
      "6:52 models.a.fallback[0]: error: 'openai/gpt-5' is a target of this route: it has been tried by then.",
    ],
    ['a star too many in a target', '  "a-*": { targets: [{ to: openai/*-* }] }\n', "'openai/*-*' has more * than 'a-*'."],
    [
      'a route that is never reached',
      '  "a-*": openai/gpt-5\n  "a-b-*": { targets: [{ to: openai/gpt-4 }] }\n',
      '7:3 models["a-b-*"]: error: \'a-b-*\' is never reached',
    ],
    ['a default that is nothing', '  a: openai/gpt-5\ndefaultModel: b\n', "7:15 defaultModel: error: 'b' is no alias"],
    [
      'a key’s own name that leads nowhere',
      '  a: openai/gpt-5\nkeys: [{ name: k, value: "${env:LONG}", routes: { a: opnai/gpt-4 } }]\n',
      "keys[0].routes.a: error: There is no provider 'opnai'.",
    ],
    [
      'a route test of no key',
      '  a: openai/gpt-5\nrouteTests: [{ name: t, when: { model: a, key: k }, expect: { first: openai/gpt-5 } }]\n',
      "7:48 routeTests[0].when.key: error: There is no key 'k'.",
    ],
    [
      'a route test of no provider',
      '  a: openai/gpt-5\nrouteTests: [{ name: t, when: { model: a }, expect: { first: opneai/gpt-5 } }]\n',
      "7:62 routeTests[0].expect.first: error: There is no provider 'opneai'. Expected one of: openai, mine, sandbox. Did you mean 'openai'?",
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
    ['a route', '  f: mine/small-1\n  a: { targets: [{ to: openai/gpt-5, weight: 80 }, { to: f, order: 2 }], fallback: [gpt-5-mini] }\n'],
    ['a route of a pattern', '  "g-*": { targets: [{ to: openai/gpt-* }, { to: mine/small-* }], strategy: random }\n'],
    [
      'fallbacks that name each other',
      '  a: { targets: [{ to: openai/gpt-5 }], fallback: [b] }\n  b: { targets: [{ to: openai/gpt-4 }], fallback: { down: [a] } }\n',
    ],
    ['a default', '  a: openai/gpt-5\ndefaultModel: a\n'],
    ['a name of a key’s own onto that of all', '  a: openai/gpt-5\nkeys: [{ name: k, value: "${env:LONG}", routes: { a: a } }]\n'],
  ])('what leads somewhere passes: %s', async (_name, text) => {
    const { problems } = await loadText(models(text), { env });
    expect(linesOf(problems)).toEqual([]);
  });

  test('routes over routes are walked once', async () => {
    const level = (n: number): string =>
      Array.from({ length: 8 }, (_, i) => `{ to: ${n === 0 ? `openai/m${i}` : `r${n - 1}-${i}`} }`).join(', ');
    const routes = Array.from({ length: 9 }, (_, n) =>
      Array.from({ length: 8 }, (__, i) => `  r${n}-${i}: { targets: [${level(n)}] }\n`),
    ).flat();
    const started = performance.now();
    expect(linesOf((await loadText(models(routes.join('')), { env })).problems)).toEqual([]);
    expect(performance.now() - started).toBeLessThan(5000);
  });

  test('a local server may still be found where nothing is configured: a warning', async () => {
    const { loaded, problems } = await loadText('version: 1\nmodels: { a: ollama/llama3 }\n');
    expect(loaded?.config.models).toEqual({ a: 'ollama/llama3' });
    expect(linesOf(problems)).toEqual([expect.stringContaining("There is no provider 'ollama' yet")]);
  });
});

describe('a second try beside a slow one', () => {
  const KEYS = 'keys: [{ value: "${env:K}" }, { value: "${env:LONG}" }]';
  test.each([
    ['with nowhere to go', 'targets: [{ to: openai/gpt-5 }]', "7:48 models.a.hedge: warning: 'hedge' has nowhere to go"],
    [
      'with a fallback for one failure only',
      'targets: [{ to: openai/gpt-5 }], fallback: { down: [mine/small-1] }',
      "'hedge' has nowhere to go",
    ],
    ['with another target', 'targets: [{ to: openai/gpt-5 }, { to: mine/small-1 }]', ''],
    ['with a fallback', 'targets: [{ to: openai/gpt-5 }], fallback: [mine/small-1]', ''],
    ['with another key', 'targets: [{ to: two/gpt-5 }]', ''],
  ])('%s', async (_name, route, says) => {
    const text = models(`  a: { ${route}, hedge: 800ms }\n`).replace('models:', `  two: { preset: openai, ${KEYS} }\nmodels:`);
    const { problems, loaded } = await loadText(text, { env });
    expect(loaded).toBeDefined();
    expect(linesOf(problems).join('\n')).toContain(says);
    if (says === '') expect(problems).toEqual([]);
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
    [
      'a check of one that lists no models',
      'a: { preset: deepgram, key: "${env:K}", health: { check: 30s } }',
      "needs 'health.path', for example /health: it has no list of models to ask for",
      '',
    ],
    [
      'a check of what is no path',
      'a: { preset: openai, key: "${env:K}", health: { check: 30s, path: health } }',
      'Expected a path: /health',
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

describe('what is written and can have no effect', () => {
  const base = 'version: 1\nproviders:\n  us: { preset: sandbox, regions: [us] }\n';
  const key = (more: string): string => `keys: [{ name: k, value: "\${env:LONG}", ${more} }]\n`;
  test.each([
    [
      'a default after a pattern for all',
      'models: { "*": us/a }\ndefaultModel: us/b\n',
      "5:15 defaultModel: error: It is never used: '*' of models takes every name",
    ],
    [
      'a hedge after the wait has ended',
      'models: { a: { targets: [{ to: us/a }, { to: us/b }], hedge: 20s, timeout: { firstToken: 10s } } }\n',
      "4:62 models.a.hedge: warning: 'hedge' never comes: 'timeout.firstToken' ends the wait before",
    ],
    ['a key that may use nothing', key('models: []'), 'keys[0].models: warning: This key may use no model'],
    [
      'a model of a key that is misspelt',
      `models: { fast: us/a }\n${key('models: [fsat, us/x, "a-*", fast]')}`,
      "5:50 keys[0].models[0]: warning: 'fsat' is no alias, and no configured provider is known to have it. Did you mean 'fast'?",
    ],
    [
      'a key’s own route that it may not use',
      key('models: [us/a], routes: { fast: us/a }'),
      "keys[0].routes.fast: error: This key may not use 'fast': its 'models' lack it",
    ],
    [
      'a key whose regions no provider is in',
      key('regions: [mars]'),
      '4:41 keys[0].regions: warning: No provider may serve this key: none fits its regions and dataCollection',
    ],
    [
      'a breaker where nothing is remembered',
      '  b: { preset: sandbox, health: off, breaker: { failures: 3 } }\n',
      "4:38 providers.b.breaker: warning: 'breaker' does nothing beside 'health: off', which remembers no failures",
    ],
    [
      'a breaker’s longest wait below its first',
      '  b: { preset: sandbox, breaker: { wait: 2m, longest: 1m } }\n',
      "4:55 providers.b.breaker.longest: warning: 'longest' is shorter than 'wait': 'wait' is what counts",
    ],
    [
      'keys that are set aside where nothing is',
      '  b: { preset: sandbox, health: off, setAside: { wait: 1m } }\n',
      "4:38 providers.b.setAside: warning: 'setAside' does nothing beside 'health: off', which sets nothing aside",
    ],
    [
      'a key set aside for less than at first',
      '  b: { preset: sandbox, setAside: { longest: 10s } }\n',
      "providers.b.setAside.longest: warning: 'longest' is shorter than 'wait': 'wait' is what counts",
    ],
    [
      'a line at a provider that takes as many calls as come',
      '  b: { preset: sandbox, queue: { calls: 5 } }\n',
      "4:25 providers.b.queue: warning: 'queue' does nothing where no 'concurrency' is set: nothing waits",
    ],
    [
      'a longest pause below the first',
      '  b: { preset: sandbox, retries: { longest: 50ms } }\n',
      "providers.b.retries.longest: warning: 'longest' is shorter than 'wait': 'wait' is what counts",
    ],
    [
      'more repetitions than tries',
      '  b: { preset: sandbox, retries: 3 }\n',
      "providers.b.retries: warning: A call is tried 3 times at most ('limits.retries.tries'): it is sent again 2 times, not 3",
    ],
    [
      'more repetitions than tries, with pauses',
      '  b: { preset: sandbox, retries: { times: 4 } }\nlimits: { retries: { tries: 4 } }\n',
      "providers.b.retries.times: warning: A call is tried 4 times at most ('limits.retries.tries'): it is sent again 3 times, not 4",
    ],
    [
      'a test that expects nothing',
      'routeTests: [{ name: t, when: { model: us/a }, expect: {} }]\n',
      'routeTests[0].expect: error: This test expects nothing. Expected at least one of: first, order, not, refused',
    ],
  ])('%s', async (_name, text, line) => {
    const { problems } = await loadText(base + text, { env });
    expect(linesOf(problems)).toHaveLength(1);
    expect(linesOf(problems)[0]).toContain(line);
    expect(linesOf(problems, 'zh')[0]).toMatch(/(?:警告|错误)：\P{ASCII}/u);
  });

  test.each([
    ['a default beside narrower patterns', 'models: { "a-*": us/a }\ndefaultModel: us/b\n'],
    ['a key with routes of its own names', key('models: [own], routes: { own: us/a }')],
    ['a key in a region that there is', key('regions: [us]')],
    ['a hedge within the wait', 'models: { a: { targets: [{ to: us/a }, { to: us/b }], hedge: 5s, timeout: { firstToken: 10s } } }\n'],
    ['as many repetitions as there are tries', '  b: { preset: sandbox, retries: 4 }\nlimits: { retries: { tries: 5 } }\n'],
    ['pauses where nothing is remembered', '  b: { preset: sandbox, health: off, retries: { times: 1, wait: 0s } }\n'],
    ['a line at a provider that takes a few', '  b: { preset: sandbox, concurrency: 2, queue: off }\n'],
    ['a line at one of which a key takes a few', '  b: { preset: openai, keys: [{ value: "${env:K}", concurrency: 2 }], queue: off }\n'],
    [
      'a line at one that a route sends a few',
      '  b: { preset: sandbox, queue: off }\nmodels: { a: { targets: [{ to: b/a, concurrency: 2 }] } }\n',
    ],
    ['a longest wait above the usual first', '  b: { preset: sandbox, breaker: { longest: 10s } }\n'],
  ])('nothing is said of %s', async (_name, text) => {
    const { problems } = await loadText(base + text, { env });
    expect(linesOf(problems)).toEqual([]);
  });

  test('a provider with a mistake may be the one that a key needs', async () => {
    const { problems } = await loadText(
      `${base}  eu: { preset: openai, key: "\${env:NOT_SET}", regions: [mars] }\n${key('regions: [mars]')}`,
      { env },
    );
    expect(problems.map(({ code }) => code)).toEqual(['variable_unset']);
  });
});
