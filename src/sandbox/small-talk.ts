import type { Conversation, Language } from './conversation.ts';

/** Says something, or nothing when the prompt is not of its kind. `variant`: which of several answers is wanted (0 first). */
export type Talk = (conversation: Conversation, variant: number) => string | undefined;

type Both = Readonly<Record<Language, readonly string[]>>;

const choose = (texts: readonly string[], variant: number): string => texts[variant % texts.length] ?? '';

/** Answers a prompt that `pattern` finds, in its language. */
const when =
  (pattern: RegExp, answers: Both): Talk =>
  ({ prompt, language }, variant) =>
    pattern.test(prompt) ? choose(answers[language], variant) : undefined;

const POEMS: readonly { readonly topic: RegExp; readonly poem: Both }[] = [
  {
    topic: /春|spring/i,
    poem: {
      zh: [
        '东风昨夜过篱笆，\n唤醒枝头第一芽。\n溪水慢慢讲旧事，\n小桥听了满身花。',
        '雨脚轻轻踩石阶，\n柳条学写绿横斜。\n谁家燕子新来客，\n衔得春泥当请帖。',
      ],
      en: [
        'The snow lets go of field and stone,\nthe brook has found its voice again;\na bud that thought itself alone\nis one of ten, of ten times ten.',
        'A window opens on the street,\nthe wind comes in with muddy feet,\nand leaves, before it has to go,\na petal where there once was snow.',
      ],
    },
  },
  {
    topic: /秋|autumn|\bfall\b/i,
    poem: {
      zh: [
        '山路一程凉一程，\n落叶替人数脚声。\n稻香已被风收走，\n留下圆月满空城。',
        '雁字写到云深处，\n桂花落进旧茶壶。\n不问今年谁远去，\n且看红叶满归途。',
      ],
      en: [
        'The maples count their gold and spend,\nthe orchard bends with all it owes;\na year is walking to its end\nand hums a tune as on it goes.',
        'A leaf lets go without a sound,\nand then another, then the tree;\nthe light lies longer on the ground\nand asks no more of you and me.',
      ],
    },
  },
  {
    topic: /夏|summer/i,
    poem: {
      zh: ['蝉声煮沸午后天，\n荷叶撑伞护红莲。\n西瓜一刀分月色，\n凉风坐在竹椅边。'],
      en: [
        'The noon lies flat upon the lake,\nthe reeds stand still, the herons wait;\nand only dragonflies awake\ndraw lines of blue, and hesitate.',
      ],
    },
  },
  {
    topic: /冬|雪|winter|snow/i,
    poem: {
      zh: ['小炉温着一壶春，\n雪替远山换素巾。\n窗上冰花开不谢，\n灯前都是夜归人。'],
      en: [
        'The roofs have put their white caps on,\nthe smoke goes straight, the sparrows hide;\nthe day came late and soon is gone,\nbut someone keeps a light inside.',
      ],
    },
  },
];

const PLAIN_POEM: Both = {
  zh: ['一行短句两行诗，\n三寸灯光照纸时。\n题目从君心里取，\n余音留与晚风知。'],
  en: [
    'You asked me for a line or two,\nI have but rules, and rules are few;\nyet four short lines I can afford,\nand here they end, in good accord.',
  ],
};

/** A poem on a season, or on none. */
const poem: Talk = ({ prompt, language }, variant) => {
  if (!/诗|\bpoem\b|\bverse\b|\bhaiku\b/i.test(prompt)) return undefined;
  const found = POEMS.find(({ topic }) => topic.test(prompt));
  return choose((found?.poem ?? PLAIN_POEM)[language], variant);
};

/** What the user said before. */
const recall: Talk = ({ prompt, earlier, language }) => {
  const asks =
    /what (?:did|have) i (?:just )?(?:say|said|ask|asked|tell|told|write|written)|my (?:last|previous|first) (?:message|question)/i;
  const asksZh = /我(?:刚才|刚刚|之前|前面|上一?句|第一句)?(?:都)?(?:说|问|讲)(?:了|过)?(?:些)?(?:什么|啥)|我(?:上一?个|第一个)问题/;
  if (!asks.test(prompt) && !asksZh.test(prompt)) return undefined;
  if (earlier.length === 0) return language === 'zh' ? '在这之前你还没有说过什么。' : 'You have not said anything before this.';
  const first = /first|第一/i.test(prompt);
  const said = (first ? earlier[0] : earlier.at(-1)) ?? '';
  if (language === 'zh') return first ? `你最先说的是：“${said}”` : `你刚才说的是：“${said}”`;
  return first ? `The first thing you said was: "${said}"` : `You said: "${said}"`;
};

const NAME_EN = /\b[Mm]y name is (\p{L}[\p{L}'-]*(?: \p{Lu}[\p{L}'-]*)?)/u;
const NAME_ZH = /我(?:的名字)?(?:叫做?|是)(\p{L}{1,12}?)(?=[\p{P}\s]|$)/u;

