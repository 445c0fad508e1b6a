import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { deadLinks, unequalPages, unexplainedFolders } from './page-rules.ts';
import { filesBelow, ROOT } from './source-file.ts';

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const pages = ['README.md', 'README.zh-CN.md', 'ARCHITECTURE.md', ...filesBelow(['docs'], ['.md'])];
const inEnglish = pages.filter((path) => !path.endsWith('.zh-CN.md'));
const chineseOf = (path: string): string => path.replace(/\.md$/, '.zh-CN.md');

/** Made of tables of names and addresses, or for those who change the code. */
const ENGLISH_ONLY = new Set(['docs/providers.md', 'ARCHITECTURE.md']);

describe('the pages keep to', () => {
  test('two languages', () => {
    expect(inEnglish.filter((path) => !ENGLISH_ONLY.has(path) && !pages.includes(chineseOf(path)))).toEqual([]);
  });
  test('the same headings and code in both', () => {
    const pairs = inEnglish
      .filter((path) => pages.includes(chineseOf(path)))
      .map((path) => ({ path, english: read(path), chinese: read(chineseOf(path)) }));
    expect(pairs.length).toBeGreaterThan(1);
    expect(unequalPages(pairs)).toEqual([]);
  });
  test('a row for every folder of the source', () => {
    const folders = readdirSync(join(ROOT, 'src'), { withFileTypes: true }).filter((one) => one.isDirectory());
    expect(
      unexplainedFolders(
        read('ARCHITECTURE.md'),
        folders.map(({ name }) => `src/${name}`),
      ),
    ).toEqual([]);
  });
  test('links that lead somewhere', () => {
    const texts = pages.map((path) => ({ path, text: read(path) }));
    expect(deadLinks(texts, (path) => existsSync(join(ROOT, path)))).toEqual([]);
  });
});

const page = '# A\n\ntext\n\n## B\n\n```sh\n# no heading\nnpm start\n```\n';

test.each([
  ['a heading is missing', page.replace('## B', 'B'), 'heading 2'],
  ['a heading of another level', page.replace('## B', '### B'), 'heading 2'],
  ['other code', page.replace('npm start', 'npm  start'), 'code block 1'],
  ['another kind of code', page.replace('```sh', '```yaml'), 'code block 1'],
  ['one block more', `${page}\n\`\`\`\nx\n\`\`\`\n`, 'code block 2'],
])('pages that differ are found: %s', (_name, chinese, says) => {
  expect(unequalPages([{ path: 'x.md', english: page, chinese }])).toEqual([expect.stringContaining(says)]);
});
test('other words are no difference, in comments and messages of code neither', () => {
  const asked = (words: string, comment: string): string => `${page}\`\`\`sh\ncurl -d '{"content": "${words}"}' # ${comment}\n\`\`\`\n`;
  expect(unequalPages([{ path: 'x.md', english: asked('Hello', 'asks'), chinese: asked('你好', '提问') }])).toEqual([]);
  expect(unequalPages([{ path: 'x.md', english: page, chinese: page.replace('text', '文字').replace('## B', '## 乙') }])).toEqual([]);
});

test('folders without a row are found', () => {
  expect(unexplainedFolders('| `src/ir` | the shared language |', ['src/ir', 'src/new'])).toEqual(['ARCHITECTURE.md: no row for src/new']);
});

test('dead links are found', () => {
  const text = '[a](b.md) [c](../d.md#part) [e](https://example.com) [f](#g)\n```\n[no](link.md)\n```\n';
  expect(deadLinks([{ path: 'docs/x.md', text }], (path) => path === 'd.md')).toEqual(['docs/x.md: there is no docs/b.md']);
});
