import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { SESSION_HEADERS } from '../../../src/exchange/read-caller.ts';
import type { ReasonCode } from '../../../src/policy/candidate.ts';
import { candidatesOf } from '../../../src/policy/kept-decision.ts';
import { type Answer, json, type Seen } from '../../fakes/upstream.ts';
import { CHAT, MESSAGES, setTrials, textOf, type TrialOptions, type Trials } from './trials.ts';

let trials: Trials;
afterEach(() => trials.close());
const set = async (options: TrialOptions): Promise<void> => void (trials = await setTrials(options));

const keyOf = ({ headers }: Pick<Seen, 'headers'>): string => String(headers.authorization).replace('Bearer ', '');
const good = json(CHAT.whole);
const refusing = (status: number, headers: Record<string, string> = {}): Answer => json(CHAT.error(status, 'no'), status, headers);
/** Answers by the key that it is asked with. */
const byKey =
  (answers: Readonly<Record<string, Answer>>): Answer =>
  (request, response) =>
    (answers[keyOf(request)] ?? good)(request, response);
const KEYS = [{ value: 'key-one-1' }, { value: 'key-two-2' }, { value: 'key-three' }];
const seenKeys = (): readonly string[] => (trials.upstreams[0]?.seen ?? []).map(keyOf);
const askMany = async (count: number, text = (at: number) => `question ${at}`): Promise<void> => {
  for (let at = 0; at < count; at++) textOf(await trials.ask({ model: 'a/up', text: text(at) }));
};

describe('several keys of one provider', () => {
  it('share the conversations by weight', async () => {
    await set({ answers: [good], settings: [{ keys: [{ value: 'key-one-1', weight: 3 }, { value: 'key-two-2' }] }] });
    await askMany(200);
    const first = seenKeys().filter((key) => key === 'key-one-1').length;
    expect(first).toBeGreaterThan(120);
    expect(first).toBeLessThan(180);
  });

  it.each([401, 402, 403])('%i sets one aside, and the others answer for it', async (status) => {
    await set({ answers: [byKey({ 'key-one-1': refusing(status) })], settings: [{ keys: KEYS }] });
    await askMany(60);
    const keys = seenKeys();
    expect(keys.filter((key) => key === 'key-one-1')).toHaveLength(1);
    expect(keys).toHaveLength(61);
    expect(new Set(keys).size).toBe(3);
    expect(trials.server.records.find(({ attempts }) => attempts === 2)?.failed).toBe('a/up;upstream_credential');
  });

  it.each<[string, Answer, ReasonCode]>([
    ['401', refusing(401), 'credential_bad'],
    ['403', refusing(403), 'credential_bad'],
    ['402', refusing(402), 'quota_exhausted'],
    ['403 with words for a balance', json({ error: { message: 'no', type: 'insufficient_balance' } }, 403), 'quota_exhausted'],
    ['429 with words for a quota', json({ error: { message: 'no', type: 'insufficient_quota' } }, 429), 'quota_exhausted'],
    ['429', refusing(429, { 'retry-after': '60' }), 'cooldown'],
  ])('%s of all of them is told by the next decision', async (_, answer, why) => {
    await set({ answers: [answer, good], settings: [{ keys: KEYS.slice(0, 2) }] });
    for (let at = 0; at < 2; at++) expect((await trials.ask()).headers['x-pailou-served-by']).toBe('b/up');
    await expect.poll(() => trials.server.records.length).toBe(2);
    const { route } = trials.server.records[1] ?? {};
    expect(route && candidatesOf(route)[0]).toMatchObject({ provider: 'a', verdict: 'rejected', reasons: ['alias', 'priority', why] });
  });

  it('an account without credit, told as a bad request, is ours and not the caller’s', async () => {
    const message = 'Your credit balance is too low to access the API. Please go to Plans & Billing.';
    const answer = json({ type: 'error', error: { type: 'invalid_request_error', message } }, 400);
    await set({ answers: [answer, good], dialects: [MESSAGES] });
    for (let at = 0; at < 2; at++) expect((await trials.ask()).headers['x-pailou-served-by']).toBe('b/up');
    await expect.poll(() => trials.server.records.length).toBe(2);
    const [{ failed } = {}, { route } = {}] = trials.server.records;
    expect(failed).toBe('a/up;upstream_credential');
    expect(route && candidatesOf(route)[0]).toMatchObject({ verdict: 'rejected', reasons: ['alias', 'priority', 'quota_exhausted'] });
  });

  it('a limit of one is waited for on that one only', async () => {
    await set({ answers: [byKey({ 'key-two-2': refusing(429, { 'retry-after': '60' }) })], settings: [{ keys: KEYS }] });
    await askMany(60);
    expect(seenKeys().filter((key) => key === 'key-two-2')).toHaveLength(1);
  });

  it('none is spared where all are refused, and the refusal shows no key', async () => {
    await set({
      answers: [(request, response) => json(CHAT.error(401, `bad key ${keyOf(request)}`), 401)(request, response)],
      settings: [{ keys: KEYS }],
    });
    for (let at = 0; at < 4; at++) {
      const got = await trials.ask({ model: 'a/up' });
      expect(got.status).toBe(502);
      expect(got.text).not.toMatch(/key-(one|two|three)/);
    }
    // Three tries the first time; then one each, as there must be a way back.
    expect(seenKeys().length).toBe(6);
  });

  it('another provider answers when all are out', async () => {
    await set({ answers: [refusing(401), good], settings: [{ keys: KEYS.slice(0, 2) }] });
    for (let at = 0; at < 5; at++) expect((await trials.ask()).headers['x-pailou-served-by']).toBe('b/up');
    expect(trials.upstreams[0]?.seen).toHaveLength(2);
  });
});

