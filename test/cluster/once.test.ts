import { afterEach, beforeEach, expect, it } from 'vitest';
import { leaveHome, newHome } from '../e2e/program.ts';
import { chatBody, type CrewServer, oneConnection, type Reply, startCrew, toEach, twoWorkers } from './crew.ts';

let home: string;
beforeEach(async () => {
  home = await newHome('crew');
});
afterEach(async () => {
  await leaveHome(home);
});

/** The same from several connections, one after the other, to both workers. */
async function toBoth(
  server: CrewServer,
  headers: Readonly<Record<string, string>> = {},
  body: unknown = chatBody('kept'),
): Promise<readonly Reply[]> {
  const connections = (await toEach(server, 3)).flat();
  const replies: Reply[] = [];
  for (const one of connections) replies.push(await one.send('POST', '/v1/chat/completions', body, headers));
  for (const one of connections) one.close();
  return replies;
}

const KEPT = 'models: { kept: { targets: [{ to: sandbox/chat }], cache: 10m } }\n';

it('what one worker keeps, all of them give again', async () => {
  const server = await startCrew(home, KEPT);
  // Another worker is given a quarter of a second to say what it has: on a busy machine it may need longer, and the question is asked anew.
  // Were nothing shared, the second worker would ask the provider in each of these rounds.
  for (let round = 1; ; round++) {
    const replies = await toBoth(server, {}, { ...chatBody('kept'), messages: [{ role: 'user', content: `Hello! ${round}` }] });
    const how = replies.map(({ headers }) => headers['x-pailou-cache']);
    if (how.filter((word) => word === 'miss').length > 1 && round < 5) continue;
    expect(replies.map(({ status }) => status)).toEqual(replies.map(() => 200));
    expect(how).toEqual(['miss', ...replies.slice(1).map(() => 'hit')]);
    expect(new Set(replies.map(({ text }) => text)).size).toBe(1);
    return;
  }
});

it('what one worker has done for an Idempotency-Key, no other does again', async () => {
  const replies = await toBoth(await startCrew(home, 'models: { kept: sandbox/chat }\n'), { 'idempotency-key': 'once' });
  expect(replies.map(({ status, headers }) => [status, headers['idempotent-replayed']])).toEqual([
    [200, undefined],
    ...replies.slice(1).map(() => [200, 'true']),
  ]);
  expect(new Set(replies.map(({ text }) => text)).size).toBe(1);
});

it('what was being worked on when the server was killed is refused, and not done again', async () => {
  const models = 'models: { kept: sandbox/slow-headers-30s }\n';
  const headers = { 'idempotency-key': 'cut' };
  const first = await startCrew(home, models);
  const both = await twoWorkers(first);
  const sent = both.map((one) => one.send('POST', '/v1/chat/completions', chatBody('kept'), headers));
  for (const one of sent) one.catch(() => undefined);
  // One of the two is told that the other is at work: then that is on disk.
  expect((await Promise.race(sent)).status).toBe(409);
  for (const pid of first.workers().values()) process.kill(pid, 'SIGKILL');
  first.child.kill('SIGKILL');
  await first.ended;
  for (const one of both) one.close();
  const second = await startCrew(home, models);
  const again = oneConnection(second.url);
  const got = await again.send('POST', '/v1/chat/completions', chatBody('kept'), headers);
  again.close();
  expect([got.status, (JSON.parse(got.text) as { error: { code: string } }).error.code]).toEqual([409, 'idempotency_answer_lost']);
});
