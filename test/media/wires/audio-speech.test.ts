import { describe, expect, it } from 'vitest';
import { speak } from '../../../src/exchange/media/speech.ts';
import type { MediaContext } from '../../../src/exchange/media/media-exchange.ts';
import { presets } from '../../../src/presets/index.ts';
import { SPEECH_ROWS, type SpeechRow } from './audio-speech-rows.ts';
import { callWhole, type Canned, type Outcome } from './call-whole.ts';
import { wireOf, wiresOf } from './media-row.ts';

interface Heard {
  readonly contentType: string;
  readonly sound: string;
}

const run = (row: SpeechRow, canned: Canned): Promise<Outcome<Heard>> =>
  callWhole({ ...row, prefers: ({ wire }) => wire === wireOf(row) }, canned, async (context: MediaContext) => {
    const { contentType, audio, heard } = await speak(context, { input: 'Hello', format: 'mp3', ...row.wish });
    const pieces: Buffer[] = [];
    for await (const piece of audio) pieces.push(piece);
    context.count(heard.usage);
    return { contentType, sound: Buffer.concat(pieces).toString('latin1') };
  });

describe.each(SPEECH_ROWS.map((row) => [`${row.preset} ${row.model}`, row] as const))('%s', (_name, row) => {
  it('is asked as its page says, and heard', async () => {
    const { sent, found, fault, record } = await run(row, { status: 200, body: row.reply, headers: { 'content-type': row.replyType } });
    expect(fault).toBeUndefined();
    expect(sent.map(({ method, origin, path }) => `${method} ${origin}${path}`)).toEqual([`POST ${row.url}`]);
    const { 'content-type': type, ...headers } = { ...sent[0]?.headers };
    expect([type, headers]).toEqual(['application/json', row.headers]);
    expect(JSON.parse(Buffer.concat(sent[0]?.body ?? []).toString())).toEqual(row.body);
    expect(found).toEqual({ contentType: row.contentType, sound: row.sound });
    expect(record?.input).toBe(row.input);
    expect(record?.notes).toBe(row.notes);
  });

  it('has its errors read', async () => {
    const { status, body, kind, message } = row.refusal;
    const { fault } = await run(row, { status, body, headers: { 'content-type': 'application/json' } });
    expect(fault).toMatchObject({ kind, message });
  });

  it.each(['{}', '<html>', ''])('answers %j with a fault of the upstream', async (body) => {
    const { fault } = await run(row, { status: 200, body, headers: { 'content-type': 'application/json' } });
    expect(fault).toMatchObject({ status: 502, code: 'upstream_malformed' });
  });
});

describe('the table', () => {
  it('has a row for every wire', () => {
    const covered = new Set(SPEECH_ROWS.map((row) => wireOf(row)));
    const missing = [...presets.keys()].flatMap((id) =>
      wiresOf(id, 'speech').flatMap((wire) => (covered.has(wire) ? [] : [`${id} ${wire.codec}`])),
    );
    // The sandbox is tested with its server.
    expect(missing.filter((one) => !one.startsWith('sandbox '))).toEqual([]);
  });
});
