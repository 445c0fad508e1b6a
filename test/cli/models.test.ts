import { describe, expect, test } from 'vitest';
import type { Said } from '../../src/policy/models/model-facts.ts';
import { openTerminal } from './terminal.ts';

const CONFIG = `version: 1
providers:
  openai: { preset: openai, key: "\${env:K}", expose: [gpt-5-mini, gpt-image-1] }
  house:
    preset: openai-compatible
    baseUrl: http://127.0.0.1:9900/v1
    key: "\${env:K}"
    models: { 'big': { context: 4096, tools: true, price: { input: 2 CNY, output: 8 CNY } } }
models:
  fast: openai/gpt-5-mini
  claude-haiku-*: fast
sandbox: false
`;
const env = { K: 'sk-0123456789-abcdefgh' };
const list = new Map<string, Said>([
  ['big', { context: 99 }],
  ['small', { vision: false }],
]);

const terminal = (answers: readonly ReadonlyMap<string, Said>[] = []) => {
  let asked = 0;
  return openTerminal({ 'pailou.yaml': CONFIG }, env, {
    askList: ({ name }) =>
      Promise.resolve(name === 'house' ? (answers[asked++] ?? new Map<string, Said>()) : new Map<string, Said>([['gpt-5-mini', {}]])),
  });
};

const squeezed = (text: string): string => text.replaceAll(/ {2,}/g, '  ');

const MARKS = '~ by public tables, not read on the vendor’s page; ? not verified. More: pailou route explain NAME --facts';

describe('models ls', () => {
  test('what clients may use, and who says what', async () => {
    const { code, stdout, stderr } = await terminal().run('models ls');
    expect({ code, stderr }).toEqual({ code: 0, stderr: `${MARKS}\n` });
    expect(squeezed(stdout)).toBe(`name  target  context  input / 1M  output / 1M  abilities  source
fast  openai/gpt-5-mini  400000  0.25 USD  2 USD  tools,vision,files,structured,reasoning  catalogue~ 2026-09-23
claude-haiku-*  fast  -  -  -  -  -
openai/gpt-5-mini  openai/gpt-5-mini  400000  0.25 USD  2 USD  tools,vision,files,structured,reasoning  catalogue~ 2026-09-23
openai/gpt-image-1  openai/gpt-image-1  -  5 USD  40 USD  vision,imageOutput  catalogue~ 2026-09-23
`);
  });

  test.each([
    ['csv', 'fast,openai/gpt-5-mini,400000,0.25 USD,2 USD,"tools,vision,files,structured,reasoning",catalogue~ 2026-09-23'],
    [
      'markdown',
      '| fast | openai/gpt-5-mini | 400000 | 0.25 USD | 2 USD | tools,vision,files,structured,reasoning | catalogue~ 2026-09-23 |',
    ],
    ['yaml', '  - name: fast\n    target: openai/gpt-5-mini'],
  ])('as %s', async (format, line) => {
    const { code, stdout } = await terminal().run(`models ls fast -o ${format}`);
    expect(code).toBe(0);
    expect(stdout).toContain(`${line}\n`);
  });

  test.each(['gpt-5*', 'openai/gpt-5*', '*mini'])('found by %s', async (names) => {
    const { stdout } = await terminal().run(`models ls ${names} --json`);
    const { models } = JSON.parse(stdout) as { models: { name: string }[] };
    expect(models.map(({ name }) => name)).toEqual(['openai/gpt-5-mini']);
  });

  test('as a document', async () => {
    const { stdout } = await terminal().run('models ls fast --json');
    const { models } = JSON.parse(stdout) as { models: { name: string; facts: { price: object } }[] };
    expect(models.map(({ name }) => name)).toEqual(['fast']);
    expect(models[0]?.facts.price).toEqual({
      value: { currency: 'USD', input: 250_000_000, output: 2_000_000_000, cacheRead: 25_000_000 },
      from: 'catalogue',
      where: 'https://developers.openai.com/api/docs/pricing, 2026-09-23',
      known: 'table',
    });
  });

  test('without a configuration, what is built in', async () => {
    const { code, stdout } = await openTerminal().run('models ls sandbox/e*');
    expect(code).toBe(0);
    expect(squeezed(stdout)).toMatch(/sandbox\/echo {2}sandbox\/echo {2}- {2}0 USD {2}0 USD/);
  });

  const MEDIA = `version: 1
providers:
  stability: { preset: stability, key: "\${env:K}" }
  zai: { preset: zai, key: "\${env:K}" }
  deepseek: { preset: deepseek, key: "\${env:K}" }
sandbox: false
`;
  test.each([
    ['what is paid by the image', 'stability/sd3.5-medium', '-  0.035 USD/image  imageOutput  catalogue~ 2025-10-01', 'by public tables'],
    ['not verified', 'zai/glm-4.6', '0.6 USD  2.2 USD  tools,reasoning  catalogue? 2026-09-23', '? not verified'],
    ['in Chinese', 'zai/glm-4.6 --lang zh', '0.6 USD  2.2 USD  tools,reasoning  目录? 2026-09-23', '? 未经核实'],
    ['read on the page: without a mark', 'deepseek/deepseek-v4-pro', '1.32 USD  3.96 USD  tools,reasoning  catalogue 2026-10-27', ''],
    ['quietly', 'zai/glm-4.6 --quiet', 'catalogue? 2026-09-23', ''],
  ])('with how its price is known: %s', async (_, asked, row, legend) => {
    const { stdout, stderr } = await openTerminal({ 'pailou.yaml': MEDIA }, env).run(`models ls ${asked}`);
    expect(squeezed(stdout)).toContain(`${row}\n`);
    if (legend === '') expect(stderr).toBe('');
    else expect(stderr).toContain(legend);
  });

  test('what there is not', async () => {
    expect(await terminal().run('models ls nothing*')).toMatchObject({ code: 5, stdout: '' });
    const wrong = await terminal().run('models ls -o xls');
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain('Known: table, json, yaml, csv, markdown');
  });
});

