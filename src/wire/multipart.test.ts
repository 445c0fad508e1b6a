import { Busboy } from '@fastify/busboy';
import { describe, expect, it } from 'vitest';
import { boundaryOf, type PartHead, readPartHead, textIn } from './multipart-head.ts';
import { createMultipartReader } from './multipart.ts';

/** What a sink is told, data of a part as one text. */
function readIn(pieces: Iterable<Buffer>, boundary = 'XX'): readonly string[] {
  const told: string[] = [];
  let data: Buffer[] = [];
  const reader = createMultipartReader(boundary, {
    part: (head) => void told.push(`part ${JSON.stringify(head)}`),
    data: (bytes) => void data.push(bytes),
    partEnd() {
      told.push(`data ${Buffer.concat(data).toString('latin1')}`);
      data = [];
    },
    end: () => void told.push('end'),
    broken: (mistake) => void told.push(`broken ${mistake}`),
  });
  for (const piece of pieces) reader.push(piece);
  reader.end();
  return told;
}

function* cutAt(body: Buffer, size: number): Iterable<Buffer> {
  for (let at = 0; at < body.length; at += size) yield body.subarray(at, at + size);
}

const NAMED = 'part {"name":"a"}';
const part = (content: string, head = 'Content-Disposition: form-data; name="a"'): string => `--XX\r\n${head}\r\n\r\n${content}\r\n`;

describe('a body', () => {
  it.each([
    { name: 'of nothing but its end', body: '--XX--', told: ['end'] },
    { name: 'of one part', body: `${part('one')}--XX--\r\n`, told: [NAMED, 'data one', 'end'] },
    { name: 'of two', body: `${part('one')}${part('two')}--XX--`, told: [NAMED, 'data one', NAMED, 'data two', 'end'] },
    { name: 'with an empty part', body: `${part('')}--XX--`, told: [NAMED, 'data ', 'end'] },
    { name: 'with a part without a body', body: part('').slice(0, -2) + '--XX--', told: [NAMED, 'data ', 'end'] },
    { name: 'with a part that is cut before its body', body: part('').slice(0, -2) + '--X', told: [NAMED, 'broken cut'] },
    { name: 'with a part without a head', body: '--XX\r\n\r\none\r\n--XX--', told: ['part {}', 'data one', 'end'] },
    { name: 'with words before and behind', body: `hello\r\n${part('one')}--XX--\r\nbye\r\n--XX\r\n`, told: [NAMED, 'data one', 'end'] },
    { name: 'with white space behind boundaries', body: part('one').replace('XX', 'XX \t') + '--XX-- ', told: [NAMED, 'data one', 'end'] },
    {
      name: 'with what looks like boundaries',
      body: `${part('\r\n--X\r\n\r\r\n--Y--XX\r\n-')}--XX--`,
      told: [NAMED, 'data \r\n--X\r\n\r\r\n--Y--XX\r\n-', 'end'],
    },
    { name: 'that ends in a part', body: part('one').slice(0, -1), told: [NAMED, 'broken cut'] },
    { name: 'that ends behind a part', body: part('one'), told: [NAMED, 'broken cut'] },
    { name: 'that ends in a boundary', body: `${part('one')}--X`, told: [NAMED, 'broken cut'] },
    { name: 'that ends behind a boundary', body: `${part('one')}--XX`, told: [NAMED, 'data one', 'broken cut'] },
    { name: 'that ends in the mark of the end', body: `${part('one')}--XX-`, told: [NAMED, 'data one', 'broken cut'] },
    { name: 'that ends in a head', body: part('one').slice(0, 20), told: ['broken cut'] },
    { name: 'with another word behind a boundary', body: `${part('one')}--XXY\r\n\r\n`, told: [NAMED, 'data one', 'broken bad_boundary'] },
    { name: 'with no end of a boundary', body: `${part('one')}--XX${' '.repeat(300)}`, told: [NAMED, 'data one', 'broken bad_boundary'] },
    { name: 'with lines that end in LF', body: part('one').replaceAll('\r\n', '\n'), told: ['broken bad_boundary'] },
    { name: 'with a head that is none', body: part('one', 'hello'), told: ['broken bad_head'] },
    { name: 'with a head of 9 KiB', body: part('one', `x: ${'y'.repeat(9000)}`), told: ['broken long_head'] },
    { name: 'with a head without end', body: `--XX\r\nx: ${'y'.repeat(9000)}`, told: ['broken long_head'] },
  ])('$name', ({ body, told }) => {
    const bytes = Buffer.from(body, 'latin1');
    expect(readIn([bytes])).toEqual(told);
    for (let at = 0; at <= bytes.length; at += bytes.length > 1000 ? 97 : 1)
      expect(readIn([bytes.subarray(0, at), bytes.subarray(at)])).toEqual(told);
    for (const size of [1, 2, 3, 7]) expect(readIn(cutAt(bytes, size))).toEqual(told);
  });
});

