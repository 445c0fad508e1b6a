import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Config } from '../config/config.ts';
import { type Ability, badField, type JsonObject } from '../ir/index.ts';
import { compileSnapshot, withLists } from '../compile-snapshot.ts';
import { placeOf } from '../model-lists.ts';
import type { Candidate, Decision } from '../policy/decide.ts';
import { explain, type Imagined } from '../policy/explain.ts';
import { candidatesOf, isSameOutcome, keepDecision, type KeptDecision, replay } from '../policy/kept-decision.ts';
import { createLiveSignals } from '../policy/live-signals.ts';
import type { TargetSignals } from '../policy/signals.ts';
import type { Said } from '../policy/models/model-facts.ts';
import type { AbilitySettings, Need } from '../policy/needs.ts';
import type { Preferences } from '../policy/preferences.ts';
import { FAILURES, type ModelSettings, type RouteSettings, STRATEGIES } from '../policy/routes/route.ts';
import { runRouteTests } from '../policy/routes/route-tests.ts';
import { clientCodecs } from '../protocols/index.ts';
import type { Routing } from './call.ts';
import { decideCall } from './decide-call.ts';
import type { ExchangePorts } from './exchange.ts';
import { decideMedia } from './media/choose-media.ts';
import type { Writing } from './media/writing.ts';
import { readCaller } from './read-caller.ts';
import { readNeeds } from './read-needs.ts';

const NAMES = ['one', 'two', 'three', 'four'] as const;
const ALIASES = ['fast', 'smart', 'deep', 'x-1', 'x-big'] as const;
const PROTOCOLS = ['openai-chat', 'openai-responses', 'anthropic-messages', 'gemini'] as const;
const WANTS = ['tools', 'vision', 'files', 'structured', 'reasoning', 'imageOutput', 'audioOutput'] as const satisfies readonly Need[];

/** Answers of more than text. */
function outputs(needs: readonly Need[], member: string): JsonObject {
  const wanted = [...(needs.includes('imageOutput') ? ['image'] : []), ...(needs.includes('audioOutput') ? ['AUDIO'] : [])];
  return wanted.length === 0 ? {} : { [member]: ['text', ...wanted] };
}

/** A part of each dialect's body that needs something. */
const BODIES: { readonly [P in (typeof PROTOCOLS)[number]]: (needs: readonly Need[], text: string) => JsonObject } = {
  'openai-chat': (needs, text) => ({
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text },
          ...(needs.includes('vision') ? [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }] : []),
          ...(needs.includes('files') ? [{ type: 'file', file: { file_data: 'data:application/pdf;base64,AAAA' } }] : []),
        ],
      },
    ],
    ...(needs.includes('tools') ? { tools: [{ type: 'function', function: { name: 'f' } }] } : {}),
    ...(needs.includes('structured') ? { response_format: { type: 'json_schema', json_schema: { name: 's', schema: {} } } } : {}),
    ...(needs.includes('reasoning') ? { reasoning_effort: 'high' } : {}),
    ...outputs(needs, 'modalities'),
  }),
  'openai-responses': (needs, text) => ({
    input: [
      {
        role: 'user',
        content: [
          { type: 'input_text', text },
          ...(needs.includes('vision') ? [{ type: 'input_image', image_url: 'https://example.com/a.png' }] : []),
          ...(needs.includes('files') ? [{ type: 'input_file', file_data: 'data:application/pdf;base64,AAAA' }] : []),
        ],
      },
    ],
    ...(needs.includes('tools') ? { tools: [{ type: 'function', name: 'f' }] } : {}),
    ...(needs.includes('structured') ? { text: { format: { type: 'json_schema', name: 's', schema: {} } } } : {}),
    ...(needs.includes('reasoning') ? { reasoning: { effort: 'low' } } : {}),
    ...outputs(needs, 'modalities'),
  }),
  'anthropic-messages': (needs, text) => ({
    max_tokens: 100,
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text },
          ...(needs.includes('vision') ? [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } }] : []),
          ...(needs.includes('files') ? [{ type: 'document', source: { type: 'url', url: 'https://example.com/a.pdf' } }] : []),
        ],
      },
    ],
    ...(needs.includes('tools') ? { tools: [{ name: 'f', input_schema: {} }] } : {}),
    ...(needs.includes('structured') ? { output_config: { format: { type: 'json_schema', schema: {} } } } : {}),
    ...(needs.includes('reasoning') ? { thinking: { type: 'enabled', budget_tokens: 2000 } } : {}),
    ...outputs(needs, 'modalities'),
  }),
  gemini: (needs, text) => ({
    contents: [
      {
        parts: [
          { text },
          ...(needs.includes('vision') ? [{ inlineData: { mimeType: 'image/png', data: 'AAAA' } }] : []),
          ...(needs.includes('files') ? [{ fileData: { mimeType: 'application/pdf', fileUri: 'https://example.com/a.pdf' } }] : []),
        ],
      },
    ],
    ...(needs.includes('tools') ? { tools: [{ functionDeclarations: [{ name: 'f' }] }] } : {}),
    generationConfig: {
      ...(needs.includes('structured') ? { responseJsonSchema: {} } : {}),
      ...(needs.includes('reasoning') ? { thinkingConfig: { thinkingLevel: 'high' } } : {}),
      ...outputs(needs, 'responseModalities'),
    },
  }),
};

