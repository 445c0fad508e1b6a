import type { ImportOf, SourceFile } from './source-file.ts';

/** What the files of one folder of `src` may import from the others. */
interface Row {
  /** Also at run time. */
  readonly uses: readonly string[];
  /** Types only. */
  readonly knows?: readonly string[];
}

/**
 * Who may import whom; itself always. The shape of the house: `ir` stands on nothing, codecs on it, decisions beside them, the
 * exchange on those, HTTP on the exchange, and only the composition (files directly in `src`) knows everything.
 */
const FOLDERS: Readonly<Record<string, Row>> = {
  ir: { uses: [] },
  wire: { uses: ['ir'] },
  protocols: { uses: ['ir', 'wire'] },
  // Decisions are pure: what they read is handed to them.
  policy: { uses: ['ir'], knows: ['config', 'presets'] },
  // A preset's globs are the router's.
  presets: { uses: ['ir', 'wire', 'policy'] },
  media: { uses: ['ir', 'wire'] },
  sandbox: { uses: ['ir', 'wire', 'media', 'protocols'] },
  upstream: { uses: ['ir', 'wire', 'presets'], knows: ['sandbox'] },
  exchange: { uses: ['ir', 'wire', 'media', 'policy', 'presets', 'protocols', 'tasks', 'upstream'] },
  // Work that outlives its call: it knows no vendor and no HTTP, what to do is told to it by drivers.
  tasks: { uses: ['ir', 'wire', 'upstream'], knows: ['config', 'exchange', 'policy'] },
  http: { uses: ['ir', 'wire', 'media', 'policy', 'protocols', 'exchange', 'state', 'tasks', 'upstream'], knows: ['config', 'presets'] },
  store: { uses: ['ir', 'wire'], knows: ['cluster', 'config', 'exchange', 'http', 'protocols', 'state', 'tasks'] },
  state: { uses: ['ir', 'wire', 'policy', 'protocols', 'exchange'], knows: ['cluster', 'config', 'presets', 'http'] },
  egress: { uses: ['ir', 'wire', 'media', 'upstream'], knows: ['config', 'exchange', 'protocols'] },
  tokens: { uses: ['ir', 'wire', 'media'], knows: ['exchange', 'http', 'protocols'] },
  observe: { uses: [], knows: ['config', 'exchange', 'policy'] },
  // Several processes that work as one: what goes between them, and who watches over them.
  cluster: { uses: ['ir', 'exchange'], knows: ['cli', 'config', 'http', 'observe', 'policy'] },
  config: { uses: ['ir', 'policy', 'presets'] },
  cli: { uses: ['ir', 'config', 'policy', 'presets'], knows: ['exchange'] },
};

/**
 * Files of the composition that folders may use: what makes things with their first use, and what makes of a configuration what
 * decisions read (so that `pailou check` and `route explain` decide on just what the server would).
 */
const SHARED_PARTS: Readonly<Record<string, readonly string[] | 'all'>> = {
  'src/lazily.ts': 'all',
  'src/compile-snapshot.ts': ['cli'],
  'src/known-models.ts': ['cli'],
  'src/model-lists.ts': ['cli'],
  'src/sync-models.ts': ['cli'],
};

/** Codecs that stand on another: legacy completions are chat with one prompt. */
const SHARED_CODECS: Readonly<Record<string, readonly string[]>> = { 'openai-completions': ['openai-chat'] };

/** Folder of `src` that a file is in; `undefined`: directly in `src`, the composition. */
const folderOf = (path: string): string | undefined => /^src\/([^/]+)\//.exec(path)?.[1];

const codecOf = (path: string): string | undefined => /^src\/protocols\/([^/]+)\//.exec(path)?.[1];

const at = (file: SourceFile, one: { readonly line: number }): string => `${file.path}:${one.line}`;

