// What ends while streams run: the process by a signal, a configuration by another.
import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { chat } from '../exchange/dialects.ts';
import { startFaultUpstream } from '../fakes/fault-upstream.ts';
import { startGateway } from './gateway.ts';
import type { Measured, Part } from './part.ts';
import { paced, settings } from './paced.ts';
import { talk } from './talk.ts';

const BODY = JSON.stringify(chat.body('oai/up', true));

const SPOILT = 10;
const READY_MS = 250;

/** Whether a balancer would send it more. */
const isReady = (url: string): Promise<boolean> =>
  fetch(`${url}/readyz`).then(
    async (answer) => {
      await answer.arrayBuffer();
      return answer.status === 200;
    },
    () => false,
  );

/** A second signal ends it, whatever runs. */
async function* secondSignal(): AsyncIterable<Measured> {
  const upstream = await startFaultUpstream(paced(1_000_000, 100));
  const gateway = await startGateway({ oai: settings(upstream.url) });
  const agent = new Agent({ keepAlive: true });
  try {
    let heard = false;
    const isHeard = (): boolean => heard;
    const running = talk({ url: `${gateway.url}/v1/chat/completions`, body: BODY, agent, heard: () => (heard = true) });
    while (!isHeard()) await sleep(5);
    gateway.program.child.kill('SIGTERM');
    while (await isReady(gateway.url)) await sleep(1);
    // Signals within a second are one.
    await sleep(1100);
    const signalled = performance.now();
    gateway.program.child.kill('SIGTERM');
    const code = await gateway.program.ended;
    const value = performance.now() - signalled;
    yield { promise: 'life.second', value, many: 1, isKept: value <= 1000, detail: `exit code ${code ?? 'none'}` };
    await running;
  } finally {
    agent.destroy();
    await gateway.stop();
    await upstream.close();
  }
}

async function* lifeRows(streams: number): AsyncIterable<Measured> {
  const upstream = await startFaultUpstream(paced(30, 100));
  const gateway = await startGateway({ oai: settings(upstream.url) });
  const agent = new Agent({ keepAlive: true });
  const url = `${gateway.url}/v1/chat/completions`;
  try {
    let failed = 0;
    let asked = 0;
    const until = performance.now() + 5000;
    upstream.behave = paced(3, 5);
    const load = Array.from({ length: 16 }, async () => {
      while (performance.now() < until) {
        asked++;
        const got = await talk({ url, body: BODY, agent });
        if (got.status !== 200 || !got.text.includes('[DONE]')) failed++;
      }
    });
    let reloads = 0;
    while (performance.now() < until) {
      await gateway.reload();
      reloads++;
    }
    await Promise.all(load);
    yield { promise: 'life.reload', value: failed, many: asked, isKept: failed === 0 && reloads > 0, detail: `${reloads} reloads` };

    let applied = 0;
    for (let i = 0; i < SPOILT; i++) {
      const key = await gateway.spoil();
      if ((await fetch(`${gateway.url}/v1/models`, { headers: { authorization: `Bearer ${key}` } })).status === 200) applied++;
      await gateway.reload();
    }
    yield { promise: 'life.invalid', value: applied, many: SPOILT, isKept: applied === 0 };

    upstream.behave = paced(30, 100);
    const begun = { streams: 0 };
    const running = Array.from({ length: streams }, async () => {
      let isFirst = true;
      const got = await talk({
        url,
        body: BODY,
        agent,
        heard() {
          if (isFirst) begun.streams++;
          isFirst = false;
        },
      });
      return { isWhole: got.status === 200 && got.isWhole && got.text.includes('[DONE]'), endedAt: performance.now() };
    });
    while (begun.streams < streams) await sleep(5);
    const signalled = performance.now();
    gateway.program.child.kill('SIGTERM');
    while (await isReady(gateway.url)) await sleep(1);
    const unready = performance.now() - signalled;
    const ends = await Promise.all(running);
    const code = await gateway.program.ended;
    const after = performance.now() - Math.max(...ends.map(({ endedAt }) => endedAt));
    const broken = ends.filter(({ isWhole }) => !isWhole).length;
    yield { promise: 'life.readiness', value: unready, many: 1, isKept: unready <= READY_MS };
    yield { promise: 'life.broken', value: broken, many: streams, isKept: broken === 0 };
    yield { promise: 'life.exit', value: after, many: 1, isKept: after <= 1000 && code === 0, detail: `exit code ${code ?? 'none'}` };
  } finally {
    agent.destroy();
    await gateway.stop();
    await upstream.close();
  }
}

export const life: Part = {
  name: 'life',
  async *rows({ streams }) {
    yield* lifeRows(streams);
    yield* secondSignal();
  },
};