/** What may be asked besides chat, with some words in it, and how many tokens that is: of words of five characters. */
const MEDIA: readonly { readonly operation: Ability; readonly body: (text: string) => JsonObject; readonly times?: number }[] = [
  { operation: 'embeddings', body: (text) => ({ input: ['a', text] }) },
  {
    operation: 'embeddings',
    body: (text) => ({ requests: [{ content: { parts: [{ text }] } }, { content: { parts: [{ text: 'a' }] } }] }),
  },
  { operation: 'moderations', body: (text) => ({ input: [text, 'a'] }) },
  { operation: 'rerank', body: (text) => ({ query: text, documents: ['a', { text }] }), times: 2 },
  { operation: 'speech', body: (text) => ({ input: text }) },
  { operation: 'images', body: (text) => ({ prompt: text }) },
  { operation: 'image-edits', body: (text) => ({ prompt: text, image: 'A'.repeat(1000) }) },
  { operation: 'transcription', body: (text) => ({ prompt: text }) },
  { operation: 'videos', body: (text) => ({ prompt: text }) },
];

const targetName = fc.oneof(
  fc.tuple(fc.constantFrom(...NAMES), fc.constantFrom('m', 'n', 'big')).map(([provider, model]) => `${provider}/${model}`),
  fc.constantFrom(...ALIASES, 'gpt-5', 'gone/m'),
);

const regionsOf = fc.uniqueArray(fc.constantFrom('eu', 'us', 'cn'), { minLength: 1, maxLength: 2 });
const keeping = fc.constantFrom('allow' as const, 'deny' as const);

const route: fc.Arbitrary<RouteSettings> = fc.record(
  {
    targets: fc.array(fc.record({ to: targetName, weight: fc.nat(5), order: fc.nat(2) }, { requiredKeys: ['to'] }), {
      minLength: 1,
      maxLength: 4,
    }),
    strategy: fc.constantFrom(...STRATEGIES),
    affinity: fc.boolean(),
    hedge: fc.constantFrom(0, 500),
    regions: regionsOf,
    dataCollection: keeping,
    fallback: fc.oneof(
      fc.array(targetName, { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...FAILURES, 'any' as const), fc.array(targetName, { maxLength: 2 })),
    ),
  },
  { requiredKeys: ['targets'] },
);

const settings: fc.Arbitrary<ModelSettings> = fc.oneof({ weight: 1, arbitrary: targetName }, { weight: 3, arbitrary: route });

const models = fc.dictionary(fc.constantFrom(...ALIASES, 'x-*'), settings);

const abilities: fc.Arbitrary<AbilitySettings> = fc.record(
  {
    tools: fc.boolean(),
    vision: fc.boolean(),
    files: fc.boolean(),
    structured: fc.boolean(),
    reasoning: fc.boolean(),
    context: fc.nat(60),
  },
  { requiredKeys: [] },
);

