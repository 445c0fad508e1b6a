import { afterEach, describe, expect, it } from 'vitest';
import { createConversations } from '../../../src/policy/conversations.ts';
import { type Answer, json, type Seen, stream } from '../../fakes/upstream.ts';
import { CHAT, MESSAGES, setTrials, textOf, type TrialOptions, type Trials } from './trials.ts';

let trials: Trials | undefined;
afterEach(async () => {
  await trials?.close();
  trials = undefined;
});
const set = async (options: TrialOptions): Promise<Trials> => (trials = await setTrials(options));

const good: Answer = (request, response) =>
  (request.body.includes('"stream":true') ? stream(CHAT.events) : json(CHAT.whole))(request, response);
const down: Answer = json(CHAT.error(500, 'no'), 500);
const keyOf = ({ headers }: Pick<Seen, 'headers'>): string => String(headers.authorization).replace('Bearer ', '');
const ROUTE = { sticky: { targets: [{ to: 'a/up' }, { to: 'b/up' }], affinity: true } };
const KEYS = [{ value: 'key-one-1' }, { value: 'key-two-2' }, { value: 'key-three' }];

interface Said {
  readonly servedBy: unknown;
  readonly notes: unknown;
  readonly recorded: string | undefined;
}

/** One call of the conversation `one`; what the client and the record are told. */
async function say(stage: Trials, model: string, more: Parameters<Trials['ask']>[0] = {}): Promise<Said> {
  const count = stage.server.records.length;
  const got = await stage.ask({ model, headers: { 'x-session-id': 'one' }, ...more });
  textOf(got, more.client);
  await expect.poll(() => stage.server.records.length).toBe(count + 1);
  const { 'x-pailou-served-by': servedBy, 'x-pailou-notes': notes } = got.headers;
  return { servedBy, notes, recorded: stage.server.records[count]?.notes };
}

describe('a conversation that had to move says so', () => {
  it.each([
    ['stream, raw', { stream: true }],
    ['whole, raw', {}],
    ['stream, translated', { stream: true, client: MESSAGES }],
    ['whole, strictly', { headers: { 'x-session-id': 'one', 'x-strict': '1' } }],
  ])('from its target, once, and once when it comes back: %s', async (_, more) => {
    const stage = await set({ answers: [good, good], config: { models: ROUTE } });
    const first = await say(stage, 'sticky', more);
    expect(first.notes).toBe(undefined);
    expect(await say(stage, 'sticky', more)).toEqual(first);
    const home = first.servedBy === 'a/up' ? 0 : 1;
    (stage.upstreams[home] as { answer: Answer }).answer = down;
    const moved = await say(stage, 'sticky', more);
    expect(moved).toEqual({
      servedBy: home === 0 ? 'b/up' : 'a/up',
      notes: 'affinity.target;moved',
      recorded: 'affinity.target;moved',
    });
    expect((await say(stage, 'sticky', more)).notes).toBe(undefined);
    (stage.upstreams[home] as { answer: Answer }).answer = good;
    expect(await say(stage, 'sticky', more)).toMatchObject({ servedBy: first.servedBy, notes: 'affinity.target;moved' });
    expect((await say(stage, 'sticky', more)).notes).toBe(undefined);
  });

  it('from its key', async () => {
    const refused = new Set<string>();
    const answer: Answer = (request, response) =>
      (refused.has(keyOf(request)) ? json(CHAT.error(401, 'no'), 401) : good)(request, response);
    const stage = await set({ answers: [answer], settings: [{ keys: KEYS }] });
    expect((await say(stage, 'a/up')).notes).toBe(undefined);
    refused.add(keyOf(stage.upstreams[0]?.seen[0] as Seen));
    expect((await say(stage, 'a/up')).notes).toBe('affinity.key;moved');
    expect((await say(stage, 'a/up')).notes).toBe(undefined);
  });

  it('but not one that begins elsewhere because its place is out, nor one that nothing keeps', async () => {
    const stage = await set({
      answers: [down, good],
      config: { models: { ...ROUTE, loose: { targets: [{ to: 'a/up' }, { to: 'b/up' }] } } },
    });
    for (let at = 0; at < 8; at++) {
      const headers = { 'x-session-id': `other ${at}` };
      expect((await say(stage, 'sticky', { headers })).notes).toBe(undefined);
      expect((await say(stage, 'loose', { headers: { 'x-session-id': 'one' } })).notes).toBe(undefined);
    }
  });
});

describe('what is remembered of conversations', () => {
  const spot = (session: string, target: string, asked = 'm') => ({ session, asked, provider: 'p', target });
  it('is kept apart by what they ask for', () => {
    const { moves, stays } = createConversations();
    stays(spot('one', 'p/a'));
    stays(spot('one', 'p/b', 'other'));
    expect(moves(spot('one', 'p/a'))).toEqual([]);
    expect(moves(spot('one', 'p/b', 'other'))).toEqual([]);
    expect(moves(spot('one', 'p/b'))).toEqual(['target']);
    expect(moves(spot('two', 'p/b'))).toEqual([]);
  });
  it('is bounded: those longest silent are forgotten', () => {
    const { moves, stays } = createConversations();
    for (let at = 0; at < 10_001; at++) {
      stays(spot(`s${at}`, 'p/a'));
      stays(spot('busy', 'p/a'));
    }
    expect(moves(spot('s0', 'p/b'))).toEqual([]);
    expect(moves(spot('busy', 'p/b'))).toEqual(['target']);
    expect(moves(spot('s10000', 'p/b'))).toEqual(['target']);
  });
});