/** The headers that are promised, as agents send them. */
const HEADERS = [
  'x-session-id',
  'session-id',
  'session_id',
  'x-claude-code-session-id',
  'conversation_id',
  'x-session-affinity',
  'x-opencode-session',
];

describe('a conversation stays on one key', () => {
  it('by no header that has no test here', () => expect(SESSION_HEADERS).toEqual(HEADERS));

  it.each(HEADERS)('by %s', async (header) => {
    await set({ answers: [good], settings: [{ keys: KEYS }] });
    for (let at = 0; at < 20; at++) textOf(await trials.ask({ model: 'a/up', text: `${at}`, headers: { [header]: 'conversation-1' } }));
    expect(new Set(seenKeys()).size).toBe(1);
    for (let at = 0; at < 40; at++) textOf(await trials.ask({ model: 'a/up', headers: { [header]: `conversation-${at}` } }));
    expect(new Set(seenKeys()).size).toBe(3);
  });

  it.each(HEADERS)('%s keeps a target as well, where the route says so', async (header) => {
    const models = { sticky: { targets: [{ to: 'a/up' }, { to: 'b/up' }], affinity: true } };
    await set({ answers: [good, good], config: { models } });
    const served = new Set<unknown>();
    const ask = async (session: string, text: string): Promise<unknown> => {
      const got = await trials.ask({ model: 'sticky', text, headers: { [header]: session } });
      textOf(got);
      return got.headers['x-pailou-served-by'];
    };
    for (let at = 0; at < 12; at++) served.add(await ask('conversation-1', `${at}`));
    expect(served.size).toBe(1);
    for (let at = 0; at < 40; at++) served.add(await ask(`conversation-${at}`, 'hello'));
    expect(served.size).toBe(2);
  });

  it.each(['docs/routing.md', 'docs/routing.zh-CN.md'])('%s names the headers', (page) => {
    const text = readFileSync(page, 'utf8');
    expect(HEADERS.filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
  });

  it.each([
    ['prompt_cache_key', (name: string) => ({ prompt_cache_key: name })],
    ['session_id', (name: string) => ({ session_id: name })],
  ])('by %s in the body', async (_, of) => {
    await set({ answers: [good], settings: [{ keys: KEYS }] });
    const ask = async (session: string, text: string): Promise<void> => {
      const { server } = trials;
      const answer = await fetch(`${server.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${server.key}`, 'content-type': 'application/json' },
        body: JSON.stringify({ ...CHAT.body('a/up', false, text), ...of(session) }),
      });
      expect(answer.status).toBe(200);
    };
    for (let at = 0; at < 20; at++) await ask('conversation-1', `${at}`);
    expect(new Set(seenKeys()).size).toBe(1);
    for (let at = 0; at < 40; at++) await ask(`conversation-${at}`, 'hello');
    expect(new Set(seenKeys()).size).toBe(3);
  });

  it('by what Claude Code says of its session', async () => {
    await set({ answers: [good], settings: [{ keys: KEYS }] });
    const ask = async (session: string, at: number): Promise<void> => {
      const body = { ...MESSAGES.body('a/up', false, `${at}`), metadata: { user_id: `user_1f_account__session_${session}` } };
      const { server } = trials;
      const answer = await fetch(`${server.url}/v1/messages`, {
        method: 'POST',
        headers: { 'x-api-key': server.key, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      expect(answer.status).toBe(200);
    };
    for (let at = 0; at < 20; at++) await ask('0b2c7f1e-1111-4222-8333-944445555666', at);
    expect(new Set(seenKeys()).size).toBe(1);
  });

  it('by how it begins, however it goes on', async () => {
    await set({ answers: [good], settings: [{ keys: KEYS }] });
    const turns = (count: number) =>
      Array.from({ length: count }, (_, at) => ({ role: at % 2 === 0 ? 'user' : 'assistant', content: `turn ${at}` }));
    for (let count = 1; count < 30; count += 2) {
      const { server } = trials;
      const answer = await fetch(`${server.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${server.key}`, 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'a/up', messages: [{ role: 'system', content: 'be brief' }, ...turns(count)] }),
      });
      expect(answer.status).toBe(200);
    }
    expect(new Set(seenKeys()).size).toBe(1);
  });

  it('and moves when its key is refused', async () => {
    const refused = new Set<string>();
    await set({
      answers: [(request, response) => (refused.has(keyOf(request)) ? refusing(401) : good)(request, response)],
      settings: [{ keys: KEYS }],
    });
    const headers = { 'x-session-id': 'one' };
    textOf(await trials.ask({ model: 'a/up', headers }));
    refused.add(seenKeys()[0] ?? '');
    for (let at = 0; at < 5; at++) textOf(await trials.ask({ model: 'a/up', headers }));
    const after = seenKeys().slice(2);
    expect(new Set(after).size).toBe(1);
    expect(after[0]).not.toBe(seenKeys()[0]);
  });
});