const amounts = fc.record(
  { input: fc.nat(9), output: fc.nat(9), request: fc.nat(3), long: fc.record({ above: fc.nat(30), input: fc.nat(20) }) },
  { requiredKeys: [] },
);

/** What the operator says of models: abilities, lengths, prices in two currencies. */
const facts: fc.Arbitrary<Said> = fc.record(
  {
    tools: fc.boolean(),
    imageOutput: fc.boolean(),
    audioOutput: fc.boolean(),
    context: fc.nat(60),
    price: fc.tuple(fc.constantFrom('USD' as const, 'CNY' as const), amounts).map(([currency, price]) => ({ currency, ...price })),
  },
  { requiredKeys: [] },
);

/** What is said of a provider. */
const place = fc.record(
  {
    regions: fc.uniqueArray(fc.constantFrom('eu-west', 'us', 'cn'), { maxLength: 2 }),
    dataCollection: keeping,
    models: fc.dictionary(fc.constantFrom('*', 'm', 'b*'), facts),
  },
  { requiredKeys: [] },
);

const config = fc.record({
  listed: fc.dictionary(fc.constantFrom('m', 'n', 'house', 'x-2'), facts),
  places: fc.array(place, { minLength: 4, maxLength: 4 }),
  rule: fc.record({ regions: regionsOf, dataCollection: keeping }, { requiredKeys: [] }),
  models,
  own: fc.option(models, { nil: undefined }),
  allowed: fc.option(fc.constant(['fast', 'x-*', 'one/*']), { nil: undefined }),
  defaultModel: fc.option(targetName, { nil: undefined }),
  abilities: fc.array(fc.dictionary(fc.constantFrom('*', 'm', 'b*'), abilities), { minLength: 4, maxLength: 4 }),
});

const asked = fc.record({
  model: fc.oneof(targetName, fc.constantFrom('x-2', 'house', 'unheard-of')),
  protocol: fc.constantFrom(...PROTOCOLS),
  needs: fc.uniqueArray(fc.constantFrom(...WANTS)),
  words: fc.nat(40),
  down: fc.uniqueArray(fc.oneof(fc.constantFrom(...NAMES), targetName), { maxLength: 3 }),
});

const names = fc.uniqueArray(fc.constantFrom(...NAMES, 'openai', 'nobody'), { maxLength: 2 });

/** What a body says of providers. */
const preferences: fc.Arbitrary<Preferences> = fc.record(
  {
    order: names,
    only: names,
    ignore: names,
    sort: fc.constantFrom('latency' as const, 'price' as const, 'throughput' as const),
    maxPrice: fc.record({ prompt: fc.nat(9), completion: fc.nat(9), request: fc.nat(3), image: fc.nat(9) }, { requiredKeys: [] }),
    requireParameters: fc.boolean(),
    allowFallbacks: fc.boolean(),
    dataCollection: fc.constantFrom('allow' as const, 'deny' as const),
  },
  { requiredKeys: [] },
);

/** What a body says of where to go. */
const routing: fc.Arbitrary<Routing['asks']> = fc.record(
  {
    models: fc.array(targetName, { maxLength: 2 }),
    prefers: preferences,
  },
  { requiredKeys: [] },
);

/** What providers would refuse, or leave out, of a call. */
const misfits = fc.dictionary(fc.constantFrom(...NAMES), fc.constantFrom('refuses' as const, 'loses' as const, 'takes' as const));

/** The same, as decisions are told of those that a call may go to. */
function toldOf(
  given: Readonly<Record<string, 'refuses' | 'loses' | 'takes'>>,
  { candidates }: Decision,
  prefers: Preferences | undefined,
): Pick<Imagined, 'refused' | 'lost'> {
  const of = (kind: 'refuses' | 'loses'): NonNullable<Imagined['lost']> =>
    Object.fromEntries(
      candidates.flatMap(({ provider, model }) => (given[provider] === kind ? [[`${provider}/${model}`, ['style']]] : [])),
    );
  return { refused: of('refuses'), ...(prefers?.requireParameters === true ? { lost: of('loses') } : {}) };
}

