/** A row of the page's table, by its first cell, and the constants that its numbers come from. */
export interface Bound {
  readonly row: string;
  /** File and text: a number that changes here changes on the page as well. */
  readonly caps: readonly (readonly [file: string, text: string])[];
}

/** What "What is bounded" tells on the page about reliability: in its order. */
export const BOUNDS: readonly Bound[] = [
  { row: 'Calls under way', caps: [['src/config/limits-shape.ts', 'default: 10_000']] },
  { row: 'Connections of clients', caps: [['src/config/limits-shape.ts', 'default: 20_000']] },
  {
    row: 'Connections over WebSocket',
    caps: [
      ['src/http/gateway/websocket.ts', 'connections: 10_000'],
      ['src/http/gateway/websocket.ts', 'queued: 32,'],
    ],
  },
  { row: 'Keys that overload tells apart', caps: [['src/http/key-loads.ts', 'MAX_KEYS = 1000']] },
  {
    row: 'An answer that is held whole',
    caps: [
      ['src/exchange/lanes/lane.ts', 'MAX_WHOLE_BYTES = 64 * 1024 * 1024'],
      ['src/state/reply-handler.ts', 'MAX_WHOLE_BYTES = 64 * 1024 * 1024'],
      ['src/exchange/media/held-answer.ts', 'MAX_ANSWER_BYTES = 256 * 1024 * 1024'],
      ['src/exchange/media/held-answer.ts', 'MAX_TRY_BYTES = 512 * 1024 * 1024'],
      ['src/exchange/media/ask-provider.ts', 'MAX_ANSWER_BYTES = 256 * 1024 * 1024'],
    ],
  },
  {
    row: 'Images of one answer',
    caps: [
      ['src/media/images/shape.ts', 'MOST_IMAGES = 10'],
      ['src/exchange/media/images.ts', 'MAX_STREAMED = 32'],
    ],
  },
  {
    row: 'A line or an event of a stream',
    caps: [
      ['src/wire/sse.ts', 'MAX_LINE_BYTES = 32 * 1024 * 1024'],
      ['src/wire/sse.ts', 'UNHEARD_LINES = 2'],
      ['src/exchange/lanes/raw-stream.ts', 'MAX_UNHEARD_BYTES = 64 * 1024 * 1024'],
      ['src/wire/aws-event-stream.ts', 'MAX_MESSAGE_BYTES = 32 * 1024 * 1024'],
    ],
  },
  {
    row: 'A streamed reply that is translated',
    caps: [
      ['src/exchange/lanes/bounded-reply.ts', 'MAX_REPLY = 128 * 1024 * 1024'],
      ['src/exchange/lanes/bounded-reply.ts', 'MAX_SILENT = 64 * 1024 * 1024'],
      ['src/state/threads.ts', 'MAX_MESSAGE = 64 * 1024 * 1024'],
    ],
  },
  {
    row: 'Calls that wait for room at a provider, key or target',
    caps: [['src/policy/queue.ts', 'calls: 1000, perCaller: 250, waitMs: 30_000']],
  },
  { row: 'What providers and their keys have had in a minute', caps: [['src/exchange/trying/minutes.ts', 'PART_MS = 100']] },
  { row: 'Targets, keys of providers, and counters, in trouble', caps: [['src/policy/troubles.ts', 'MAX_TROUBLES = 2000']] },
  { row: 'What the log has told of them', caps: [['src/policy/health-news.ts', 'MAX_KNOWN = 4000']] },
  { row: 'How quick targets are, and whose turn it is in a route', caps: [['src/policy/live-signals.ts', 'MAX_KNOWN = 2000']] },
  { row: 'Conversations and where they were answered', caps: [['src/policy/conversations.ts', 'MAX_KNOWN = 10_000']] },
  {
    row: 'Answers that routes keep',
    caps: [
      ['src/config/limits-shape.ts', "'64MiB'"],
      ['src/exchange/once/kept-answers.ts', 'MAX_ANSWER_BYTES = 8 * 1024 * 1024'],
    ],
  },
  {
    row: 'Who waits for one answer',
    caps: [
      ['src/exchange/once/flight.ts', 'MAX_FOLLOWERS = 10_000'],
      ['src/exchange/once/flight.ts', 'MAX_BEHIND_BYTES = 16 * 1024 * 1024'],
    ],
  },
  {
    row: 'Calls with an `Idempotency-Key` whose clients have left',
    caps: [
      ['src/http/gateway/idempotency.ts', 'MAX_UNATTENDED = 256'],
      ['src/http/gateway/recorded-answer.ts', 'MAX_KEPT_BYTES = 8 * 1024 * 1024'],
    ],
  },
  {
    row: 'Answers for `Idempotency-Key`, on disk',
    caps: [
      ['src/store/idempotency.ts', 'MAX_ROWS = 100_000'],
      ['src/store/idempotency.ts', 'MAX_BYTES = 256 * 1024 * 1024'],
    ],
  },
  {
    row: 'Responses in the background',
    caps: [
      ['src/state/background.ts', 'MAX_RUNNING = 1000'],
      ['src/state/background.ts', 'MAX_LOG_BYTES = 16 * 1024 * 1024'],
      ['src/state/background.ts', 'MAX_FINISHED_BYTES = 64 * 1024 * 1024'],
    ],
  },
  {
    row: 'Tasks that have not ended',
    caps: [
      ['src/tasks/tasks.ts', 'MAX_HELD = 10_000'],
      ['src/tasks/tasks.ts', 'MAX_LOCAL = 1000'],
      ['src/exchange/media/detached.ts', 'MAX_BYTES = 256 * 1024 * 1024'],
    ],
  },
  {
    row: 'What finished jobs have said until their files are here',
    caps: [
      ['src/exchange/media/done-jobs.ts', 'MAX_DONE = 1000'],
      ['src/exchange/media/done-jobs.ts', 'MAX_DONE_BYTES = 64 * 1024 * 1024'],
    ],
  },
  {
    row: 'Files that clients name, being fetched',
    caps: [
      ['src/egress/media-fetcher.ts', 'FETCHES = { running: 16, waiting: 256 }'],
      ['src/exchange/inline-media.ts', 'MAX_BYTES = 64 * 1024 * 1024'],
    ],
  },
  { row: 'Texts that wait to be counted', caps: [['src/tokens/text-reader.ts', 'waiting: 64']] },
  {
    row: 'Chat that is spoken, and its sound',
    caps: [
      ['src/exchange/media/chat-audio.ts', 'MAX_TEXT = 4 * 1024 * 1024'],
      ['src/exchange/media/chat-audio.ts', 'MAX_ANSWER_BYTES = 64 * 1024 * 1024'],
      ['src/media/speech/frames.ts', 'MAX_SOUND_BYTES = 64 * 1024 * 1024'],
    ],
  },
  {
    row: 'Origins of providers, and idle connections to each',
    caps: [
      ['src/upstream/h1-send.ts', 'MAX_ORIGINS = 256'],
      ['src/upstream/h1-pool.ts', 'MAX_IDLE = 256'],
      ['src/upstream/undici-send.ts', 'MAX_POOLS = 256'],
      ['src/upstream/choose-send.ts', 'MAX_ORIGINS = 1024'],
    ],
  },
  {
    row: 'Buffers for the next pieces',
    caps: [
      ['src/wire/pieces.ts', 'MAX_FREE = 64'],
      ['src/wire/pieces.ts', 'PIECE_BYTES = 64 * 1024'],
    ],
  },
  {
    row: 'Names that callers choose: models, paths, header fields',
    caps: [
      ['src/presets/provider.ts', 'MAX_REMEMBERED = 1000'],
      ['src/policy/models/model-facts.ts', 'MAX_REMEMBERED = 1000'],
      ['src/http/gateway/paths.ts', 'MAX_READ = 500'],
      ['src/upstream/h1-request-head.ts', 'MAX_NAMES = 512'],
      ['src/upstream/h1-response-head.ts', 'MAX_NAMES = 512'],
    ],
  },
  { row: 'Refusals that were written before', caps: [['src/http/gateway/refuse-busy.ts', 'MOST = 64']] },
  {
    row: 'Sealed reasoning, in memory',
    caps: [
      ['src/store/seals.ts', 'CACHE_BYTES = 32 * 2 ** 20'],
      ['src/store/seals.ts', 'PENDING_BYTES = 32 * 2 ** 20'],
    ],
  },
  { row: 'Stored responses that wait to be written', caps: [['src/store/stored-state.ts', 'MAX_WAITING_BYTES = 256 * 1024 * 1024']] },
  {
    row: 'Records of calls that wait to be written',
    caps: [
      ['src/store/journal.ts', 'QUEUE = { records: 20_000, bytes: 16 * 2 ** 20 }'],
      ['src/store/requests/requests.ts', 'MAX_WAITING = { records: 20_000, characters: 16 * 2 ** 20 }'],
      ['src/stores.ts', 'MAX_EARLY = 1000'],
    ],
  },
  { row: 'The journal, on disk', caps: [['src/store/journal.ts', 'TOTAL_BYTES = 512 * 2 ** 20']] },
  { row: 'Prepared statements', caps: [['src/store/sqlite-dialect.ts', 'MAX_STATEMENTS = 200']] },
  { row: 'Lines of the log before it is open', caps: [['src/observe/log.ts', 'MAX_WAITING = 1000']] },
  {
    row: 'Between processes: questions, facts of health, locks',
    caps: [
      ['src/cluster/link.ts', 'MAX_WAITING = 10_000'],
      ['src/cluster/hub.ts', 'MAX_FACTS = 2000'],
      ['src/cluster/hub.ts', 'MAX_LOCKS = 100_000'],
    ],
  },
  { row: 'Connections while no worker is ready', caps: [['src/cluster/door.ts', 'MAX_HELD = 1000']] },
  {
    row: 'Films of the sandbox',
    caps: [
      ['src/sandbox/media/videos.ts', 'MAX_REMEMBERED = 1000'],
      ['src/sandbox/media/videos.ts', 'MAX_DRAWN = 8'],
    ],
  },
];

