import { describe, expect, it } from 'vitest';
import { embed } from '../../../src/exchange/media/embeddings.ts';
import type { MediaContext } from '../../../src/exchange/media/media-exchange.ts';
import type { EmbeddingsReply } from '../../../src/media/embeddings/shape.ts';
import { numbersOf } from '../../../src/media/embeddings/vectors.ts';
import { presets } from '../../../src/presets/index.ts';
import { callWhole, type Canned, type Outcome } from './call-whole.ts';
import { EMBEDDINGS_ROWS, type EmbeddingsRow } from './embeddings-rows.ts';
import { wireOf, wiresOf } from './media-row.ts';

const NAMES = { inputs: 'input', task: 'input_type', title: 'title', dimensions: 'dimensions' };

const ask =
  ({ texts, wish, base64 = false, user }: EmbeddingsRow) =>
  (context: MediaContext): Promise<EmbeddingsReply> =>
    embed(context, {
      inputs: texts.map((text, at) => ({ content: { kind: 'text', text }, wish, at: `input[${at}]` })),
      names: NAMES,
      base64,
      ...(user === undefined ? {} : { user }),
    });

const run = (row: EmbeddingsRow, canned: Canned): Promise<Outcome<EmbeddingsReply>> =>
  callWhole({ ...row, prefers: ({ wire }) => wire === wireOf(row) }, canned, ask(row));

const rows = EMBEDDINGS_ROWS.map((row) => [`${row.preset} ${row.codec ?? ''} ${row.model}`, row] as const);

describe.each(rows)('%s', (_name, row) => {
  it('is asked as its page says, and understood', async () => {
    const { sent, found, record } = await run(row, {
      status: 200,
      body: row.reply,
      ...(row.replyHeaders ? { headers: row.replyHeaders } : {}),
    });
    expect(sent.map(({ method, origin, path }) => `${method} ${origin}${path}`)).toEqual([`POST ${row.url}`]);
    const { 'content-type': type, ...headers } = { ...sent[0]?.headers };
    expect([type, headers]).toEqual(['application/json', row.headers]);
    expect(JSON.parse(Buffer.concat(sent[0]?.body ?? []).toString())).toEqual(row.body);
    expect(found?.vectors.map((vector) => numbersOf(vector))).toEqual(row.vectors);
    expect([found?.usage?.input, record?.input]).toEqual([row.input, row.input]);
    expect(record?.notes).toBe(row.notes);
  });

  it('has its errors read', async () => {
    const { status, body, kind, message } = row.refusal;
    const { fault } = await run(row, { status, body });
    expect(fault).toMatchObject({ kind, message });
  });

  it.each(['{}', '<html>', '{"data":[],"embeddings":[],"predictions":[]}'])('answers %s with a fault of the upstream', async (body) => {
    expect((await run(row, { status: 200, body })).fault).toMatchObject({ status: 502, code: 'upstream_malformed' });
  });
});

describe('the table', () => {
  it('has a row for every wire', () => {
    const covered = new Set(EMBEDDINGS_ROWS.map((row) => wireOf(row)));
    const missing = [...presets.keys()].flatMap((id) =>
      wiresOf(id, 'embeddings').flatMap((wire) => (covered.has(wire) ? [] : [`${id} ${wire.codec}`])),
    );
    // The sandbox is tested with its server.
    expect(missing.filter((one) => !one.startsWith('sandbox '))).toEqual([]);
  });

  it('cites a page of each', () => expect(EMBEDDINGS_ROWS.filter(({ page }) => !page.startsWith('https://'))).toEqual([]));
});
