import { basename } from 'node:path';
import type { CodeWord, SourceFile } from './source-file.ts';

/**
 * Names of vendors and of their models, as they stand in code. Those after which a protocol is named (OpenAI, Anthropic,
 * Gemini, Bedrock) are words of ours as well: for them `decidesByVendor` looks at what is done with the name.
 */
const VENDORS: readonly RegExp[] = [
  /deep-?seek/i,
  /moonshot|kimi/i,
  /\bz\.?ai\b|bigmodel|zhipu|\bglm\b|chatglm/i,
  /dashscope|qwen|alibaba|aliyun/i,
  /siliconflow/i,
  /volc(engine|es)|doubao|\bark\b/i,
  /minimax/i,
  /hunyuan|tencent/i,
  /qianfan|baidu|\bernie\b/i,
  /stepfun/i,
  /\bxai\b|\bgrok\b/i,
  /mistral/i,
  /\bgroq\b/i,
  /cerebras/i,
  /together\.?(ai|xyz)/i,
  /fireworks/i,
  /perplexity|\bsonar\b/i,
  /deepinfra/i,
  /nvidia/i,
  /hugging-?face/i,
  /cloudflare/i,
  /databricks/i,
  /\bcohere\b/i,
  /openrouter/i,
  /github(models)?\b/i,
  /\bollama\b/i,
  /lm-?studio/i,
  /llama/i,
  /\bvllm\b/i,
  /sglang/i,
  /xinference/i,
  /gpustack/i,
  /local-?ai\b/i,
  /azure/i,
  /vertex/i,
  /\bgpt-\d|claude|\bgemini-\d/i,
  /amazonaws/i,
];

/** A word that a rule lets pass in some files, and why. */
interface Exception {
  readonly path: string;
  readonly word: RegExp;
  readonly why: string;
}

const VENDOR_EXCEPTIONS: readonly Exception[] = [
  { path: 'src/config', word: /^[^:]*(claude-|gpt-5)/, why: 'examples of model names in the description of the file' },
  {
    path: 'src/exchange/read-caller.ts',
    word: /^x-claude-code-session-id$/,
    why: 'a header of a client, who is no provider: it says which calls belong together',
  },
  { path: 'src/ir/target.ts', word: /^openrouter$/, why: 'a form of the chat wire for reasoning, called by who made it' },
  { path: 'src/media', word: /./, why: 'wires of embeddings, rerank and the like, each in a file that is called by who made it' },
  { path: 'src/http/gateway', word: /^cohere$/, why: 'the same shape, as an endpoint' },
  {
    path: 'src/exchange/model-list.ts',
    word: /^(ollama|cohere)$/,
    why: 'shapes of model lists, called by who made them; a preset says which is its',
  },
  {
    path: 'src/tokens',
    word: /claude|gpt/i,
    why: 'tokens are counted by the family of the model, whoever serves it; the families are a table',
  },
  { path: 'src/protocols/openai-chat', word: /^(by)?openrouter$/i, why: 'the same form, written and read' },
  { path: 'src/protocols/openai-chat', word: /^(x_)?groq$/, why: 'a member of the chat wire that holds usage, `x_groq`' },
];

const isExcepted = (path: string, word: CodeWord, exceptions: readonly Exception[]): boolean =>
  exceptions.some((one) => (path === one.path || path.startsWith(`${one.path}/`)) && one.word.test(word.text));

const short = (text: string): string => (text.length > 60 ? `${text.slice(0, 60)}…` : text);

const outsidePresets = (files: readonly SourceFile[]): readonly SourceFile[] =>
  files.filter(({ path }) => path.startsWith('src/') && !path.startsWith('src/presets/'));

/** Vendors that code outside the presets speaks of. */
export const vendorWords = (files: readonly SourceFile[], exceptions: readonly Exception[] = VENDOR_EXCEPTIONS): readonly string[] =>
  outsidePresets(files).flatMap(({ path, words }) =>
    words
      .filter((word) => VENDORS.some((vendor) => vendor.test(word.text)) && !isExcepted(path, word, exceptions))
      .map(({ text, line }) => `${path}:${line}: '${short(text)}' names a vendor: say it as data of a preset (src/presets)`),
  );

