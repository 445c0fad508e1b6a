// The table of promises: as pages hold it, in both languages, and as whoever runs the parts sees it grow.
import { inLanguage, type Language, type Words } from '../../src/config/language.ts';
import { count, type Measured, ms } from './part.ts';
import { KINDS, type Promised, PROMISES, type PromiseId, sectionOf, type SectionId, SECTIONS } from './promises.ts';

/** What the last runs found, as `measured.json` keeps it. */
export interface Kept {
  /** The day of the newest of them, as ISO 8601 has it. */
  readonly at: string;
  readonly rows: readonly Omit<Measured, 'detail'>[];
}

const IDS = Object.keys(PROMISES) as PromiseId[];
const BEGIN = '<!-- measured: begin -->';
const END = '<!-- measured: end -->';

/** A number with its unit. */
function valueText({ unit }: Promised, value: number): string {
  if (!Number.isFinite(value)) return '∞';
  if (unit === 'ms') return ms(value);
  if (unit === 'count' || unit === 'tries') return count(value);
  const digits = Math.abs(value) < 10 && !Number.isInteger(value) ? 2 : Math.abs(value) < 100 && !Number.isInteger(value) ? 1 : 0;
  return `${value.toFixed(digits)} ${unit}`;
}

/** Newer rows in place of those that were found before for the same thing. */
export function merged(kept: Kept, rows: Kept['rows'], at: string): Kept {
  const keyOf = ({ promise, about = '' }: Omit<Measured, 'detail'>): string => `${promise} ${about}`;
  const renewed = new Set(rows.map(({ promise }) => promise));
  const all = [...kept.rows.filter(({ promise }) => !renewed.has(promise)), ...rows];
  const unique = new Map(all.filter(({ promise }) => promise in PROMISES).map((row) => [keyOf(row), row]));
  return { at, rows: IDS.flatMap((id) => [...unique.values()].filter(({ promise }) => promise === id)) };
}

/** The row of several that tells most: one that is not kept, else the one that is nearest to its limit. */
function worst(promised: Promised, rows: Kept['rows']): Kept['rows'][number] | undefined {
  const broken = rows.filter(({ isKept }) => !isKept);
  const byValue = (broken.length > 0 ? broken : rows).toSorted((a, b) => b.value - a.value);
  return byValue.at(promised.isMore ? -1 : 0);
}

const verdict = (rows: Kept['rows'], language: Language): string =>
  inLanguage(rows.every(({ isKept }) => isKept) ? ['kept', '守住'] : ['**broken**', '**未守住**'], language);

function promiseLine(id: PromiseId, rows: Kept['rows'], language: Language): string {
  const promised = PROMISES[id];
  const words = inLanguage(promised.words, language);
  const limit = typeof promised.limit === 'string' ? promised.limit : inLanguage(promised.limit, language);
  const found = worst(promised, rows);
  if (!found) return `| ${words} | ${limit} | ${inLanguage(['not measured', '未测量'], language)} | | |`;
  const where = found.about === undefined || (promised.unit === 'count' && found.value === 0) ? '' : ` (${found.about})`;
  const many = rows.reduce((sum, row) => sum + row.many, 0);
  const looked = `${count(many)} ${inLanguage(KINDS[promised.of], language)}`;
  return `| ${words} | ${limit} | ${valueText(promised, found.value)}${where} | ${looked} | ${verdict(rows, language)} |`;
}

const HEAD: Words = ['| Promise | Limit | Measured | Of | |', '| 承诺 | 上限 | 实测 | 样本 | |'];
const RULE = '| --- | --- | --- | --- | --- |';

function sectionTable(section: SectionId, kept: Kept, language: Language): string {
  const lines = IDS.filter((id) => sectionOf(id) === section).map((id) =>
    promiseLine(
      id,
      kept.rows.filter(({ promise }) => promise === id),
      language,
    ),
  );
  return [`### ${inLanguage(SECTIONS[section], language)}`, '', inLanguage(HEAD, language), RULE, ...lines].join('\n');
}

/** A table of what was measured for each endpoint, or for each pair of protocols. */
function grid(title: Words, first: Words, rows: Kept['rows'], language: Language): string {
  const ids = IDS.filter((id) => PROMISES[id].column && rows.some(({ promise }) => promise === id));
  // What stands in no column has no line either.
  const abouts = [...new Set(rows.filter(({ promise }) => ids.includes(promise)).map(({ about }) => about ?? ''))];
  const cell = (about: string, id: PromiseId): string => {
    const row = rows.find((one) => one.about === about && one.promise === id);
    if (!row) return '';
    return row.isKept ? valueText(PROMISES[id], row.value) : `**${valueText(PROMISES[id], row.value)}**`;
  };
  const heads = ids.map((id) => inLanguage(PROMISES[id].column ?? ['', ''], language));
  return [
    `### ${inLanguage(title, language)}`,
    '',
    `| ${[inLanguage(first, language), ...heads].join(' | ')} |`,
    `| --- |${' --- |'.repeat(ids.length)}`,
    ...abouts.map((about) => `| ${[about, ...ids.map((id) => cell(about, id))].join(' | ')} |`),
  ].join('\n');
}

/** What was measured for each endpoint, a table for each section: all of it would be too wide to read. */
function endpointGrids(rows: Kept['rows'], language: Language): readonly string[] {
  const bySection = Map.groupBy(
    rows.filter(({ promise }) => PROMISES[promise].column),
    ({ promise }) => sectionOf(promise),
  );
  return [...bySection].map(([section, some]) => {
    const [en, zh] = SECTIONS[section];
    return grid([`By endpoint: ${en}`, `按端点：${zh}`], ['endpoint', '端点'], some, language);
  });
}

/** All tables in one language. */
export function tables(kept: Kept, language: Language): string {
  const sections = (Object.keys(SECTIONS) as SectionId[]).map((section) => sectionTable(section, kept, language));
  const pairs = kept.rows.filter(({ about }) => about?.includes(' ← '));
  const endpoints = kept.rows.filter(({ about }) => about !== undefined && !about.includes(' ← '));
  const grids = [
    ...endpointGrids(endpoints, language),
    grid(['By pair: client ← provider', '按协议对：客户端 ← 服务商'], ['pair', '协议对'], pairs, language),
  ];
  const day = inLanguage([`Measured on ${kept.at}.`, `测量日期：${kept.at}。`], language);
  return [day, ...sections, ...grids].join('\n\n');
}

/** A page with the tables between its two marks. Throws where a mark is missing. */
export function withTables(page: string, kept: Kept, language: Language): string {
  const from = page.indexOf(BEGIN);
  const to = page.indexOf(END);
  if (from === -1 || to < from) throw new Error('no marks');
  return `${page.slice(0, from)}${BEGIN}\n\n${tables(kept, language)}\n\n${page.slice(to)}`;
}

/** One row as it is told while parts run. */
export function told(row: Measured): string {
  const promised = PROMISES[row.promise];
  const limit = typeof promised.limit === 'string' ? promised.limit : inLanguage(promised.limit, 'en');
  const about = row.about === undefined ? '' : ` [${row.about}]`;
  const detail = row.detail === undefined ? '' : ` (${row.detail.replaceAll('|', String.raw`\|`)})`;
  const looked = `${count(row.many)} ${KINDS[promised.of][0]}`;
  return `| ${promised.words[0]}${about} | ${limit} | ${valueText(promised, row.value)}${detail} | ${looked} | ${row.isKept ? 'kept' : '**broken**'} |`;
}