const disposition = (rest: string): string => `Content-Disposition: form-data; ${rest}`;

describe('the head of a part', () => {
  it.each<{ readonly name: string; readonly head: string; readonly says: PartHead | undefined }>([
    { name: 'a name', head: disposition('name="a"'), says: { name: 'a' } },
    { name: 'a bare name, in other letters', head: 'CONTENT-DISPOSITION:Form-Data;NAME=a', says: { name: 'a' } },
    { name: 'a file', head: disposition('name="a"; filename="b.png"'), says: { name: 'a', filename: 'b.png' } },
    { name: 'a file first', head: disposition('filename="b.png"; name="a"'), says: { name: 'a', filename: 'b.png' } },
    { name: 'a file without a name of its own', head: disposition('name="a"; filename=""'), says: { name: 'a', filename: '' } },
    { name: 'a folder', head: disposition('name="a"; filename="/x/b.png"'), says: { name: 'a', filename: 'b.png' } },
    { name: 'a folder of Windows', head: disposition('name="a"; filename="C:\\x\\b.png"'), says: { name: 'a', filename: 'b.png' } },
    { name: 'the folder above', head: disposition('name="a"; filename=".."'), says: { name: 'a', filename: '' } },
    { name: 'quotes', head: disposition('name="a\\"b"; filename="c;d.png"'), says: { name: 'a"b', filename: 'c;d.png' } },
    { name: 'UTF-8', head: disposition('name="图"; filename="猫.png"'), says: { name: '图', filename: '猫.png' } },
    {
      name: 'an extended file name',
      head: disposition(`name="a"; filename="_.png"; filename*=UTF-8''%E7%8C%AB.png`),
      says: { name: 'a', filename: '猫.png' },
    },
    {
      name: 'an extended file name in Latin',
      head: disposition(`name="a"; filename*=iso-8859-1'en'%A3.png`),
      says: { name: 'a', filename: '£.png' },
    },
    {
      name: 'an extended file name that is none',
      head: disposition(`name="a"; filename="b.png"; filename*=x-none''%A3`),
      says: { name: 'a', filename: 'b.png' },
    },
    { name: 'a name twice', head: disposition('name="a"; name="b"'), says: { name: 'a' } },
    {
      name: 'a type',
      head: `Content-Type: Image/PNG\r\n${disposition('name="a"')}\r\nContent-Length: 3`,
      says: { name: 'a', mediaType: 'image/png' },
    },
    {
      name: 'a charset',
      head: `${disposition('name="a"')}\r\nContent-Type: text/plain; charset="gbk"`,
      says: { name: 'a', mediaType: 'text/plain', charset: 'gbk' },
    },
    { name: 'a folded line', head: 'Content-Disposition: form-data;\r\n name="a"', says: { name: 'a' } },
    { name: 'no form data', head: 'Content-Disposition: attachment; name="a"', says: {} },
    { name: 'no name', head: disposition('title="a"'), says: {} },
    { name: 'nothing', head: '', says: {} },
    { name: 'a line without a name', head: ': a', says: undefined },
    { name: 'a line of its own', head: `${disposition('name="a"')}\r\nhello`, says: undefined },
    { name: 'a bare line break', head: disposition('name="a\nb"'), says: undefined },
  ])('says $name', ({ head, says }) => expect(readPartHead(head)).toEqual(says));

  it('costs no evil time', () => {
    const from = performance.now();
    for (const evil of ['; a'.repeat(2700), `; a="${'\\'.repeat(8000)}`, ';'.repeat(8000), `;${' '.repeat(8000)}`, `; ${'a'.repeat(8000)}`])
      readPartHead(`Content-Disposition: form-data${evil}`);
    expect(performance.now() - from).toBeLessThan(1000);
  });
});