/** Exceptions that nothing needs any more. */
export const idleExceptions = (files: readonly SourceFile[], exceptions: readonly Exception[] = VENDOR_EXCEPTIONS): readonly string[] =>
  exceptions
    .filter((one) => !files.some(({ path, words }) => words.some((word) => isExcepted(path, word, [one]))))
    .map(({ path, word }) => `${path}: the exception for ${String(word)} is needed no more (test/quality/word-rules.ts)`);

/** What holds the kind of a provider or its name. */
const VENDOR_VALUE = /(^|\.)(preset(\?)?(\.id)?|presetId|sealMaker|maker|vendor|providerName|provider\??\.name)$/;

/** Makers after whom protocols are named. */
const OWNERS = /openai|anthropic|gemini|google|bedrock|\baws\b/i;

/** Places that ask which provider it is. The built-in one is no vendor. */
export const decidesByVendor = (files: readonly SourceFile[]): readonly string[] =>
  outsidePresets(files).flatMap(({ path, comparisons }) =>
    comparisons
      .filter((one) => VENDOR_VALUE.test(one.of) && [OWNERS, ...VENDORS].some((vendor) => vendor.test(one.with)))
      .map((one) => `${path}:${one.line}: \`${one.of}\` is compared with '${one.with}': describe the difference in the preset instead`),
  );

/** Hosts that code outside the presets may name, and why. */
const HOSTS: Readonly<Record<string, string>> = {
  'example.com': 'reserved for examples',
  'example.org': 'reserved for examples',
  'json-schema.org': 'names the dialect of a JSON Schema; never called',
  localhost: 'this machine',
  '127.0.0.1': 'this machine',
};

const isKnownHost = (host: string): boolean => Object.keys(HOSTS).some((known) => host === known || host.endsWith(`.${known}`));

/** Hosts in addresses of code outside the presets. */
export const hostNames = (files: readonly SourceFile[]): readonly string[] =>
  outsidePresets(files).flatMap(({ path, words }) =>
    words.flatMap(({ text, line }) =>
      [...text.matchAll(/\b(?:https?|wss?):\/\/([a-z0-9][\w.-]*)/gi)]
        .map(([, host = '']) => host.toLowerCase())
        .filter((host) => !isKnownHost(host))
        .map((host) => `${path}:${line}: names the host ${host}: addresses belong to presets and to the configuration`),
    ),
  );

const VAGUE_NAMES = /^(utils?|helpers?|common|misc|shared|lib|stuff|types|constants|index2|new|tmp|temp)$/i;

/** Names that say nothing of what is inside. */
export const vagueNames = (paths: readonly string[]): readonly string[] =>
  paths.flatMap((path) => {
    const parts = path.split('/').map((part) => basename(part).replace(/(\.test)?\.\w+$/, ''));
    const vague = parts.find((part) =>
      part.split('-').some((word) => VAGUE_NAMES.test(word) && (word === part || /^(utils?|helpers?)$/.test(word))),
    );
    return vague === undefined ? [] : [`${path}: '${vague}' says nothing of what is inside: name the topic`];
  });

/** Names of files other than `kebab-case.ts`. */
export const oddNames = (paths: readonly string[]): readonly string[] =>
  paths
    .filter((path) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.test)?\.ts$/.test(basename(path)))
    .map((path) => `${path}: files are named kebab-case.ts`);

/** A text file of the checkout. */
export interface TextFile {
  readonly path: string;
  readonly text: string;
}

/** Where recorded exchanges are looked for; they are no part of the repository. */
const MAY_NAME_NEIGHBOURS = ['test/corpus/', 'scripts/test.ts', 'test/quality/'];

const MACHINE_PATHS: readonly RegExp[] = [
  /(^|[^\w.-])\/work\/\w/,
  /(^|[^\w-])\/home\/[a-z]\w*\/\w/,
  /(^|[^\w-])\/Users\/\w+\/\w/,
  /\.\.\/shared\//,
];

/** Paths that only one machine has. */
export const machinePaths = (files: readonly TextFile[]): readonly string[] =>
  files
    .filter(({ path }) => !MAY_NAME_NEIGHBOURS.some((one) => path.startsWith(one)))
    .flatMap(({ path, text }) =>
      text.split('\n').flatMap((line, index) => {
        const found = MACHINE_PATHS.map((one) => one.exec(line)?.[0].trim()).find((one) => one !== undefined);
        return found === undefined ? [] : [`${path}:${index + 1}: '${found}' is a path of one machine`];
      }),
    );