/** What changes between two calls. */
const moment = fc.record({
  random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  turns: fc.dictionary(fc.constantFrom(...ALIASES, 'x-*'), fc.nat(9)),
  known: fc.array(
    fc.tuple<[string, TargetSignals]>(
      targetName,
      fc.record(
        {
          busy: fc.nat(4),
          firstTokenMs: fc.double({ min: 0, max: 9000, noNaN: true }),
          tokensPerSecond: fc.double({ min: 1, max: 900, noNaN: true }),
          out: fc.constantFrom('circuit_open' as const, 'cooldown' as const, 'credential_bad' as const, 'quota_exhausted' as const),
        },
        { requiredKeys: [] },
      ),
    ),
    { maxLength: 5 },
  ),
  full: fc
    .uniqueArray(fc.tuple(targetName, fc.constantFrom('concurrency_full' as const, 'local_rate_limit' as const)), {
      maxLength: 4,
      selector: ([name]) => name,
    })
    .map((pairs) => new Map(pairs)),
});

const NO_SAY = { places: [{}, {}, {}, {}], rule: {}, listed: {} };

const PRESETS = ['openai', 'anthropic', 'gemini', 'deepseek'] as const;

function snapshotOf({
  models: table,
  own,
  allowed,
  defaultModel,
  abilities: each,
  places,
  rule,
  listed,
}: typeof config extends fc.Arbitrary<infer C> ? C : never) {
  const providers = Object.fromEntries(
    NAMES.map((name, index) => [
      name,
      { preset: PRESETS[index] ?? 'openai', key: 'k'.repeat(20), abilities: each[index] ?? {}, ...places[index] },
    ]),
  );
  const key = { name: 'k', value: 'v'.repeat(20), ...rule, ...(own ? { routes: own } : {}), ...(allowed ? { models: allowed } : {}) };
  const made = compileSnapshot(
    { providers, models: table, keys: [key], sandbox: false, ...(defaultModel === undefined ? {} : { defaultModel }) } as unknown as Config,
    1,
  );
  // The first provider's own list.
  const first = made.providers.get(NAMES[0]);
  const lists = first
    ? new Map([[first.name, { place: placeOf(first), at: 1, models: new Map(Object.entries(listed)) }]])
    : new Map<never, never>();
  return withLists(made, lists, 1);
}

