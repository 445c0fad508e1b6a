import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';

/** What the pages tell people to type, typed. */

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PAGES = ['README.md', 'README.zh-CN.md', 'docs/notes-and-errors.md', 'docs/sandbox.md', 'docs/sandbox.zh-CN.md'];

/** Commands of a page that call the server. */
function curls(page: string): readonly string[] {
  const text = readFileSync(join(ROOT, page), 'utf8');
  const blocks = [...text.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, block = '']) => block);
  return blocks.filter((block) => block.startsWith('curl '));
}

let home: string;
let child: ChildProcess;
let url: string;
let key: string;

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'pailou-test-'));
  // The name that the pages use in their examples.
  writeFileSync(join(home, 'pailou.yaml'), 'version: 1\nmodels: { fast: sandbox/chat }\n');
  // Every curl of a block tells its status.
  writeFileSync(join(home, '.curlrc'), 'silent\nshow-error\nwrite-out = "\\nstatus %{http_code}\\n"\n');
  const env = { PATH: process.env['PATH'] ?? '', HOME: home };
  child = spawn(process.execPath, [join(ROOT, 'src/main.ts'), '--port', '0', '--json'], {
    cwd: home,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout?.on('data', (piece: Buffer) => (said += piece.toString()));
  while (!said.endsWith('\n')) await once(child.stdout ?? child, 'data');
  const facts = JSON.parse(said) as { url: string; keyFile: string };
  url = facts.url;
  key = readFileSync(facts.keyFile, 'utf8').trim();
});

afterAll(async () => {
  const closed = once(child, 'close');
  child.kill('SIGTERM');
  await closed;
  rmSync(home, { recursive: true, force: true });
});

/** What an answer of an endpoint must show. */
const SHOWN: readonly (readonly [path: string, shown: RegExp])[] = [
  ['/v1/audio/transcriptions', /00:00:00,000 --> [\d:,]+\s+Hello there\./],
  ['/v1/images/generations', /"b64_json":"iVBORw/],
  ['/v1/videos', /"status":"(?:queued|in_progress)"/],
  ['/v1/', /"content"|"delta"/],
];
const shownBy = (command: string): RegExp => SHOWN.find(([path]) => command.includes(path))?.[1] ?? /./;

const hasCurl = spawnSync('curl', ['--version']).status === 0;

describe.skipIf(!hasCurl).each(PAGES)('%s', (page) => {
  const commands = curls(page);
  test('has commands to try', () => expect(commands.length).toBeGreaterThan(0));
  test.each(commands)('%s', async (command) => {
    // What a page asks the sandbox to fail with is what the command must show.
    const wanted = /\[\[fail status=(\d+)/.exec(command)?.[1] ?? '200';
    const { stdout } = await promisify(execFile)('sh', ['-c', command.replaceAll('http://127.0.0.1:7117', url)], {
      cwd: home,
      env: { PATH: process.env['PATH'], HOME: home, PAILOU_KEY: key },
      maxBuffer: 2 ** 26,
    });
    const statuses = Array.from(stdout.matchAll(/^status (\d+)$/gm), ([, status]) => status);
    expect(statuses).toEqual(Array.from(command.matchAll(/^curl /gm), () => wanted));
    expect(stdout).toMatch(wanted === '200' ? shownBy(command) : /"error"/);
  });
});

/** The variables that a page sets for a client, with our address and key. */
function variables(name: string): Readonly<Record<string, string>> {
  const text = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const line = text.split('\n').find((one) => one.startsWith('export ') && one.includes(name)) ?? '';
  const pairs = [...line.matchAll(/(\w+)=("[^"]*"|\S+)/g)];
  return Object.fromEntries(
    pairs.map(([, variable = '', value = '']) => [
      variable,
      value.replaceAll('"', '').replace('http://127.0.0.1:7117', url).replace('$PAILOU_KEY', key),
    ]),
  );
}

describe('the variables of the README are all that an SDK needs', () => {
  const ask = 'Say hello';
  const CLIENTS: readonly (readonly [name: string, variable: string, call: () => Promise<string | null | undefined>])[] = [
    [
      'openai',
      'OPENAI_BASE_URL',
      async () => {
        const { choices } = await new OpenAI().chat.completions.create({
          model: 'sandbox/chat',
          messages: [{ role: 'user', content: ask }],
        });
        return choices[0]?.message.content;
      },
    ],
    [
      '@anthropic-ai/sdk',
      'ANTHROPIC_API_KEY',
      async () => {
        const message = { model: 'sandbox/chat', max_tokens: 100, messages: [{ role: 'user' as const, content: ask }] };
        const { content } = await new Anthropic().messages.create(message);
        return content[0]?.type === 'text' ? content[0].text : undefined;
      },
    ],
    [
      '@anthropic-ai/sdk with a token, as Claude Code',
      'ANTHROPIC_AUTH_TOKEN',
      async () => {
        const message = { model: 'sandbox/chat', max_tokens: 100, messages: [{ role: 'user' as const, content: ask }] };
        const { content } = await new Anthropic().messages.create(message);
        return content[0]?.type === 'text' ? content[0].text : undefined;
      },
    ],
    [
      '@google/genai',
      'GOOGLE_GEMINI_BASE_URL',
      async () => (await new GoogleGenAI({}).models.generateContent({ model: 'sandbox/chat', contents: ask })).text,
    ],
  ];
  test.each(CLIENTS)('%s', async (_name, variable, call) => {
    for (const name of ['OPENAI_API_KEY', 'ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN', 'GEMINI_API_KEY', 'GOOGLE_API_KEY'])
      vi.stubEnv(name, undefined);
    for (const [name, value] of Object.entries(variables(variable))) vi.stubEnv(name, value);
    expect(await call()).toMatch(/hello/i);
    vi.unstubAllEnvs();
  });
});