describe('models sync', () => {
  test('asks, keeps, says what is new, and ls knows it', async () => {
    const here = terminal([
      list,
      new Map([
        ['big', {}],
        ['new', {}],
      ]),
    ]);
    const first = await here.run('models sync');
    expect(first).toMatchObject({ code: 0, stdout: 'openai: 1 model\nhouse: 2 models\n' });
    const listed = await here.run('models ls house/*');
    // What the operator says counts over the list.
    expect(squeezed(listed.stdout)).toContain('house/big  house/big  4096  2 CNY  8 CNY  tools,');
    expect(listed.stdout).toContain('house/small');
    const second = await here.run('models sync house');
    expect(second.stdout).toBe('house: 2 models, 1 new, 1 gone\n  + new\n  - small\n');
    const third = await here.run('models sync --json');
    expect(third.code).toBe(1);
    expect(JSON.parse(third.stdout)).toEqual({
      providers: [
        { provider: 'openai', ok: true, models: 1, added: [], removed: [] },
        { provider: 'house', ok: false, models: 2, added: [], removed: [] },
      ],
    });
  });

  test('says only of lists that came that they were kept, and where nobody has one', async () => {
    const here = terminal();
    expect((await here.run('models sync openai')).stderr).toContain('Kept in ');
    expect((await here.run('models sync house')).stderr).toBe('');
    const bare = openTerminal({ 'pailou.yaml': 'version: 1\nsandbox: false\n' }, env, {
      askList: () => Promise.resolve(new Map<string, Said>()),
    });
    const said = 'No configured provider has a list of models to ask for\n';
    expect(await bare.run('models sync')).toMatchObject({ code: 0, stdout: '', stderr: said });
  });

  test('a provider that there is not', async () => {
    const { code, stderr } = await terminal().run('models sync hause');
    expect(code).toBe(2);
    expect(stderr).toContain("There is no provider 'hause' that has a list. Those that have one: openai, house");
  });

  test('what only its wire could carry is not listed as what a model can do', async () => {
    const here = terminal([
      new Map<string, Said>([
        ['big', { tools: true }],
        ['small', {}],
      ]),
    ]);
    await here.run('models sync');
    const { stdout } = await here.run('models ls house/* --json');
    expect(stdout).toContain('"vision"');
    expect(squeezed((await here.run('models ls house/*')).stdout)).toMatch(
      /\nhouse\/big .*  tools,structured  .*\nhouse\/small .*  structured  /,
    );
  });

  test('route explain goes by it, and says who said what', async () => {
    const here = terminal([list]);
    await here.run('models sync');
    const { code, stdout } = await here.run('route explain small --facts');
    expect(code).toBe(0);
    expect(stdout).toContain('small → house/small');
    expect(stdout).toContain('house/small\n  price: not known\n  cannot: vision (provider’s list)');
    const priced = await here.run('route explain house/big --facts --lang zh');
    expect(priced.stdout).toContain('价格：2 CNY 输入，8 CNY 输出（每百万 token）（配置）');
  });
});
