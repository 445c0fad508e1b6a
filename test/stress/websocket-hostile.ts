// Messages and frames with something wrong in them, evil names and members, and what is beyond a bound, over the Responses API's WebSocket.
import { once } from 'node:events';
import fc from 'fast-check';
import { WebSocket } from 'ws';
import { type Data, DIALECTS, responses } from '../exchange/dialects.ts';
import { changed, EVIL, JSON_PIECES, placesIn, RICH } from '../exchange/evil-bodies.ts';
import { EVIL_NAMES, ID_PATHS, inTarget, wentRight } from '../exchange/evil-names.ts';
import { providersAt } from '../fakes/fault-families.ts';
import { FAULTS } from '../fakes/faults.ts';
import { type Behaviour, type FaultUpstream, startFaultUpstream } from '../fakes/fault-upstream.ts';
import { frameOf, type FrameSettings, framesIn, OPCODES, openRaw, readRaw } from '../fakes/raw-web-socket.ts';
import { problem } from '../fakes/seen.ts';
import { createMessage, OVER_SOCKET, overSocket, SOCKET_ENDS, SOCKET_FAMILIES } from '../fakes/web-sockets.ts';
import { startTestServer, type TestServer } from '../server.ts';
import { KEY, startGateway } from './gateway.ts';
import { inParallel, type Measured } from './part.ts';

const WIDTH = 8;
const HANGS_MS = 20_000;
const PATH = '/v1/responses';
const keys = [{ name: 'stress', value: KEY }];

/** An upstream that is well: it streams in the protocol of the path. */
const well: Behaviour = ({ path }, response) => {
  const dialect = DIALECTS.find((one) => one.id !== 'gemini' && path.endsWith(one.path('', false).slice(3))) ?? DIALECTS.at(-1);
  response.writeHead(200, { 'content-type': 'text/event-stream' }).end(dialect?.events.join(''));
};

/** A message with one to three things wrong in its values, or in its text. */
function mutant(model: string): fc.Arbitrary<string> {
  const rich = { ...createMessage(model, 'x'), ...RICH[responses.id] };
  const places = placesIn(rich).filter(([first]) => first !== undefined && first !== 'model');
  const text = JSON.stringify(rich);
  const edits = fc.array(fc.tuple(fc.constantFrom(...places), EVIL), { minLength: 1, maxLength: 3 });
  const cut = fc.tuple(fc.nat({ max: text.length }), fc.nat({ max: 6 }), fc.constantFrom('', ...JSON_PIECES, '\uffff', '\\u0000'));
  const inValues = edits.map((all) =>
    JSON.stringify(
      all.reduce<unknown>((body, [place, evil]) => {
        try {
          return changed(body, place, evil);
        } catch {
          // An earlier change took the place away.
          return body;
        }
      }, rich),
    ),
  );
  const inText = fc
    .array(cut, { minLength: 1, maxLength: 3 })
    .map((cuts) => cuts.reduce((so, [at, many, put]) => so.slice(0, at) + put + so.slice(at + many), text));
  return fc.oneof(inValues, inText);
}

/** What is wrong with the event that ends a turn; `undefined`: nothing. */
function wrongWith(event: Data): string | undefined {
  if (event.type !== 'error') return undefined;
  if (!(event.status >= 400 && event.status < 500)) return `status ${event.status}`;
  try {
    responses.envelope(event, event.status);
    return undefined;
  } catch {
    return `no envelope: ${JSON.stringify(event).slice(0, 200)}`;
  }
}

/** Sends messages one after another over one connection; gives what was wrong with each answer. A silent one ends it. */
async function answersTo(url: string, messages: readonly string[]): Promise<(string | undefined)[]> {
  const socket = new WebSocket(url.replace('http', 'ws') + PATH, { headers: { authorization: `Bearer ${KEY}` } });
  let said = (_event: Data): void => {};
  socket.on('error', () => {});
  socket.on('message', (data: Buffer) => {
    const event: Data = JSON.parse(data.toString());
    if (SOCKET_ENDS.has(event.type)) said(event);
  });
  await once(socket, 'open');
  const found: (string | undefined)[] = [];
  for (const message of messages) {
    const ended = new Promise<string | undefined>((resolve) => {
      said = (event) => resolve(wrongWith(event));
      socket.once('close', () => resolve('closed'));
      setTimeout(resolve, HANGS_MS, 'silent').unref();
    });
    socket.send(message);
    const why = await ended;
    found.push(why === undefined ? undefined : `${why} to ${message.slice(0, 300)}`);
    if (socket.readyState !== WebSocket.OPEN) break;
    socket.removeAllListeners('close');
  }
  socket.terminate();
  return found;
}