function wrongFolder(file: SourceFile, one: ImportOf): string | undefined {
  const [from, to] = [folderOf(file.path), folderOf(one.file ?? '')];
  if (from === undefined || one.file === undefined || from === to) return undefined;
  const row = FOLDERS[from];
  if (!row) return `${at(file, one)}: src/${from} has no row in FOLDERS (test/quality/import-rules.ts): say there what it may import`;
  const shared = SHARED_PARTS[one.file];
  if (shared === 'all' || shared?.includes(from) === true) return undefined;
  if (to === undefined) return `${at(file, one)}: only tests and files directly in src may import ${one.file}, the composition`;
  if (row.uses.includes(to) || (one.isType && row.knows?.includes(to))) return undefined;
  const may = [...row.uses, ...(row.knows ?? []).map((name) => `types of ${name}`)].join(', ') || 'nothing';
  return `${at(file, one)}: src/${from} may not import ${one.file}. It may import: ${may}`;
}

function wrongCodec(file: SourceFile, one: ImportOf): string | undefined {
  const [from, to] = [codecOf(file.path), codecOf(one.file ?? '')];
  if (from === undefined || to === undefined || from === to || SHARED_CODECS[from]?.includes(to)) return undefined;
  return `${at(file, one)}: protocols never import each other (${from} → ${to}): what both need belongs to ir or wire`;
}

/** Imports that cross a wall. */
export const wrongImports = (files: readonly SourceFile[]): readonly string[] =>
  files.flatMap((file) => file.imports.flatMap((one) => wrongFolder(file, one) ?? wrongCodec(file, one) ?? []));

/** Folders that the table knows and that are not there. */
export const idleRows = (files: readonly SourceFile[]): readonly string[] =>
  Object.keys(FOLDERS)
    .filter((folder) => !files.some(({ path }) => folderOf(path) === folder))
    .map((folder) => `src/${folder} is not there: take it out of FOLDERS (test/quality/import-rules.ts)`);

/** Decisions that wait: `policy` must answer at once. */
export const waitingPolicies = (files: readonly SourceFile[]): readonly string[] =>
  files
    .filter(({ path }) => path.startsWith('src/policy/'))
    .flatMap((file) => file.waits.map((line) => `${file.path}:${line}: policy never waits: do the I/O in the step that calls it`));

type Graph = ReadonlyMap<string, ReadonlySet<string>>;

function graphOf(files: readonly SourceFile[], nodeOf: (path: string) => string | undefined): Graph {
  const graph = new Map<string, Set<string>>();
  for (const { path, imports } of files) {
    const from = nodeOf(path);
    if (from === undefined) continue;
    const out = graph.get(from) ?? new Set();
    graph.set(from, out);
    for (const one of imports) {
      const to = one.isType || one.file === undefined ? undefined : nodeOf(one.file);
      if (to !== undefined && to !== from) out.add(to);
    }
  }
  return graph;
}

/** One way round from a node to itself, if there is one. */
function circleFrom(start: string, graph: Graph): readonly string[] | undefined {
  const seen = new Set<string>();
  const visit = (node: string, way: readonly string[]): readonly string[] | undefined => {
    for (const next of graph.get(node) ?? []) {
      if (next === start) return [...way, next];
      if (seen.has(next)) continue;
      seen.add(next);
      const found = visit(next, [...way, next]);
      if (found) return found;
    }
    return undefined;
  };
  return visit(start, [start]);
}

function circles(graph: Graph): readonly string[] {
  const told = new Set<string>();
  return [...graph.keys()].flatMap((start) => {
    const circle = told.has(start) ? undefined : circleFrom(start, graph);
    if (!circle) return [];
    for (const node of circle) told.add(node);
    return [`${circle.join(' → ')}: a circle of imports; break it, or make one of them \`import type\``];
  });
}

/** Circles at run time, between files and between folders. Types may look both ways: they are gone by then. */
export const importCircles = (files: readonly SourceFile[]): readonly string[] => [
  ...circles(graphOf(files, (path) => path)),
  ...circles(graphOf(files, (path) => (folderOf(path) === undefined ? undefined : `src/${folderOf(path)}`))),
];