describe('what is explained is what is done', () => {
  it('for 10,000 configurations and calls', () => {
    fc.assert(
      fc.property(
        config,
        asked,
        fc.option(preferences, { nil: undefined }),
        misfits,
        (made, { model, protocol, needs, words, down }, prefers, given) => {
          const snapshot = snapshotOf(made);
          const [key] = [...snapshot.keys.values()];
          const client = clientCodecs.get(protocol);
          if (!key || !client) throw new Error('no key or client');
          const body = BODIES[protocol](needs, 'word '.repeat(words));
          const live = createLiveSignals(() => 0);
          for (const name of down) live.mark(name, 'unhealthy');
          const { tokens = 0, answer } = readNeeds(body);
          const asks = { ...(answer === undefined ? {} : { answer }), ...(prefers ? { prefers } : {}) };
          const imagined: Imagined = { model, protocol, needs, tokens, key: 'k', down, ...asks };
          const caller = readCaller({}, body, undefined);
          const routing = prefers ? { routing: { asks: { prefers }, ignored: [] } } : {};
          const call = { snapshot, model, key, client, body: Buffer.from(JSON.stringify(body)), headers: {}, ...routing };
          const losses = { reader: () => (one: Candidate) => (given[one.provider] === 'loses' ? ['style'] : []), tries: Infinity };
          const { lost } = toldOf(given, explain(snapshot, imagined), prefers);
          expect(decideCall(call, live.read(), losses).decision).toEqual(
            explain(snapshot, { ...imagined, caller, ...(lost ? { lost } : {}) }),
          );
        },
      ),
      {
        numRuns: 10_000,
        // A route that leads back to itself, as no checked file has it, once took all the room that a decision has.
        examples: [
          [
            {
              models: { fast: { targets: [{ to: 'fast' }, { to: 'fast' }] } },
              own: { 'x-*': { targets: [{ to: 'one/m', order: 0 }, { to: 'fast', weight: 2, order: 0 }, { to: 'fast' }], affinity: true } },
              allowed: undefined,
              defaultModel: undefined,
              abilities: [{}, {}, {}, {}],
              ...NO_SAY,
            },
            { model: 'x-2', protocol: 'openai-chat', needs: [], words: 0, down: [] },
            undefined,
            {},
          ],
        ],
      },
    );
  }, 120_000);

  it('for 10,000 calls for media, which are decided again alike as well', () => {
    const said = fc.option(preferences, { nil: undefined });
    fc.assert(
      fc.property(
        config,
        asked,
        fc.constantFrom(...MEDIA),
        said,
        misfits,
        (made, { model, down, words }, { operation, body, times = 1 }, prefers, given) => {
          const snapshot = snapshotOf(made);
          const [key] = [...snapshot.keys.values()];
          const client = clientCodecs.get('openai-chat');
          if (!key || !client) throw new Error('no key or client');
          const signals = createLiveSignals(() => 0);
          for (const name of down) signals.mark(name, 'unhealthy');
          const asks = prefers ? { prefers } : {};
          const told = (): JsonObject => body('word '.repeat(words));
          const tokens = times * Math.floor((5 * words) / 4);
          const routing = { asks, ignored: [] };
          const write = ({ provider, notes }: Writing): void => {
            if (given[provider.name] === 'refuses') throw badField('style', 'no');
            if (given[provider.name] === 'loses') notes.add('style', 'dropped', 'no such setting');
          };
          const settling: { route?: KeptDecision } = {};
          const imagined: Imagined = {
            model,
            protocol: client.id,
            operation,
            key: 'k',
            down,
            tokens,
            caller: readCaller({}, told(), undefined),
            ...asks,
          };
          const explained = explain(snapshot, { ...imagined, ...toldOf(given, explain(snapshot, imagined), prefers) });
          const trying = {
            health: { refresh: () => undefined },
            limits: () => ({ tries: Infinity }),
          } as unknown as ExchangePorts['trying'];
          const decided = (): unknown =>
            decideMedia(
              { snapshot, model, key, client, ability: operation, headers: {}, told, write, routing },
              { signals, trying, newId: String },
              settling,
            );
          if (explained.refusal) expect(decided).toThrow(explained.refusal.message);
          else expect(decided()).toEqual(explained);
          if (!settling.route) throw new Error('nothing was kept');
          expect(isSameOutcome(explained, settling.route)).toBe(true);
          expect(replay(snapshot, { asked: model, protocol: client.id, operation, key: 'k' }, settling.route)).toEqual(explained);
        },
      ),
      { numRuns: 10_000 },
    );
  }, 120_000);

  it('a decision is made again from what was kept of it, for 10,000 configurations and calls', () => {
    fc.assert(
      fc.property(config, asked, routing, moment, (made, { model, protocol, needs, words, down }, asks, { random, turns, known, full }) => {
        const snapshot = snapshotOf(made);
        const [key] = [...snapshot.keys.values()];
        const client = clientCodecs.get(protocol);
        if (!key || !client) throw new Error('no key or client');
        const out = down.map((name): [string, TargetSignals] => [name, { out: 'unhealthy' }]);
        const whyFull = ({ provider, model }: { readonly provider: string; readonly model: string }) => full.get(`${provider}/${model}`);
        const signals = { random, turns: new Map(Object.entries(turns)), targets: new Map([...known, ...out]), whyFull };
        const body = Buffer.from(JSON.stringify({ ...BODIES[protocol](needs, 'word '.repeat(words)), user: 'someone@example.com' }));
        const headers = { 'x-session-id': 'a-session-of-somebody' };
        const call = { snapshot, model, key, client, body, headers, address: '192.0.2.7', routing: { asks, ignored: [] } };
        const decided = decideCall(call, signals);
        const written = JSON.stringify(keepDecision(decided));
        const kept = JSON.parse(written) as KeptDecision;
        const recorded = { asked: model, protocol, operation: 'generate', key: 'k' };
        expect(replay(snapshot, recorded, kept)).toEqual(decided.decision);
        expect(isSameOutcome(decided.decision, kept)).toBe(true);
        expect(candidatesOf(kept)).toEqual(decided.decision.candidates.map(({ timeouts: _timeouts, hedgeMs: _hedgeMs, ...one }) => one));
        expect(written).not.toMatch(/somebody|someone|192\.0\.2|word word/);
      }),
      { numRuns: 10_000 },
    );
  }, 120_000);

  it('what the gateway asks on its own account is decided again alike, whatever the key may use', () => {
    const snapshot = snapshotOf({
      models: { deep: 'one/tts-1' },
      own: undefined,
      allowed: ['fast', 'x-*', 'one/*'],
      defaultModel: undefined,
      abilities: [{}, {}, {}, {}],
      ...NO_SAY,
    });
    const [key] = [...snapshot.keys.values()];
    const client = clientCodecs.get('openai-chat');
    if (!key || !client) throw new Error('no key or client');
    const { models: _models, ...open } = key;
    const settling: { route?: KeptDecision } = {};
    const trying = { health: { refresh: () => undefined }, limits: () => ({ tries: Infinity }) } as unknown as ExchangePorts['trying'];
    const call = { snapshot, model: 'deep', key: open, client, ability: 'speech' as const, headers: {} };
    const decision = decideMedia(call, { signals: createLiveSignals(() => 0), trying, newId: String }, settling);
    if (!settling.route) throw new Error('nothing was kept');
    const recorded = { asked: 'deep', protocol: client.id, operation: 'speech', key: 'k' };
    expect(replay(snapshot, recorded, settling.route)).toEqual(decision);
    expect(replay(snapshot, recorded, { o: settling.route.o }).refusal?.kind).toBe('permission');
  });

  it('a decision that comes out otherwise is told from the kept one', () => {
    const o = ['1ca one/m', '+.af:dc two/a b/c'];
    const [first, second] = candidatesOf({ o });
    if (!first || !second) throw new Error('two candidates');
    expect(second).toEqual({
      provider: 'two',
      model: 'a b/c',
      verdict: 'eligible',
      reasons: ['alias', 'fallback'],
      after: ['down', 'context'],
    });
    const same = { asked: 'x', candidates: [first, second] };
    expect(isSameOutcome(same, { o })).toBe(true);
    expect(isSameOutcome({ ...same, candidates: [second, first] }, { o })).toBe(false);
    expect(isSameOutcome({ ...same, candidates: [first] }, { o })).toBe(false);
    expect(isSameOutcome({ ...same, candidates: [{ ...first, reasons: ['pattern'] }, second] }, { o })).toBe(false);
    expect(isSameOutcome({ ...same, refusal: { kind: 'not_found', message: '' } }, { o })).toBe(false);
    expect(candidatesOf({ o: ['', '?ca n/m', '1?a n/m', '1c? n/m', '1ca~? n/m', 'nothing'] })).toEqual([]);
  });

  it('a route test is that decision', () => {
    const snapshot = snapshotOf({
      models: {
        smart: {
          targets: [
            { to: 'one/m', weight: 80 },
            { to: 'two/m', weight: 20 },
          ],
          fallback: ['four/m'],
        },
      },
      own: undefined,
      allowed: undefined,
      defaultModel: undefined,
      abilities: [{}, { '*': { tools: false } }, {}, {}],
      ...NO_SAY,
    });
    const results = runRouteTests(snapshot, [
      { name: 'a', when: { model: 'smart', protocol: 'anthropic', needs: ['tools'] }, expect: { first: 'one/m', not: ['two/m'] } },
      { name: 'b', when: { model: 'smart', down: ['one'] }, expect: { order: ['two/m', 'four/m'] } },
      { name: 'c', when: { model: 'nothing' }, expect: { refused: true } },
      { name: 'd', when: { model: 'smart' }, expect: { first: 'two/m' } },
      { name: 'e', when: { model: 'smart' }, expect: { order: ['one/m'] } },
      { name: 'f', when: { model: 'smart' }, expect: { not: ['four/m'] } },
      { name: 'g', when: { model: 'smart' }, expect: { refused: true } },
    ]);
    expect(results.filter(({ ok }) => ok).map(({ name }) => name)).toEqual(['a', 'b', 'c']);
  });
});

