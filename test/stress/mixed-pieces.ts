// An upstream of every endpoint in a process of its own that costs little: `fork('mixed-pieces.ts')` with BYTES PIECES GAP_MS, then `{ port }`
// once it listens. Streams of `LANES` (`markOf`) in so many pieces of about so many bytes, made once; other families (`familyMark`) at once.
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { besideAnswer, FAMILIES } from '../fakes/fault-families.ts';
import { stepsOf } from './half-said.ts';
import { type Lane, LANES } from './lanes.ts';
import { isMedia, PICTURE } from './stalled.ts';

const [bytes = 12_800, pieces = 100, gapMs = 5] = process.argv.slice(2).map(Number);

/** As many events a piece as come next to its size. */
function streamOf(lane: Lane): readonly Buffer[] {
  const said = (): string => (isMedia(lane) ? PICTURE : 't ');
  const [, one] = stepsOf(lane, 3, said);
  const each = Math.max(1, Math.round(bytes / (one?.length ?? bytes)));
  const steps = stepsOf(lane, each * pieces, said);
  return Array.from({ length: pieces }, (_, at) => Buffer.concat(steps.slice(at * each, (at + 1) * each)));
}

const STREAMS = LANES.map((lane) => ({ type: lane.type, pieces: streamOf(lane) }));
const WHOLES = FAMILIES.map((family) => ({ type: family.type, pieces: [Buffer.concat(family.pieces.map((piece) => Buffer.from(piece)))] }));

function answer(response: ServerResponse, { type, pieces: all }: (typeof STREAMS)[number]): void {
  response.writeHead(200, { 'content-type': type });
  let at = 0;
  const next = (): void => {
    const piece = all[at++];
    if (at >= all.length) return void response.end(piece);
    const goOn = (): void => void (timer = setTimeout(next, gapMs));
    // Else what nobody takes fills the memory that the system has for all connections, and it throws away what others send.
    if (response.write(piece)) goOn();
    else response.once('drain', goOn);
  };
  let timer = setTimeout(next, 0);
  response.on('close', () => clearTimeout(timer));
}

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  const told: Buffer[] = [];
  request.on('error', () => undefined);
  request.on('data', (piece: Buffer) => told.push(piece));
  request.on('end', () => {
    const { url: path = '', headers } = request;
    const body = Buffer.concat(told).toString('latin1');
    const beside = besideAnswer({ path, body, origin: `http://${headers.host}` });
    if (beside) return void response.writeHead(200, { 'content-type': beside.type }).end(beside.body);
    const [, kind, number] = /(lane|family)-(\d+)-/.exec(`${path}\n${body}`) ?? [];
    const known = (kind === 'lane' ? STREAMS : WHOLES)[Number(number)];
    if (known) answer(response, known);
    // Lists of models: there is none.
    else response.writeHead(404).end();
  });
});
server.listen(0, '127.0.0.1', 4096, () => process.send?.({ port: (server.address() as AddressInfo).port }));
