import { posix } from 'node:path';

/** A page that is there in two languages. */
export interface PagePair {
  readonly path: string;
  readonly english: string;
  readonly chinese: string;
}

interface Outline {
  /** `## ` of each heading, in order. */
  readonly headings: readonly string[];
  readonly blocks: readonly string[];
  readonly links: readonly string[];
}

/** Code without what may be said in the reader's language: comments, and the words of a message. */
const inNoLanguage = (block: string): string =>
  block.replaceAll(/(^|\s)# .*$/gm, '$1#').replaceAll(/"content": "[^"]*"/g, '"content": "…"');

/** Headings, code blocks and links of a page. */
function outlineOf(text: string): Outline {
  const headings: string[] = [];
  const blocks: string[] = [];
  let fence: string[] | undefined;
  const prose: string[] = [];
  for (const line of text.split('\n')) {
    if (/^\s*```/.test(line)) {
      if (fence) blocks.push(inNoLanguage(fence.join('\n')));
      fence = fence ? undefined : [line.trim()];
    } else if (fence) fence.push(line);
    else {
      prose.push(line);
      const level = /^#+ /.exec(line)?.[0];
      if (level !== undefined) headings.push(level);
    }
  }
  const links = [...prose.join('\n').matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
  return { headings, blocks, links };
}

/** The first place where two lists differ. */
function difference(what: string, english: readonly string[], chinese: readonly string[]): string | undefined {
  const index = Array.from({ length: Math.max(english.length, chinese.length) }).findIndex((_, at) => english[at] !== chinese[at]);
  if (index < 0) return undefined;
  const shown = (one: string | undefined): string => (one === undefined ? '(none)' : JSON.stringify(one.slice(0, 120)));
  return `${what} ${index + 1} differs: ${shown(english[index])} and ${shown(chinese[index])}`;
}

/** Where the two languages of a page say different things, as far as a machine can tell. */
export const unequalPages = (pairs: readonly PagePair[]): readonly string[] =>
  pairs.flatMap(({ path, english, chinese }) => {
    const [en, zh] = [outlineOf(english), outlineOf(chinese)];
    return [difference('heading', en.headings, zh.headings), difference('code block', en.blocks, zh.blocks)]
      .filter((one) => one !== undefined)
      .map((one) => `${path} and its Chinese page: ${one}`);
  });

/** Folders that a page about the code does not explain. */
export const unexplainedFolders = (page: string, folders: readonly string[]): readonly string[] =>
  folders.filter((folder) => !page.includes(`| \`${folder}\``)).map((folder) => `ARCHITECTURE.md: no row for ${folder}`);

/** Links of pages to files that are not there. */
export const deadLinks = (
  pages: readonly { readonly path: string; readonly text: string }[],
  exists: (path: string) => boolean,
): readonly string[] =>
  pages.flatMap(({ path, text }) =>
    outlineOf(text)
      .links.filter((link) => !/^(https?:|mailto:|#)/.test(link))
      .map((link) => posix.join(posix.dirname(path), link.replace(/#.*$/, '')))
      .filter((file) => !exists(file))
      .map((file) => `${path}: there is no ${file}`),
  );
