import { describe, expect, it } from 'vitest';
import type { MediaContext } from '../../../src/exchange/media/media-exchange.ts';
import { rerank } from '../../../src/exchange/media/rerank.ts';
import type { RerankReply } from '../../../src/media/rerank/shape.ts';
import { presets } from '../../../src/presets/index.ts';
import { callWhole, type Canned, type Outcome } from './call-whole.ts';
import { wireOf, wiresOf } from './media-row.ts';
import { DOCUMENTS, QUERY, RERANK_ROWS, RESULTS, type RerankRow } from './rerank-rows.ts';

const ask =
  ({ maxTokensPerDocument }: RerankRow) =>
  (context: MediaContext): Promise<RerankReply> =>
    rerank(context, {
      query: QUERY,
      documents: DOCUMENTS.map((text) => ({ text })),
      topN: 2,
      ...(maxTokensPerDocument === undefined ? {} : { maxTokensPerDocument }),
    });

const run = (row: RerankRow, canned: Canned): Promise<Outcome<RerankReply>> => callWhole(row, canned, ask(row));

describe.each(RERANK_ROWS.map((row) => [`${row.preset} ${row.model}`, row] as const))('%s', (_name, row) => {
  it('is asked as its page says, and understood', async () => {
    const { sent, found, record } = await run(row, { status: 200, body: row.reply });
    expect(sent.map(({ method, origin, path }) => `${method} ${origin}${path}`)).toEqual([`POST ${row.url}`]);
    const { 'content-type': type, ...headers } = { ...sent[0]?.headers };
    expect([type, headers]).toEqual(['application/json', row.headers]);
    expect(JSON.parse(Buffer.concat(sent[0]?.body ?? []).toString())).toEqual(row.body);
    expect(found).toEqual({ results: RESULTS, ...row.says });
    expect([record?.input, record?.notes]).toEqual([row.says.usage?.input, row.notes]);
  });

  it('has its errors read', async () => {
    const { status, body, kind, message } = row.refusal;
    expect((await run(row, { status, body })).fault).toMatchObject({ kind, message });
  });

  it.each([
    '{}',
    '<html>',
    '{"results":[{"index":3,"relevance_score":1}]}',
    '{"results":[{"index":0,"relevance_score":1},{"index":0,"relevance_score":1}]}',
    '{"results":[{"index":0}]}',
  ])('answers %s with a fault of the upstream', async (body) => {
    expect((await run(row, { status: 200, body })).fault).toMatchObject({ status: 502, code: 'upstream_malformed' });
  });
});

describe('the table', () => {
  it('has a row for every wire', () => {
    const covered = new Set(RERANK_ROWS.map((row) => wireOf(row)));
    const missing = [...presets.keys()].flatMap((id) =>
      wiresOf(id, 'rerank').flatMap((wire) => (covered.has(wire) ? [] : [`${id} ${wire.codec}`])),
    );
    expect(missing.filter((one) => !one.startsWith('sandbox '))).toEqual([]);
  });

  it('cites a page of each', () => expect(RERANK_ROWS.filter(({ page }) => !page.startsWith('https://'))).toEqual([]));
});
