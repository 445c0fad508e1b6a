import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type JsonObject, parseObject, type Reply, textOf } from '../../src/ir/index.ts';
import { presets } from '../../src/presets/index.ts';
import { providerCodecs } from '../../src/protocols/index.ts';
import type { UpstreamRequest } from '../../src/upstream/send.ts';
import { callWire, type Canned, type Outcome } from './call-wire.ts';
import { WIRE_ROWS } from './wire-rows.ts';
import type { Said, WireRow } from './wires/wire-row.ts';

const nameOf = ({ preset, protocol }: Pick<WireRow, 'preset' | 'protocol'>): string => `${preset} ${protocol}`;

const urlOf = (request: UpstreamRequest | undefined): string => (request ? request.origin + request.path : '');

/** Headers with what a signature says replaced: it is checked in `auth.test.ts`. */
function headersOf(request: UpstreamRequest | undefined): Record<string, string> {
  const { 'content-type': type, ...headers } = { ...request?.headers };
  expect(type).toBe('application/json');
  const isSigned = 'x-amz-date' in headers;
  const hide = (name: string): boolean => isSigned && (name === 'authorization' || name.startsWith('x-amz-'));
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, hide(name) ? 'sent' : value]));
}

const bodyOf = (request: UpstreamRequest | undefined): JsonObject => parseObject(Buffer.concat(request?.body ?? []).toString()) ?? {};

function saidIn(reply: Reply): Said {
  const reasoning = reply.parts.flatMap((part) => (part.kind === 'reasoning' ? [part.text] : [])).join('');
  const calls = reply.parts.flatMap((part) => (part.kind === 'tool-call' ? [`${part.name} ${part.argumentsJson}`] : []));
  const text = textOf(reply.parts);
  return {
    ...(text === '' ? {} : { text }),
    ...(reasoning === '' ? {} : { reasoning }),
    ...(calls.length > 0 ? { calls } : {}),
    stop: reply.stop.reason,
    input: reply.usage?.input ?? 0,
    output: reply.usage?.output ?? 0,
  };
}

const BODIES = new URL('wire-bodies.json', import.meta.url);

interface Sent {
  readonly body: JsonObject;
  readonly notes?: string;
}

const whole = (row: WireRow): Canned => ({ status: 200, body: row.answer.reply });

const sentBy = ({ sent, record }: Outcome): Sent => ({
  body: bodyOf(sent[0]),
  ...(record?.notes === undefined ? {} : { notes: record.notes }),
});

// `PAILOU_WRITE_GOLDEN=1` writes the bodies anew, to be read before they are committed.
if (process.env['PAILOU_WRITE_GOLDEN'] === '1') {
  const bodies: Record<string, Sent> = {};
  for (const row of WIRE_ROWS) bodies[nameOf(row)] = sentBy(await callWire(row, whole(row), false));
  writeFileSync(BODIES, `${JSON.stringify(bodies, null, 2)}\n`);
}

const bodies = JSON.parse(readFileSync(BODIES, 'utf8')) as Readonly<Record<string, Sent>>;

describe.each(WIRE_ROWS.map((row) => [nameOf(row), row] as const))('%s', (name, row) => {
  it('is called by its method, address and headers, with its body', async () => {
    const outcome = await callWire(row, whole(row), false);
    const [request] = outcome.sent;
    expect(outcome.sent).toHaveLength(1);
    expect(request?.method).toBe('POST');
    expect(urlOf(request)).toBe(row.url);
    expect(headersOf(request)).toEqual(row.headers);
    expect(sentBy(outcome)).toEqual(bodies[name]);
  });

  it('is called for a stream', async () => {
    const { sent } = await callWire(row, whole(row), true);
    expect(urlOf(sent[0])).toBe(row.streamUrl ?? row.url);
    expect(bodyOf(sent[0])['stream']).toBe(
      row.streamUrl === undefined ? true : row.preset === 'vertex' && row.protocol === 'anthropic-messages' ? true : undefined,
    );
  });

  it('answers', async () => {
    const { reply, fault } = await callWire(row, whole(row), false);
    expect(fault).toBeUndefined();
    expect(reply && saidIn(reply)).toEqual(row.answer.said);
  });

  it('refuses', async () => {
    const { status, body, kind, message } = row.refusal;
    const fault = providerCodecs.get(row.protocol)?.decodeFault(status, typeof body === 'string' ? body : JSON.stringify(body));
    expect(fault).toMatchObject({ kind, status, by: 'upstream' });
    expect(fault?.message).toContain(message);
    // A refused credential is the operator's matter: the caller learns that, and none of its details.
    const isCredential = [401, 402, 403].includes(status) || ['authentication', 'billing', 'permission'].includes(kind);
    const shown = isCredential ? "refused the gateway's credential" : message;
    expect((await callWire(row, { status, body }, false)).fault?.message).toContain(shown);
  });
});

describe('the table', () => {
  it('has a row for every wire that is used without being named', () => {
    const covered = new Set(WIRE_ROWS.map(nameOf));
    const missing = [...presets.values()].flatMap(({ id, speaks }) =>
      Object.entries(speaks).flatMap(([protocol, wire]) =>
        wire?.optional === true || covered.has(`${id} ${protocol}`) ? [] : [`${id} ${protocol}`],
      ),
    );
    // Gemini's is for embeddings alone; the sandbox is tested with its server.
    expect(missing.filter((one) => !one.startsWith('sandbox '))).toEqual(['gemini openai-chat']);
  });

  it('cites a page of each', () => {
    expect(WIRE_ROWS.filter(({ page }) => !page.startsWith('https://'))).toEqual([]);
  });

  it('has each wire once', () => {
    expect(new Set(WIRE_ROWS.map(nameOf)).size).toBe(WIRE_ROWS.length);
  });
});
