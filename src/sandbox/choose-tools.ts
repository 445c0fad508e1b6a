import { type ChatRequest, type CustomTool, type FunctionTool, isObject, type JsonObject, type Tool } from '../ir/index.ts';

/** A tool that the client runs. */
export type ClientTool = FunctionTool | CustomTool;

/** Words too common to tell one tool from another. */
const COMMON = new Set(
  'a an and are as at be by can could do does for from get give given have how i in into is it its me my need of on or our please return returns set so some that the their them there this to tool use used user using want was we what when where which who will with would you your'.split(
    ' ',
  ),
);

/** What Chinese prompts say, in the words that tools are usually named with. */
const IN_ENGLISH: readonly (readonly [chinese: RegExp, words: string])[] = [
  [/天气|气温|温度/, 'weather temperature forecast'],
  [/几点|时间|现在/, 'time clock'],
  [/日期|今天几号|星期/, 'date calendar'],
  [/搜索|查找|检索|查一下|查询/, 'search find query lookup'],
  [/计算|等于|加|减|乘|除/, 'calculate calculator math sum add multiply'],
  [/翻译/, 'translate translation'],
  [/邮件|邮箱/, 'email mail send'],
  [/文件/, 'file read write'],
  [/股票|股价/, 'stock price'],
  [/汇率|货币/, 'currency exchange rate'],
  [/日程|会议|日历/, 'calendar schedule meeting event'],
  [/地图|路线|导航/, 'map route direction'],
  [/新闻/, 'news'],
  [/酒店|宾馆/, 'hotel booking'],
  [/机票|航班/, 'flight booking'],
  [/图片|图像|画/, 'image picture draw'],
  [/代码|运行|执行/, 'code run execute'],
];

/** A word without its usual endings, so that `cities` and `city`, `searching` and `search` are one. */
function stem(word: string): string {
  if (word.length > 4 && word.endsWith('ies')) return `${word.slice(0, -3)}y`;
  if (word.length > 5 && word.endsWith('ing')) return word.slice(0, -3);
  if (word.length > 4 && word.endsWith('ed')) return word.slice(0, -2);
  return word.length > 3 && word.endsWith('s') && !word.endsWith('ss') ? word.slice(0, -1) : word;
}

/** The telling words of a text: of Latin script by word, `camelCase` and `snake_case` taken apart; Chinese by pairs of characters. */
function wordsOf(text: string): ReadonlySet<string> {
  const words = new Set<string>();
  const apart = text.replaceAll(/([a-z\d])([A-Z])/g, '$1 $2').toLowerCase();
  for (const word of apart.match(/[a-z]+|\d+/g) ?? []) if (word.length > 1 && !COMMON.has(word)) words.add(stem(word));
  for (const run of text.match(/\p{sc=Han}{2,}/gu) ?? []) for (let i = 0; i + 2 <= run.length; i++) words.add(run.slice(i, i + 2));
  return words;
}

/** What of a prompt is looked at. */
const MAX_READ = 4000;

function promptWords(whole: string): ReadonlySet<string> {
  const prompt = whole.slice(0, MAX_READ);
  const words = new Set(wordsOf(prompt));
  for (const [chinese, english] of IN_ENGLISH) if (chinese.test(prompt)) for (const word of english.split(' ')) words.add(stem(word));
  return words;
}

const overlap = (a: ReadonlySet<string>, b: ReadonlySet<string>): number => [...a].filter((word) => b.has(word)).length;

/** Names and descriptions of a tool's parameters. */
function parameterText(parameters: JsonObject | undefined): string {
  const properties = parameters?.['properties'];
  if (!isObject(properties)) return '';
  return Object.entries(properties)
    .map(([name, schema]) => `${name} ${isObject(schema) && typeof schema['description'] === 'string' ? schema['description'] : ''}`)
    .join(' ');
}

/** How well a tool fits: a word in its name counts most, then its description, then its parameters. */
function score(tool: ClientTool, words: ReadonlySet<string>): number {
  const parameters = tool.kind === 'function' ? parameterText(tool.parameters) : '';
  return 4 * overlap(wordsOf(tool.name), words) + 2 * overlap(wordsOf(tool.description ?? ''), words) + overlap(wordsOf(parameters), words);
}

/** Less is chance: one word of the name, or two of the description. */
const ENOUGH = 4;

const isClientTool = (tool: Tool): tool is ClientTool => tool.kind !== 'hosted';

/** Tools that may be called in this request, and whether one must be. */
export function callable(request: ChatRequest): { readonly tools: readonly ClientTool[]; readonly must: boolean } {
  const tools = request.tools.filter(isClientTool);
  const choice = request.toolChoice;
  switch (choice?.type) {
    case 'none':
      return { tools: [], must: false };
    case 'required':
      return { tools, must: true };
    case 'tool':
      return { tools: tools.filter((tool) => tool.name === choice.name), must: true };
    case 'allowed':
      return { tools: tools.filter((tool) => choice.names.includes(tool.name)), must: choice.mode === 'required' };
    default:
      return { tools, must: false };
  }
}

/** The tool that fits a prompt best; `undefined` when none does and none must. */
export function chooseTool(tools: readonly ClientTool[], prompt: string, must: boolean): ClientTool | undefined {
  const words = promptWords(prompt);
  let best: ClientTool | undefined;
  let most = must ? -1 : ENOUGH - 1;
  for (const tool of tools) {
    const points = score(tool, words);
    if (points > most) {
      most = points;
      best = tool;
    }
  }
  return best;
}