describe('what a body needs', () => {
  it.each(PROTOCOLS)('in %s', (protocol) => {
    for (const need of WANTS) expect(readNeeds(BODIES[protocol]([need], 'Hello there')).abilities, need).toEqual([need]);
    expect(readNeeds(BODIES[protocol]([...WANTS], 'x')).abilities.toSorted()).toEqual([...WANTS].toSorted());
    expect(readNeeds(BODIES[protocol]([], 'Hello'))).toMatchObject({ abilities: [], tokens: 1 });
  });

  it.each([
    ['max_tokens', { max_tokens: 7 }],
    ['max_completion_tokens', { max_completion_tokens: 7, max_tokens: 9 }],
    ['max_output_tokens', { max_output_tokens: 7 }],
    ['maxOutputTokens', { generationConfig: { maxOutputTokens: 7 } }],
  ])('how long an answer may be: %s', (_name, body) => expect(readNeeds(body).answer).toBe(7));

  it.each([
    ['no tools', { tools: [] }, []],
    ['functions of old', { functions: [{ name: 'f' }] }, ['tools']],
    ['no thinking', { reasoning_effort: 'none', thinking: { type: 'disabled' } }, []],
    [
      'a sound',
      { messages: [{ role: 'user', content: [{ type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } }] }] },
      ['audio'],
    ],
    ['a film', { contents: [{ parts: [{ fileData: { mimeType: 'video/mp4', fileUri: 'u' } }] }] }, ['video']],
    ['text of a type', { contents: [{ parts: [{ inlineData: { mimeType: 'text/plain', data: 'AAAA' } }] }] }, []],
    ['an odd type', { messages: [{ content: [{ type: 'constructor' }, { type: 7 }, null] }] }, []],
  ])('%s', (_name, body, needs) => expect(readNeeds(body as unknown as JsonObject).abilities).toEqual(needs));

  it('bytes are no text', () => {
    const image = { type: 'image', source: { type: 'base64', data: 'A'.repeat(100_000) } };
    expect(readNeeds({ messages: [{ role: 'user', content: [image] }] }).tokens).toBeLessThan(10);
  });
});