it.each([
  ['multipart/form-data; boundary=XX', 'XX'],
  ['multipart/form-data; charset=utf-8; Boundary="a b"', 'a b'],
  ['multipart/form-data; boundary=----WebKitFormBoundaryab; x=y', '----WebKitFormBoundaryab'],
  ['multipart/form-data', undefined],
  ['multipart/form-data; boundary=', undefined],
  [`multipart/form-data; boundary=${'x'.repeat(200)}`, undefined],
])('the boundary of %s is %s', (type, boundary) => expect(boundaryOf(type)).toBe(boundary));

it.each([
  ['一只猫', 'utf-8', Buffer.from('一只猫')],
  ['猫', 'gbk', Buffer.from([0xc3, 0xa8])],
  ['£', 'iso-8859-1', Buffer.from([0xa3])],
  ['a', 'x-none', Buffer.from('a')],
])('%s is text in %s', (text, charset, bytes) => expect(textIn(bytes, charset)).toBe(text));

// https://en.wikipedia.org/wiki/Linear_congruential_generator
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state % below;
  };
}

/** A form that chance made: of what boundaries are made of, and others. */
function anyForm(next: (below: number) => number): Buffer {
  const BITS = ['\r', '\n', '\r\n', '-', '--', '--X', '\r\n--X', '--XX', 'é', 'a', 'bc', '\0', '猫'];
  const NAMES = ['a', 'image[]', 'b c', '猫', 'x;y', "it's", 'q=1'];
  const text = (): string => Array.from({ length: next(12) }, () => BITS[next(BITS.length)]).join('');
  const parts = Array.from({ length: next(5) }, () => {
    const file = next(2) === 0 ? '' : `; filename="${NAMES[next(NAMES.length)]}.png"`;
    const type =
      next(3) === 0 ? `\r\nContent-Type: ${['image/png', 'text/plain; charset=utf-8', 'application/octet-stream'][next(3)]}` : '';
    let content = text();
    // Nothing in it is a boundary.
    while (/(?:^|\r\n)--XX/.test(content)) content = text();
    return `--XX\r\nContent-Disposition: form-data; name="${NAMES[next(NAMES.length)]}"${file}${type}\r\n\r\n${content}\r\n`;
  });
  return Buffer.from(`${parts.join('')}--XX--\r\n`);
}

/** The same as another reader of forms has it. */
function byBusboy(body: Buffer): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const told: (() => string)[] = [];
    const parser = new Busboy({ headers: { 'content-type': 'multipart/form-data; boundary=XX' } });
    parser.on('file', (name, file, filename, _encoding, type) => {
      const pieces: Buffer[] = [];
      file.on('data', (bytes: Buffer) => pieces.push(bytes));
      told.push(() => `${name} ${filename} ${type} ${Buffer.concat(pieces).toString()}`);
    });
    parser.on('field', (name, value, _nameCut, _valueCut, _encoding, type) => void told.push(() => `${name} undefined ${type} ${value}`));
    parser.on('error', reject);
    parser.on('finish', () => resolve(told.map((tell) => tell())));
    parser.end(body);
  });
}

function byUs(pieces: Iterable<Buffer>): readonly string[] {
  const told: string[] = [];
  let now: PartHead = {};
  let data: Buffer[] = [];
  const reader = createMultipartReader('XX', {
    part: (head) => void ([now, data] = [head, []]),
    data: (bytes) => void data.push(bytes),
    partEnd: () => void told.push(`${now.name} ${now.filename} ${now.mediaType ?? 'text/plain'} ${textIn(Buffer.concat(data))}`),
    end: () => void told.push('end'),
    broken: (mistake) => void told.push(mistake),
  });
  for (const piece of pieces) reader.push(piece);
  reader.end();
  return told;
}

it('any form is read as another reader has it, wherever it is cut', async () => {
  for (let seed = 1; seed <= 300; seed++) {
    const next = numbers(seed);
    const body = anyForm(next);
    const whole = byUs([body]);
    expect([...(await byBusboy(body)), 'end'].toSorted(), `seed ${seed}`).toEqual(whole.toSorted());
    for (let times = 0; times < 5; times++) expect(byUs(cutAt(body, 1 + next(40))), `seed ${seed}`).toEqual(whole);
  }
});