const codeOf = (code: number): Buffer => Buffer.from([code >> 8, code & 255]);
const GOOD = Buffer.from(JSON.stringify(createMessage('resp/up', 'x')));
const HALF = frameOf(GOOD.subarray(0, 20), { isLast: false });

/** Frames that break the rules, and the code that a close then has. */
const EVIL_FRAMES: readonly (readonly [name: string, bytes: Buffer, codes: readonly number[]])[] = [
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode) => [`kind ${opcode}`, frameOf(GOOD, { opcode }), [1002]] as const),
  ...[1, 2, 3, 4, 5, 6, 7].map((reserved) => [`reserved bits ${reserved}`, frameOf(GOOD, { reserved }), [1002]] as const),
  ['no mask', frameOf(GOOD, { isMasked: false }), [1002]],
  ['a continuation of nothing', frameOf(GOOD, { opcode: OPCODES.continuation }), [1002]],
  ['a message within another', Buffer.concat([HALF, frameOf(GOOD)]), [1002]],
  ['a ping in pieces', frameOf('x', { opcode: OPCODES.ping, isLast: false }), [1002]],
  ['a long ping', frameOf('x'.repeat(126), { opcode: OPCODES.ping }), [1002]],
  ['a close of one byte', frameOf('x', { opcode: OPCODES.close }), [1002]],
  ...[0, 999, 1004, 1005, 1006, 1015, 2999, 5000].map(
    (code) => [`a close with ${code}`, frameOf(codeOf(code), { opcode: OPCODES.close }), [1002]] as const,
  ),
  ['a close in no UTF-8', frameOf(Buffer.concat([codeOf(1000), Buffer.from([0xff])]), { opcode: OPCODES.close }), [1007]],
  ['text in no UTF-8', frameOf(Buffer.from([0x7b, 0xc3, 0x28, 0xff])), [1007]],
  ['half a character', frameOf(Buffer.from([0xed, 0xa0, 0x80])), [1007]],
  ['a length beyond all numbers', frameOf('', { length: 2 ** 53 }), [1009]],
  ['a length beyond what is allowed', frameOf('', { length: 2 ** 40 }), [1009]],
];

interface Received {
  readonly received: Buffer;
  readonly isClosed: boolean;
}

const closeIn = ({ received }: Received): number | undefined => {
  const payload = framesIn(received).find(({ opcode }) => opcode === OPCODES.close)?.payload;
  return payload === undefined ? undefined : payload.length >= 2 ? payload.readUInt16BE(0) : 1005;
};

/** What is wrong with how frames were taken; `codes`: of a close, one of which must have come. */
function wrongFrames(came: Received, codes?: readonly number[]): string | undefined {
  if (!came.isClosed) return 'not closed';
  if (!came.received.toString('latin1').startsWith('HTTP/1.1 101 '))
    return `no handshake: ${came.received.toString('latin1').slice(0, 100)}`;
  const code = closeIn(came);
  if (codes && !codes.includes(code ?? 0)) return `closed with ${code ?? 'nothing'}`;
  const texts = framesIn(came.received).filter(({ opcode }) => opcode === OPCODES.text);
  return texts.map(({ payload }) => wrongWith(JSON.parse(payload.toString()))).find((why) => why !== undefined);
}

/** Bytes with up to three changes. */
const garbled = (bytes: Buffer): fc.Arbitrary<Buffer> =>
  fc
    .array(fc.tuple(fc.nat({ max: bytes.length }), fc.nat({ max: 8 }), fc.uint8Array({ maxLength: 8 })), { minLength: 1, maxLength: 3 })
    .map((cuts) =>
      cuts.reduce((so, [at, many, put]) => Buffer.concat([so.subarray(0, at), Buffer.from(put), so.subarray(at + many)]), bytes),
    );

/** Sends bytes and hangs up; what came of it. */
async function sendBytes(url: string, bytes: Buffer, codes?: readonly number[]): Promise<string | undefined> {
  const socket = openRaw(url, PATH, KEY);
  socket.end(bytes);
  const why = wrongFrames(await readRaw(socket, HANGS_MS), codes);
  return why === undefined ? undefined : `${why} to ${bytes.subarray(0, 60).toString('hex')}`;
}

