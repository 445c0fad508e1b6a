// The load: keeps connections busy with one request, reads every answer whole and checks it. A process of its own.
import { connect, type Socket } from 'node:net';

/** What to do. */
export interface Job {
  readonly port: number;
  /** Other servers that get an equal part of the connections. */
  readonly others?: readonly number[];
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly connections: number;
  readonly warmMs: number;
  readonly measureMs: number;
  /** One answer a connection, then the end. */
  readonly once: boolean;
  /** Requests a second over all connections; 0: as fast as they are answered. */
  readonly rate: number;
  /** Numbered deltas that an answer must hold; 0: it is whole when its length is right. */
  readonly deltas: number;
  /** What a complete stream ends with. */
  readonly ending: string;
}

/** What came of it. Times in microseconds. */
export interface Outcome {
  readonly answers: number;
  readonly wrong: number;
  /** Why the first wrong answer was wrong. */
  readonly why?: string;
  readonly p50: number;
  readonly p99: number;
}

const TILDE = 0x7e;

/** Reads HTTP/1.1 answers, one after another, on one connection. */
function createAnswerReader(onAnswer: (status: number, body: Buffer, isLast: boolean) => void): (bytes: Buffer) => void {
  let pending: Buffer = Buffer.alloc(0);
  let status = 0;
  let length = -1;
  let chunked = false;
  let isLast = false;
  let pieces: Buffer[] = [];
  const done = (): void => {
    const body = Buffer.concat(pieces);
    pieces = [];
    const said = status;
    status = 0;
    onAnswer(said, body, isLast);
  };
  const head = (): boolean => {
    const end = pending.indexOf('\r\n\r\n');
    if (end < 0) return false;
    const text = pending.toString('latin1', 0, end);
    status = Number(text.slice(9, 12));
    isLast = /connection: close/i.test(text);
    chunked = /transfer-encoding: chunked/i.test(text);
    length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
    pending = pending.subarray(end + 4);
    return true;
  };
  const chunk = (): boolean => {
    const end = pending.indexOf('\r\n');
    if (end < 0) return false;
    const size = Number.parseInt(pending.toString('latin1', 0, end), 16);
    if (pending.length < end + 4 + size) return false;
    if (size > 0) pieces.push(pending.subarray(end + 2, end + 2 + size));
    pending = pending.subarray(end + 4 + size);
    if (size === 0) done();
    return true;
  };
  const whole = (): boolean => {
    if (pending.length < length) return false;
    pieces.push(pending.subarray(0, length));
    pending = pending.subarray(length);
    done();
    return true;
  };
  return (bytes) => {
    pending = pending.length === 0 ? bytes : Buffer.concat([pending, bytes]);
    while (status === 0 ? head() : chunked ? chunk() : whole());
  };
}

/** What is wrong with an answer, or `undefined`. */
function problemOf(job: Job, status: number, body: Buffer): string | undefined {
  if (status !== 200) return `status ${status}: ${body.toString('utf8', 0, 200)}`;
  if (job.deltas === 0) return body.length > 100 ? undefined : 'an answer that is too short';
  let count = 0;
  for (let at = body.indexOf(TILDE); at >= 0; at = body.indexOf(TILDE, at + 7)) {
    if (Number(body.toString('latin1', at + 1, at + 7)) !== count) return `delta ${count} is not in its place`;
    count++;
  }
  if (count !== job.deltas) return `${count} deltas instead of ${job.deltas}`;
  return body.includes(job.ending, Math.max(0, body.length - 2048)) ? undefined : `no ${job.ending} at the end`;
}

function percentile(sorted: readonly number[], at: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * at))] ?? 0;
}

function run(job: Job): Promise<Outcome> {
  const headers = Object.entries({ ...job.headers, 'content-type': 'application/json', 'content-length': Buffer.byteLength(job.body) });
  const request = Buffer.from(
    `POST ${job.path} HTTP/1.1\r\nhost: 127.0.0.1:${job.port}\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${job.body}`,
  );
  const begin = performance.now() + job.warmMs;
  const end = begin + job.measureMs;
  const times: number[] = [];
  let answers = 0;
  let wrong = 0;
  let why: string | undefined;
  let open = job.connections;

  return new Promise((resolve) => {
    const finish = (socket: Socket): void => {
      socket.destroy();
      if (--open > 0) return;
      times.sort((a, b) => a - b);
      resolve({ answers, wrong, p50: percentile(times, 0.5), p99: percentile(times, 0.99), ...(why === undefined ? {} : { why }) });
    };
    const bad = (reason: string): void => {
      wrong++;
      why ??= reason;
    };
    /** One client: on one connection as long as the server keeps it, then on another. */
    const talk = (port: number): void => {
      let sentAt = 0;
      let over = false;
      const stop = (): void => {
        if (over) return;
        over = true;
        finish(socket);
      };
      const send = (): void => {
        sentAt = performance.now();
        socket.write(request);
      };
      const socket = connect({ port, host: '127.0.0.1', noDelay: true }, send);
      socket.on(
        'data',
        createAnswerReader((status, body, isLast) => {
          const now = performance.now();
          const problem = problemOf(job, status, body);
          if (problem !== undefined) bad(problem);
          else if (job.once || (now >= begin && now <= end)) {
            answers++;
            times.push((now - sentAt) * 1000);
          }
          if (job.once || now >= end) stop();
          else if (isLast) {
            over = true;
            socket.destroy();
            talk(port);
          } else if (job.rate > 0) setTimeout(send, Math.max(0, sentAt + (1000 * job.connections) / job.rate - performance.now()));
          else send();
        }),
      );
      const lost = (): void => {
        if (!over) bad('the connection was cut');
        stop();
      };
      socket.on('error', lost);
      socket.on('close', lost);
    };
    const ports = [job.port, ...(job.others ?? [])];
    for (let index = 0; index < job.connections; index++) talk(ports[index % ports.length] ?? job.port);
  });
}

process.on('message', (job: Job) => {
  void run(job).then((outcome) => process.send?.(outcome));
});
process.on('disconnect', () => process.exit(0));