/** What bounds a collection that has no row of its own. */
const CALL = 'of one call, and gone with it: as large as its request, or the answer, may be';
const CONFIGURED = 'as many as are configured: providers, keys, routes, workers';
const FIXED = 'as many as the code names';
const WEAK = 'goes with what it is about: a provider, a credential, a request';
const CALLS = 'Calls under way';

/** Words for what has no row. */
export const WITHOUT_ROW: readonly string[] = [CALL, CONFIGURED, FIXED, WEAK];

/**
 * Collections that may grow and outlive a function: file and name, with the row of the page that tells their cap, or with what else
 * bounds them.
 */
export const HELD: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'src/app.ts': { flights: CALLS },
  'src/cluster/door.ts': { guests: CONFIGURED, held: 'Connections while no worker is ready', pending: 'Connections of clients' },
  'src/cluster/hub.ts': {
    members: CONFIGURED,
    facts: 'Between processes: questions, facts of health, locks',
    locks: 'Between processes: questions, facts of health, locks',
    dirty: FIXED,
  },
  'src/cluster/link.ts': { asking: 'Between processes: questions, facts of health, locks' },
  'src/cluster/peers.ts': { learners: FIXED, flushes: FIXED, answers: FIXED },
  'src/cluster/places.ts': { workers: CONFIGURED, full: CONFIGURED, held: CALLS, goners: CALL },
  'src/cluster/remote-minutes.ts': { full: CONFIGURED },
  'src/cluster/remote-slots.ts': {
    fullOnes: CONFIGURED,
    held: CONFIGURED,
    waiting: 'Calls that wait for room at a provider, key or target',
  },
  'src/cluster/shared-minutes.ts': { told: CONFIGURED },
  'src/compile-snapshot.ts': { NO_LISTS: FIXED, providers: CONFIGURED, keys: CONFIGURED },
  'src/egress/gate.ts': { waiting: 'Files that clients name, being fetched' },
  'src/egress/media-fetcher.ts': { pieces: CALL, budgets: WEAK },
  'src/exchange/inline-media.ts': { found: 'Files that clients name, being fetched', wanted: CALL },
  'src/exchange/lanes/lane.ts': { pieces: 'An answer that is held whole' },
  'src/exchange/lanes/needles.ts': { known: WEAK },
  'src/exchange/lanes/overheard.ts': { pieces: CALL },
  'src/exchange/lanes/raw-relay.ts': { pieces: 'A line or an event of a stream' },
  'src/exchange/lanes/raw-whole.ts': { pieces: CALL },
  'src/exchange/lanes/several.ts': { branches: CALL },
  'src/exchange/lanes/shown-images.ts': { waiting: CALL },
  'src/exchange/media/chat-audio.ts': { held: 'Chat that is spoken, and its sound', pieces: 'Chat that is spoken, and its sound' },
  'src/exchange/media/detached.ts': { '#pieces': 'Tasks that have not ended', '#gones': CALL },
  'src/exchange/media/embeddings.ts': { groups: CALL, seen: CALL },
  'src/exchange/media/done-jobs.ts': { done: 'What finished jobs have said until their files are here' },
  'src/exchange/media/read-media-needs.ts': { abilities: CALL },
  'src/exchange/media/relay.ts': { wires: WEAK },
  'src/exchange/model-list.ts': { found: CALL, known: WEAK, asking: WEAK },
  'src/exchange/once/event-chain.ts': { events: CALL },
  'src/exchange/once/kept-answers.ts': { table: 'Answers that routes keep' },
  'src/exchange/read-needs.ts': { needs: CALL },
  'src/exchange/restore-tools.ts': { byName: CALL },
  'src/exchange/seal-keeper.ts': { kept: CALL, reasoning: CALL },
  'src/exchange/trying/checks.ts': { running: CONFIGURED },
  'src/exchange/trying/guide.ts': { spent: CALL },
  'src/exchange/trying/minutes.ts': { ledgers: CONFIGURED, parts: 'What providers and their keys have had in a minute' },
  'src/exchange/trying/race-sink.ts': { '#beginning': CALL, '#leaving': CALL },
  'src/exchange/trying/requests.ts': { extra: CALL },
  'src/exchange/trying/rooms.ts': { held: CALL },
  'src/exchange/trying/slots.ts': { places: CONFIGURED, queues: 'Calls that wait for room at a provider, key or target' },
  'src/exchange/write-request.ts': { finders: WEAK },
  'src/http/client-address.ts': { known: WEAK },
  'src/http/connections.ts': { sockets: 'Connections of clients' },
  'src/http/gateway/idempotency.ts': { unattended: 'Calls with an `Idempotency-Key` whose clients have left', idles: FIXED },
  'src/http/gateway/media/images-read.ts': { found: CALL },
  'src/http/gateway/media/images.ts': { remote: CALL },
  'src/http/gateway/media/shape-envelopes.ts': { made: WEAK },
  'src/http/gateway/media/transcription.ts': { told: CALL },
  'src/http/gateway/media/videos-read.ts': { out: CALL },
  'src/http/gateway/paths.ts': { read: 'Names that callers choose: models, paths, header fields' },
  'src/http/gateway/recorded-answer.ts': { '#gones': CALL, '#pieces': 'Calls with an `Idempotency-Key` whose clients have left' },
  'src/http/gateway/refuse-busy.ts': { written: WEAK, all: 'Refusals that were written before' },
  'src/http/gateway/waiting-texts.ts': { '#blocks': CALL, '#last': CALL },
  'src/http/gateway/websocket-session.ts': { queue: 'Connections over WebSocket', gones: CALL },
  'src/http/gateway/websocket.ts': { sessions: 'Connections over WebSocket' },
  'src/http/keep-alive.ts': { entries: CALLS },
  'src/http/key-loads.ts': { loads: 'Keys that overload tells apart' },
  'src/http/response-sink.ts': { '#queue': CALL, '#passing': WEAK },
  'src/http/slow-bodies.ts': { waits: WEAK },
  'src/media/audio/mp3-worker.ts': { encoders: CALLS },
  'src/media/audio/mp3.ts': { waiting: CALLS },
  'src/observe/log.ts': { waiting: 'Lines of the log before it is open' },
  'src/policy/conversations.ts': { known: 'Conversations and where they were answered' },
  'src/policy/decide.ts': { costs: CALL },
  'src/policy/health-news.ts': { known: 'What the log has told of them' },
  'src/policy/live-signals.ts': {
    turns: 'How quick targets are, and whose turn it is in a route',
    targets: 'How quick targets are, and whose turn it is in a route',
  },
  'src/policy/models/model-facts.ts': { remembered: WEAK, spelt: WEAK },
  'src/policy/routes/route.ts': { aliases: CONFIGURED },
  'src/policy/signals.ts': { turns: FIXED, targets: FIXED },
  'src/policy/standing.ts': { groups: CONFIGURED, down: CONFIGURED },
  'src/policy/troubles.ts': { troubles: 'Targets, keys of providers, and counters, in trouble' },
  'src/presets/aws-auth.ts': { signers: WEAK },
  'src/presets/catalogue.ts': { shelves: FIXED },
  'src/presets/jwt-auth.ts': { kept: WEAK },
  'src/presets/provider.ts': { known: 'Names that callers choose: models, paths, header fields', compiled: CONFIGURED },
  'src/presets/token-auth.ts': { kept: WEAK, pending: WEAK },
  'src/sandbox/choose-tools.ts': { words: CALL },
  'src/sandbox/conversation.ts': { calledNames: CALL },
  'src/sandbox/fake-timers.ts': { waiting: CALL },
  'src/sandbox/hints.ts': { values: CALL },
  'src/sandbox/media/form.ts': { parts: CALL },
  'src/sandbox/media/videos.ts': { made: 'Films of the sandbox', deleted: 'Films of the sandbox', drawn: 'Films of the sandbox' },
  'src/sandbox/reply-events.ts': { events: CALL },
  'src/sandbox/sound/transcribe.ts': { sentences: CALL },
  'src/state/answer.ts': { NONE: FIXED },
  'src/state/background.ts': {
    gones: CALL,
    newFinished: 'Responses in the background',
    running: 'Responses in the background',
    idles: FIXED,
  },
  'src/state/compact.ts': { values: CALL },
  'src/state/frame-log.ts': { frames: 'Responses in the background', readers: CALLS },
  'src/state/locks.ts': { held: CALLS },
  'src/state/memory-store.ts': { kept: 'Stored responses that wait to be written' },
  'src/state/message-collector.ts': { blocks: CALL, inputs: CALL },
  'src/state/reply-handler.ts': { '#pieces': 'An answer that is held whole' },
  'src/store/idempotency.ts': { working: CALLS },
  'src/store/journal.ts': { lines: 'Records of calls that wait to be written' },
  'src/store/master-key.ts': { sealers: FIXED },
  'src/store/node.ts': { ours: FIXED },
  'src/store/requests/requests.ts': { waiting: 'Records of calls that wait to be written' },
  'src/store/seals.ts': { found: CALL, cache: 'Sealed reasoning, in memory', entries: 'Sealed reasoning, in memory' },
  'src/store/sqlite-dialect.ts': { kept: 'Prepared statements' },
  'src/store/stored-state.ts': { waiting: 'Stored responses that wait to be written' },
  'src/stores.ts': { early: 'Records of calls that wait to be written' },
  'src/tasks/submit.ts': { media: CALL },
  'src/tasks/tasks.ts': { held: 'Tasks that have not ended', running: 'Tasks that have not ended' },
  'src/tokens/text-reader.ts': { queue: 'Texts that wait to be counted' },
  'src/tokens/text-worker.ts': { allowedSpecial: FIXED, disallowedSpecial: FIXED, loaded: FIXED },
  'src/upstream/choose-send.ts': { ways: 'Origins of providers, and idle connections to each' },
  'src/upstream/h1-pool.ts': { waiting: 'Origins of providers, and idle connections to each' },
  'src/upstream/h1-request-head.ts': { names: 'Names that callers choose: models, paths, header fields' },
  'src/upstream/h1-response-head.ts': { names: 'Names that callers choose: models, paths, header fields' },
  'src/upstream/h1-send.ts': { open: CALLS, pools: 'Origins of providers, and idle connections to each' },
  'src/upstream/read-turns.ts': { lanes: CALLS, seats: CALLS },
  'src/upstream/undici-send.ts': { pools: 'Origins of providers, and idle connections to each' },
  'src/wire/aws-event-stream.ts': { pieces: 'A line or an event of a stream' },
  'src/wire/byte-queue.ts': { pieces: CALL },
  'src/wire/held-bytes.ts': { pieces: 'An answer that is held whole' },
  'src/wire/multipart-head.ts': { parameters: CALL, headers: CALL },
  'src/wire/pieces.ts': { ours: WEAK, free: 'Buffers for the next pieces' },
  'src/wire/sse.ts': { '#rest': 'A line or an event of a stream' },
  'src/wire/top-level-scan.ts': { values: CALL },
};