/** A name that was told in the conversation, be it in the same breath. */
const nameOf: Talk = ({ prompt, earlier, language }) => {
  if (!/what(?:'s| is) my name|我叫什么|我的名字(?:是|叫)?什么/i.test(prompt)) return undefined;
  const names = [...earlier, prompt].flatMap((text) => NAME_EN.exec(text)?.[1] ?? NAME_ZH.exec(text)?.[1] ?? []);
  const name = names.findLast((one) => !/^(?:什么|谁|啥)/.test(one));
  if (name === undefined) return language === 'zh' ? '你还没有告诉我你的名字。' : 'You have not told me your name yet.';
  return language === 'zh' ? `你叫${name}。` : `Your name is ${name}.`;
};

const introduced: Talk = ({ prompt, language }) => {
  const name = NAME_EN.exec(prompt)?.[1] ?? /我(?:的名字)?叫做?(\p{L}{1,12}?)(?=[\p{P}\s]|$)/u.exec(prompt)?.[1];
  if (name === undefined || /什么|what/i.test(prompt)) return undefined;
  return language === 'zh' ? `你好，${name}！很高兴认识你。` : `Hello, ${name}! Nice to meet you.`;
};

/** `Say hello`, `Reply with exactly: pong`, `请说“你好”`. */
const repeat: Talk = ({ prompt }) => {
  const english =
    /^\s*(?:please\s+)?(?:(?:say|repeat(?: after me)?)\b|(?:reply|respond|answer)(?:,? (?:only|just|with|exactly))+)(?: the (?:words?|phrase))?\s*[:：]?\s*(.+?)\s*$/is;
  const chinese = /^\s*请?(?:只?(?:回复|回答|说)|重复|跟我念)(?:一遍|一下)?\s*[:：]?\s*[“"「](.+?)[”"」]\s*[。.!！]?\s*$/s;
  const said = english.exec(prompt)?.[1] ?? chinese.exec(prompt)?.[1];
  if (said === undefined || said.length > 500) return undefined;
  const bare = said.replace(/^(["'“「`])([\s\S]*)(["'”」`])[.!]?$/, '$2');
  return bare === said ? said.replace(/(?:,? and nothing else|,? please)?[.!]?$/i, '') : bare;
};

/** The largest number that is counted to. */
const MAX_COUNT = 10_000;

/** `Count to 50`, `从 1 数到 20`. */
const count: Talk = ({ prompt }) => {
  const match = /\bcount (?:from (\d+) )?(?:up )?to (\d+)|从\s*(\d+)\s*数到\s*(\d+)|数到\s*(\d+)/i.exec(prompt);
  if (!match) return undefined;
  const from = Number(match[1] ?? match[3] ?? 1);
  const to = Math.min(Number(match[2] ?? match[4] ?? match[5]), from + MAX_COUNT - 1);
  return from <= to ? Array.from({ length: to - from + 1 }, (_, index) => String(from + index)).join(' ') : undefined;
};

const OPERATIONS: Readonly<Record<string, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '×': (a, b) => a * b,
  x: (a, b) => a * b,
  '/': (a, b) => a / b,
  '÷': (a, b) => a / b,
};

/** One sum with two numbers: `What is 12 * 7?` */
const sum: Talk = ({ prompt }) => {
  const match =
    /(?<!\d)(-?\d{1,12}(?:\.\d{1,6})?)\s*([-+*×x/÷])\s*(-?\d{1,12}(?:\.\d{1,6})?)\s*(?:=|等于)?\s*(?:是多少|多少|几)?\s*[?？。.]?\s*$/.exec(
      prompt,
    );
  const operation = OPERATIONS[match?.[2] ?? ''];
  if (!match || !operation) return undefined;
  const result = operation(Number(match[1]), Number(match[3]));
  return Number.isFinite(result) ? `${match[1]} ${match[2]} ${match[3]} = ${Number(result.toPrecision(12))}` : undefined;
};

const WHAT_IT_IS: Both = {
  zh: [
    '我是牌楼（Pailou）网关自带的沙箱模型：按规则回答，不是真正的语言模型。我可以流式输出、调用工具、思考、按 JSON Schema 作答，也可以按要求出错，供你在没有密钥、没有网络时试用和测试。',
  ],
  en: [
    'I am the sandbox model that is built into the Pailou gateway: I answer by rules and am not a real language model. I stream, call tools, think, answer by a JSON Schema and fail on purpose, so that you can try and test things without a key or a network.',
  ],
};

const TOPICS: readonly Talk[] = [
  when(/函数式编程|functional programming/i, {
    zh: [
      '函数式编程把计算看作函数的求值，而不是状态的改变。纯函数对同样的输入总是给出同样的输出，没有副作用。小函数经由组合与不可变数据构成大的程序，因此容易推理、测试和并行。',
    ],
    en: [
      'Functional programming treats computing as evaluating functions rather than changing state. Pure functions give the same output for the same input and have no side effects. Small functions compose over immutable data into large programs, which makes them easy to reason about, test and run in parallel.',
    ],
  }),
  when(/^(?=[\s\S]*java\s*script)[\s\S]*\bjava\b(?!\s*script)|它和 ?Java|和 ?Java ?有什么/i, {
    zh: [
      '两者除了名字相近，没有直接关系：Java 是静态类型、编译到虚拟机的语言；JavaScript 是动态类型、最初为浏览器设计的语言。这个名字是 1995 年为了借 Java 的名气而取的。',
    ],
    en: [
      'Apart from the name they are not related: Java is statically typed and compiled for a virtual machine, JavaScript is dynamically typed and was made for the browser. The name was chosen in 1995 because Java was popular.',
    ],
  }),
  when(/java\s*script/i, {
    zh: ['JavaScript 是一种动态类型的高级编程语言，运行在浏览器和 Node.js 等环境里，是网页交互的基础。'],
    en: ['JavaScript is a dynamically typed, high-level programming language that runs in browsers and in environments such as Node.js.'],
  }),
  when(/人工智能|机器学习|artificial intelligence|machine learning/i, {
    zh: ['人工智能研究怎样让机器完成通常需要人类智能的任务；机器学习是它的一个分支，让程序从数据里学到规律，而不是由人逐条写出规则。'],
    en: [
      'Artificial intelligence is about machines doing what usually takes human intelligence; machine learning is the branch in which programs learn rules from data instead of being given them.',
    ],
  }),
  when(/网关|\bgateway\b|pailou|牌楼/i, {
    zh: ['网关站在客户端和各家模型服务之间：客户端只需一个地址、一个密钥、一种协议，网关负责翻译、转发、计量和容错。'],
    en: [
      'A gateway stands between clients and model providers: a client needs one address, one key and one protocol, and the gateway translates, forwards, meters and copes with failures.',
    ],
  }),
];

/** Kinds of prompts, the most telling first. */
const TALKS: readonly Talk[] = [
  recall,
  nameOf,
  repeat,
  poem,
  count,
  sum,
  when(/^\s*ping\s*(?:[.!?]\s*)?$/i, { zh: ['pong'], en: ['pong'] }),
  when(/你是谁|你是什么|介绍一下你?自己|自我介绍|who are you|what are you\b|introduce yourself|which model/i, WHAT_IT_IS),
  introduced,
  when(/最近怎么样|你好吗|过得(?:怎么样|如何)|how are you|how(?:'s| is) it going/i, {
    zh: ['你好！我很好，一直在沙箱里待命。你最近怎么样？有什么想试的吗？', '我很好，谢谢关心！今天想聊点什么？'],
    en: ['I am fine, thank you, and always at hand in my sandbox. How are you?', 'Very well, thank you! What shall we try today?'],
  }),
  ...TOPICS,
  when(/谢谢|多谢|thank you|thanks/i, { zh: ['不客气！'], en: ['You are welcome!'] }),
  when(/再见|拜拜|\bbye\b/i, { zh: ['再见！'], en: ['Goodbye!'] }),
  when(/你好|您好|嗨|早上好|晚上好|下午好|^\s*(?:hi|hello|hey)\b|good (?:morning|evening|afternoon)/i, {
    zh: ['你好！我是一个按规则回答的沙箱助手，很高兴为你服务。', '你好，有什么可以帮你的吗？'],
    en: ['Hello! I am the sandbox assistant and answer by rules. How can I help you?', 'Hi there! What would you like to try?'],
  }),
];

const MAX_QUOTE = 200;

/** Nothing fits: says so, and what was asked. */
function fallback({ prompt, language }: Conversation): string {
  const asked = prompt.length > MAX_QUOTE ? `${[...prompt].slice(0, MAX_QUOTE).join('')}…` : prompt;
  if (language === 'zh')
    return asked === ''
      ? '我在听，请说点什么。'
      : `收到：“${asked}”。我是按规则回答的沙箱模型，对这个问题没有更多可说；配置一个真正的模型服务后，就能得到真正的回答。`;
  return asked === ''
    ? 'I am listening. Say something.'
    : `I read: "${asked}". I am a sandbox that answers by rules and have no more to say to that; configure a real provider to get a real answer.`;
}

/** What of a prompt is looked at: the patterns above are not made for books. */
const MAX_READ = 4000;

/** What the sandbox says to a prompt, in the prompt's language. */
export function smallTalk(conversation: Conversation, variant: number): string {
  const short = {
    ...conversation,
    prompt: conversation.prompt.slice(0, MAX_READ),
    earlier: conversation.earlier.map((text) => text.slice(0, MAX_READ)),
  };
  for (const talk of TALKS) {
    const answer = talk(short, variant);
    if (answer !== undefined) return answer;
  }
  return fallback(short);
}