/** Malformed messages, a tenth as many malformed frames, and each way to break the rules of frames. */
export async function* websocketBodies(bodies: number, seed: number): AsyncIterable<Measured> {
  const upstream = await startFaultUpstream((one, response) => {
    if (upstream.tries.length > 1000) upstream.tries.length = 0;
    well(one, response);
  });
  const gateway = await startGateway(providersAt(upstream.url));
  try {
    const each = Math.ceil(bodies / DIALECTS.length);
    const messages = DIALECTS.flatMap(({ provider }) => fc.sample(mutant(`${provider}/up`), { numRuns: each, seed }));
    const batches = Array.from({ length: Math.ceil(messages.length / 50) }, (_, at) => messages.slice(at * 50, at * 50 + 50));
    const answers = await inParallel(
      batches.map((batch) => () => answersTo(gateway.url, batch)),
      WIDTH,
    );
    const random = fc.sample(garbled(Buffer.concat([HALF, frameOf(GOOD.subarray(20), { opcode: 0 })])), { numRuns: bodies / 10, seed });
    const frames = await inParallel(
      [
        ...EVIL_FRAMES.map(
          ([, bytes, codes]) =>
            () =>
              sendBytes(gateway.url, bytes, codes),
        ),
        ...random.map((bytes) => () => sendBytes(gateway.url, bytes)),
      ],
      WIDTH,
    );
    const isUp = gateway.program.child.exitCode === null && gateway.program.child.signalCode === null;
    const wrong = [...answers.flat(), ...frames].filter((why) => why !== undefined);
    // A connection that was closed took the rest of its batch along.
    const lost = messages.length - answers.flat().length;
    const value = (isUp ? 0 : 1) + wrong.length + lost;
    const detail = wrong[0] === undefined ? {} : { detail: wrong[0] };
    yield { promise: 'hostile.bodies', about: OVER_SOCKET, value, many: messages.length + frames.length, isKept: value === 0, ...detail };
  } finally {
    await gateway.stop();
    await upstream.close();
  }
}

interface Scene {
  readonly server: TestServer;
  readonly upstream: FaultUpstream;
}

/** One message as it is written; whether it was answered. */
const say = async ({ server }: Scene, text: string): Promise<boolean> =>
  (await overSocket({ url: server.url, key: KEY, asked: { path: PATH, body: Buffer.from(text) }, withinMs: HANGS_MS })).isWhole;

/** The same at a path that is written as it is. */
async function sayAt({ server }: Scene, path: string, message: Buffer): Promise<boolean> {
  const socket = openRaw(server.url, path, KEY);
  socket.end(frameOf(message));
  return (await readRaw(socket, HANGS_MS)).isClosed;
}

/** Models, responses, conversations and platforms with evil names. */
async function nameRow(scene: Scene): Promise<Measured> {
  const { upstream } = scene;
  let [wrong, many] = [0, 0];
  const look = async (paths: readonly string[], ask: Promise<boolean>): Promise<void> => {
    upstream.tries.length = 0;
    if (!(await ask)) wrong++;
    many++;
    wrong += upstream.tries.filter(({ path }) => !wentRight(path, paths)).length;
  };
  for (const [, name] of EVIL_NAMES) {
    for (const { provider, path } of DIALECTS) {
      const usual = path('', true).replace(/^(\/v1beta\/models\/).*/, '$1');
      await look([usual, ...ID_PATHS], say(scene, JSON.stringify(createMessage(`${provider}/${name}`, 'x'))));
    }
    for (const member of ['previous_response_id', 'conversation', 'stream_id'])
      await look(ID_PATHS, say(scene, JSON.stringify({ ...createMessage('resp/up', 'x'), [member]: name })));
    await look([], sayAt(scene, `/${inTarget(name)}${PATH}`, GOOD));
  }
  return { promise: 'hostile.names', about: OVER_SOCKET, value: wrong, many, isKept: wrong === 0 };
}

const EVIL_MEMBERS = '"__proto__":{"stream":false,"model":"evil","n":9},"constructor":{"prototype":{"stream":false}},';

/** What the upstream is asked must not change by them, nor any object of this process. */
async function prototypeRow(scene: Scene): Promise<Measured> {
  const { upstream } = scene;
  let wrong = 0;
  for (const { provider } of DIALECTS) {
    const sentFor = async (text: string): Promise<Data> => {
      upstream.tries.length = 0;
      if (!(await say(scene, text))) wrong++;
      return JSON.parse(upstream.tries.at(-1)?.body ?? 'null');
    };
    const good = JSON.stringify({ ...createMessage(`${provider}/up`, 'x'), max_output_tokens: 50, temperature: 1 });
    const wanted = await sentFor(good);
    // Refused is well too.
    const sent = (await sentFor(good.replaceAll('{"', `{${EVIL_MEMBERS}"`))) ?? wanted;
    const plain = Object.keys(wanted).filter((key) => typeof wanted[key] !== 'object');
    wrong += plain.filter((key) => sent[key] !== wanted[key]).length + ['stream', 'model', 'n'].filter((key) => key in {}).length;
  }
  return { promise: 'hostile.prototypes', about: OVER_SOCKET, value: wrong, many: DIALECTS.length, isKept: wrong === 0 };
}

