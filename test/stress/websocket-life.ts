// Turns over the Responses API's WebSocket that run when the process is told to end.
import { setTimeout as sleep } from 'node:timers/promises';
import { DIALECTS, responses } from '../exchange/dialects.ts';
import { type Family, providersAt } from '../fakes/fault-families.ts';
import { startFaultUpstream } from '../fakes/fault-upstream.ts';
import { OVER_SOCKET, overSocket, SOCKET_FAMILIES } from '../fakes/web-sockets.ts';
import { KEY, startGateway } from './gateway.ts';
import { hasAllEvents, held } from './half-said.ts';
import { type Lane, LANES, markOf } from './lanes.ts';
import { type Measured, pairName } from './part.ts';

/** Of each turn. */
const EVENTS = 20;
const GAP_MS = 200;

/** The mark of the lane that streams what a turn over this upstream does. */
const MARKS = DIALECTS.map(({ id }) => markOf(LANES.find(({ name }) => name === pairName(responses.id, id)) as Lane));

/** So many turns, each over a connection of its own, of which half has come when the signal does. */
export async function* websocketLife(turns: number): AsyncIterable<Measured> {
  const paused = held(EVENTS, GAP_MS);
  const upstream = await startFaultUpstream(paused.behave);
  const gateway = await startGateway(providersAt(upstream.url));
  const seen = { begun: 0, over: 0 };
  try {
    const running = Array.from({ length: turns }, async (_, at) => {
      const family = SOCKET_FAMILIES[at % SOCKET_FAMILIES.length] as Family;
      let isFirst = true;
      const got = await overSocket({
        url: gateway.url,
        key: KEY,
        asked: family.ask(MARKS[at % MARKS.length] as string),
        heard(text) {
          if (!isFirst || !text.includes('@0@')) return;
          isFirst = false;
          seen.begun++;
        },
      });
      seen.over++;
      const isWhole = got.isWhole && got.text.includes('"type":"response.completed"') && hasAllEvents(got.text, EVENTS);
      return isWhole ? undefined : `over ${family.provider}: ${got.status} ${got.text.slice(-200)}`;
    });
    // What is over by now has failed, and will be told.
    while (seen.begun < turns && seen.over === 0) await sleep(5);
    gateway.program.child.kill('SIGTERM');
    while (
      (await fetch(`${gateway.url}/readyz`).then(
        ({ status }) => status,
        () => 0,
      )) === 200
    )
      await sleep(1);
    paused.goOn();
    const broken = (await Promise.all(running)).filter((why) => why !== undefined);
    const code = await gateway.program.ended;
    const detail = `exit code ${code ?? 'none'}${broken[0] === undefined ? '' : `; ${broken[0]}`}`;
    yield {
      promise: 'life.broken',
      about: OVER_SOCKET,
      value: broken.length,
      many: turns,
      isKept: broken.length === 0 && code === 0,
      detail,
    };
  } finally {
    await gateway.stop();
    await upstream.close();
  }
}