describe('who calls', () => {
  const messages = [{ role: 'user', content: 'Hi' }];
  it.each([
    ['a header', { session_id: 'abc' }, {}, { session: 'abc' }],
    ['the first header that is there', { 'x-session-id': 'a', conversation_id: 'b' }, {}, { session: 'a' }],
    ['the prompt cache’s key', {}, { prompt_cache_key: 'k', user: 'u' }, { session: 'k', user: 'u' }],
    [
      'Claude Code’s session',
      {},
      { metadata: { user_id: 'user_1_account__session_0123abcd-ef' } },
      { session: '0123abcd-ef', user: 'user_1_account__session_0123abcd-ef' },
    ],
    ['a header before the body', { 'x-session-id': 's' }, { prompt_cache_key: 'k' }, { session: 's' }],
    ['nothing', {}, {}, {}],
  ])('by %s', (_name, headers, body, caller) => expect(readCaller(headers, body, undefined)).toEqual(caller));

  it('else by how the prompt begins, marks of caches left out', () => {
    const begins = (...turns: readonly JsonObject[]): string | undefined =>
      readCaller({}, { system: 'S', messages: turns }, '10.0.0.1').session;
    const first = begins({ role: 'user', content: 'Hi' });
    expect(begins({ role: 'user', content: 'Hi' }, { role: 'assistant', content: 'Yes' }, { role: 'user', content: 'More' })).toBe(first);
    expect(begins({ role: 'user', content: [{ type: 'text', text: 'Hi', cache_control: { type: 'ephemeral' } }] })).toBe(
      begins({ role: 'user', content: [{ type: 'text', text: 'Hi' }] }),
    );
    expect(begins({ role: 'user', content: 'Ho' })).not.toBe(first);
    expect(readCaller({}, { messages }, '10.0.0.1').client).toBe('10.0.0.1');
    expect(readCaller({}, { input: 'x'.repeat(100_000) }, undefined).session?.length).toBe(16 * 1024);
  });
});