const MIB = 2 ** 20;
const deep = (depth: number): string => `{"type":"response.create","model":"resp/up","input":${'['.repeat(depth)}${']'.repeat(depth)}}`;
const inFragments = (size: number, many: number): Buffer =>
  Buffer.concat(
    Array.from({ length: many }, (_, at) => {
      const settings: FrameSettings = { opcode: at === 0 ? OPCODES.text : OPCODES.continuation, isLast: at === many - 1 };
      return frameOf(Buffer.alloc(size, 32), settings);
    }),
  );

/** Beyond what is allowed: what is told then, as a status or as the code of a close. */
const BEYOND: readonly { readonly name: string; readonly bytes: () => Buffer; readonly status?: number; readonly code?: number }[] = [
  { name: 'too deep', bytes: () => frameOf(deep(2000)), status: 400 },
  { name: 'far too deep', bytes: () => frameOf(deep(2_000_000)), status: 400 },
  { name: 'too large', bytes: () => frameOf(Buffer.alloc(34 * MIB, 32)), code: 1009 },
  { name: 'too large, in pieces', bytes: () => inFragments(MIB, 34), code: 1009 },
  { name: 'in too many pieces', bytes: () => inFragments(1, 20_000), code: 1008 },
  { name: 'packed, which was not agreed', bytes: () => frameOf(GOOD, { reserved: 4 }), code: 1002 },
];

async function boundsRow(scene: Scene): Promise<Measured> {
  const { server, upstream } = scene;
  const wrong: string[] = [];
  upstream.tries.length = 0;
  for (const { name, bytes, status, code } of BEYOND) {
    const socket = openRaw(server.url, PATH, KEY, 'sec-websocket-extensions: permessage-deflate; client_max_window_bits\r\n');
    socket.end(bytes());
    const came = await readRaw(socket, HANGS_MS);
    const told =
      framesIn(came.received)
        .find(({ opcode }) => opcode === OPCODES.text)
        ?.payload.toString() ?? 'null';
    const isTold = status === undefined ? closeIn(came) === code : (JSON.parse(told) as Data)?.status === status;
    if (!isTold) wrong.push(`${name}: ${closeIn(came) ?? 'no close'}, ${told.slice(0, 100)}`);
    if (/sec-websocket-extensions/i.test(came.received.toString('latin1').split('\r\n\r\n')[0] ?? ''))
      wrong.push(`${name}: packing was agreed`);
  }
  if (upstream.tries.some(({ body }) => body !== '')) wrong.push('the upstream was asked');
  // The other direction: answers that grow while they are unpacked.
  const bomb = FAULTS.find(({ name }) => name.startsWith('a gzip of'));
  for (const family of bomb ? SOCKET_FAMILIES : []) {
    if (!bomb) break;
    upstream.behave = bomb.behave(family);
    const why = problem(family, bomb, await overSocket({ url: server.url, key: KEY, asked: family.ask('x') }));
    if (why !== undefined) wrong.push(`a bomb over ${family.provider}: ${why}`);
  }
  upstream.behave = well;
  const many = BEYOND.length + SOCKET_FAMILIES.length;
  const detail = wrong[0] === undefined ? {} : { detail: wrong[0] };
  return { promise: 'hostile.bounds', about: OVER_SOCKET, value: wrong.length, many, isKept: wrong.length === 0, ...detail };
}

async function withScene(run: (scene: Scene) => Promise<Measured>): Promise<Measured> {
  const upstream = await startFaultUpstream(well);
  const server = await startTestServer({ providers: providersAt(upstream.url), keys });
  try {
    const row = await run({ server, upstream });
    return { ...row, isKept: row.isKept && server.defects.length === 0 };
  } finally {
    await server.close();
    await upstream.close();
  }
}

/** Evil names and members. */
export async function* websocketEdge(): AsyncIterable<Measured> {
  yield await withScene(nameRow);
  yield await withScene(prototypeRow);
}

/** What is bounded, from both sides. */
export async function* websocketBounds(): AsyncIterable<Measured> {
  yield await withScene(boundsRow);
}
