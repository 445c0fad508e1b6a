// Clients in a process of their own, which the server's own pauses do not hold up: `fork('flood.ts')`, one message a load, one answer.
import { Agent, type ClientRequest, request as httpRequest } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** What is asked, how often, and for how long. */
export interface Load {
  readonly url: string;
  readonly key: string;
  readonly body: string;
  /** Calls a second, whether or not those before have ended; or so many at once, one after another; or a burst of so many. */
  readonly pace: { readonly rate: number } | { readonly width: number } | { readonly burst: number };
  readonly seconds: number;
  /** Of them, how many go by before anything counts; a fifth of them if left out. */
  readonly before?: number;
  /** What ends a good answer. */
  readonly last: string;
  /** A server that is asked at the same moments. */
  readonly control?: string;
}

/** How it went. Times in milliseconds, of calls that began in the time that counts, or of all in a burst. */
export interface Flooded {
  /** Good answers a second: of each, the part that came in that time. Who ends just before or behind it would else count whole, or not. */
  readonly rate: number;
  readonly asked: number;
  readonly served: readonly number[];
  /** Of each, what was not the upstream's own time. */
  readonly beyond: readonly number[];
  /** Until the head of a refusal with `Retry-After` came. */
  readonly refused: readonly number[];
  /** The same of the control. */
  readonly control: readonly number[];
  /** Neither. */
  readonly failed: number;
  readonly example?: string;
}

const agent = new Agent({ keepAlive: true, maxFreeSockets: 4096 });

/** What is not answered so long after the end of a load has failed. */
const PATIENCE_MS = 20_000;
/** Of what came last, so many characters are looked at. */
const TAIL = 800;
const underWay = new Set<ClientRequest>();

interface Outcome {
  readonly kind: 'served' | 'refused' | 'failed';
  readonly ms: number;
  readonly beyond?: number;
  /** Of its answer, the part that came in the time that counts. */
  readonly part?: number;
  readonly why?: string;
}

/** The time that counts, in monotonic milliseconds. */
interface Counted {
  readonly from: number;
  readonly until: number;
}

function ask({ key, body, last }: Load, url: string, { from, until }: Counted): Promise<Outcome> {
  return new Promise((resolve) => {
    const began = performance.now();
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), authorization: `Bearer ${key}` };
    const sent = httpRequest(url, { method: 'POST', headers, agent }, (response) => {
      const headAfter = performance.now() - began;
      let tail = '';
      let [all, counted] = [0, 0];
      response.on('data', (bytes: Buffer) => {
        const now = performance.now();
        all += bytes.length;
        if (now >= from && now <= until) counted += bytes.length;
        tail = (bytes.length >= TAIL ? '' : tail.slice(-TAIL)) + bytes.toString('latin1', Math.max(0, bytes.length - TAIL));
      });
      response.on('error', () => {});
      response.on('close', () => {
        const { statusCode = 0 } = response;
        const took = performance.now() - began;
        if (statusCode === 200 && tail.includes(last))
          resolve({ kind: 'served', ms: took, beyond: took - Number(/@([\d.]+)@/.exec(tail)?.[1]), part: counted / all });
        else if ((statusCode === 503 || statusCode === 529) && response.headers['retry-after'] !== undefined)
          resolve({ kind: 'refused', ms: headAfter });
        else resolve({ kind: 'failed', ms: headAfter, why: `${statusCode} ${tail}` });
      });
    });
    underWay.add(sent);
    sent.on('close', () => underWay.delete(sent));
    sent.on('error', (error) => resolve({ kind: 'failed', ms: 0, why: error.message }));
    sent.end(body);
  });
}

async function flood(load: Load): Promise<Flooded> {
  const began = performance.now();
  const before = 'burst' in load.pace ? 0 : (load.before ?? load.seconds / 5);
  const from = began + before * 1000;
  const until = began + load.seconds * 1000;
  const outcomes: Outcome[] = [];
  const control: number[] = [];
  let served = 0;
  let asked = 0;
  const one = async (): Promise<Outcome['kind']> => {
    const startedAt = performance.now();
    asked++;
    if (load.control !== undefined)
      void ask(load, load.control, { from, until }).then(({ ms }) => void (startedAt >= from && control.push(ms)));
    const outcome = await ask(load, load.url, { from, until });
    if (startedAt >= from) outcomes.push(outcome);
    served += outcome.part ?? 0;
    return outcome.kind;
  };
  const { pace } = load;
  if ('width' in pace) {
    const worker = async (): Promise<void> => {
      // Who is refused comes back a little later, as clients do.
      while (performance.now() < until) if ((await one()) === 'refused') await sleep(100);
    };
    await Promise.all(Array.from({ length: pace.width }, worker));
  } else if ('burst' in pace) {
    await Promise.all(Array.from({ length: pace.burst }, one));
  } else {
    const running: Promise<unknown>[] = [];
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        const now = performance.now();
        while (asked < ((Math.min(now, until) - began) * pace.rate) / 1000) running.push(one());
        if (now < until) return;
        clearInterval(timer);
        resolve();
      }, 2);
    });
    const late = setTimeout(() => {
      for (const one of underWay) one.destroy(new Error('not answered'));
    }, PATIENCE_MS);
    await Promise.all(running);
    clearTimeout(late);
  }
  const of = (kind: Outcome['kind']): number[] => outcomes.filter((one) => one.kind === kind).map(({ ms }) => ms);
  const why = outcomes.find(({ kind }) => kind === 'failed')?.why;
  return {
    rate: served / (load.seconds - before),
    asked,
    served: of('served'),
    beyond: outcomes.flatMap(({ beyond }) => beyond ?? []),
    refused: of('refused'),
    control,
    failed: of('failed').length,
    ...(why === undefined ? {} : { example: why }),
  };
}

process.on('message', (load: Load) => void flood(load).then((flooded) => process.send?.(flooded)));
