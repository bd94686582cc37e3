//! Every limit in one place: what users may send, and how much any queue, batch, cache or loop may hold.
//!
//! DynamoDB's figures are from its developer guide (2023) and service model; the others are ours, each with
//! the reason beside it. Code must not carry a bound of its own.

/// An item's names and values together (DynamoDB: 400 KB).
pub const ITEM_BYTES_MAX: usize = 400 * 1024;
/// A partition key's value (DynamoDB).
pub const PARTITION_KEY_BYTES_MAX: usize = 2048;
/// A sort key's value (DynamoDB).
pub const SORT_KEY_BYTES_MAX: usize = 1024;
/// An attribute's name (DynamoDB: 64 KB less one).
pub const ATTRIBUTE_NAME_BYTES_MAX: usize = 65_535;
/// A key attribute's name (DynamoDB).
pub const KEY_NAME_BYTES_MAX: usize = 255;
/// Levels of lists and maps within an attribute (DynamoDB).
pub const NESTING_MAX: usize = 32;
/// Significant digits of a number (DynamoDB).
pub const NUMBER_DIGITS_MAX: usize = 38;
/// The largest power of ten of a number's first digit (DynamoDB: 9.99…E+125).
pub const NUMBER_EXPONENT_MAX: i32 = 125;
/// The smallest power of ten of a number's first digit (DynamoDB: 1E-130).
pub const NUMBER_EXPONENT_MIN: i32 = -130;
/// The text of a number before it is parsed: far above what 38 digits need, so that zeros may pad it.
pub const NUMBER_TEXT_BYTES_MAX: usize = 1024;

/// One expression's text (DynamoDB: 4 KB).
pub const EXPRESSION_BYTES_MAX: usize = 4096;
/// Operators and functions in one expression (DynamoDB).
pub const EXPRESSION_OPERATORS_MAX: usize = 300;
/// Operands of `IN` (DynamoDB).
pub const IN_OPERANDS_MAX: usize = 100;
/// A `#name` or `:value` token (DynamoDB).
pub const SUBSTITUTION_TOKEN_BYTES_MAX: usize = 255;
/// All substituted names and values of a request (DynamoDB: 2 MB).
pub const SUBSTITUTION_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Parentheses and `NOT`s inside one another: a client that chains conditions opens one for each (DynamoDB
/// takes about as many).
pub const EXPRESSION_NESTING_MAX: usize = 150;
/// Functions inside one another: `if_not_exists` alone has a use for it, and parsing it recurses.
pub const EXPRESSION_CALL_NESTING_MAX: usize = 32;
/// Parsed expressions kept by their text, per shard.
pub const EXPRESSION_CACHE_ENTRIES_MAX: usize = 4096;
/// Text of the parsed expressions kept, per shard: a tree takes up to fifty times its text.
pub const EXPRESSION_CACHE_BYTES_MAX: usize = 1024 * 1024;

/// A table's name (DynamoDB).
pub const TABLE_NAME_BYTES_MIN: usize = 3;
/// A table's name (DynamoDB).
pub const TABLE_NAME_BYTES_MAX: usize = 255;
/// A region's name.
pub const REGION_NAME_BYTES_MAX: usize = 64;
/// Partitions that a table may be created with.
pub const PARTITIONS_MAX: u32 = 4096;
/// Tables in a region (DynamoDB's default quota).
pub const TABLES_MAX: usize = 2500;
/// Regions that a table may name; `seen` and the reports between regions grow with it.
pub const REGIONS_MAX: usize = 16;
/// Names in one page of `ListTables` (DynamoDB).
pub const LIST_TABLES_MAX: usize = 100;

/// What `Query` and `Scan` read for one page (DynamoDB: 1 MB before the filter).
pub const PAGE_BYTES_MAX: usize = 1024 * 1024;
/// What a page may read in a turn: every other request of the shard waits for it.
pub const PAGE_IN_TURN_BYTES_MAX: usize = 32 * 1024;
/// Keys in a `BatchGetItem` (DynamoDB).
pub const BATCH_GET_KEYS_MAX: usize = 100;
/// Puts and deletes in a `BatchWriteItem` (DynamoDB).
pub const BATCH_WRITE_ITEMS_MAX: usize = 25;
/// A batch's request or answer (DynamoDB: 16 MB).
pub const BATCH_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Segments of a parallel scan (DynamoDB).
pub const SCAN_SEGMENTS_MAX: u32 = 1_000_000;

/// One gRPC message: a 16 MB batch and its framing.
pub const MESSAGE_BYTES_MAX: usize = 17 * 1024 * 1024;
/// How long an outcome is kept under its request id (`P3`; DynamoDB keeps tokens as long).
pub const REQUEST_OUTCOME_MS: u64 = 10 * 60 * 1000;
/// Requests waiting in a shard's inbox; past it the caller is told to come back.
pub const INBOX_REQUESTS_MAX: usize = 8192;
/// Requests under way, and answers that nobody took, may take one such share of `--memory` each.
pub const MEMORY_SHARES_OF_REQUESTS: usize = 16;
/// Bytes waiting in a shard's inbox.
pub const INBOX_BYTES_MAX: usize = 64 * 1024 * 1024;
/// What one turn takes from the inbox and answers, so that a sync is never far away.
pub const TURN_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Requests that one turn takes from the inbox.
pub const TURN_REQUESTS_MAX: usize = 2048;
/// Turns whose sync is under way at once: one running, one filling up.
pub const TURNS_IN_FLIGHT_MAX: usize = 2;
/// Writes accepted by raft and not yet applied, per partition; past it the caller is told to come back.
pub const PARTITION_IN_FLIGHT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Uncommitted log of one raft group (`P1`).
pub const RAFT_UNCOMMITTED_BYTES_MAX: u64 = 128 * 1024 * 1024;
/// Committed entries handed out by one raft step (`P1`).
pub const RAFT_COMMITTED_BYTES_PER_READY_MAX: u64 = 16 * 1024 * 1024;
/// Entries in one raft message (`P1`).
pub const RAFT_MESSAGE_BYTES_MAX: u64 = 1024 * 1024;
/// Raft messages under way to one follower (`P1`).
pub const RAFT_MESSAGES_IN_FLIGHT_MAX: usize = 256;
/// How often a group of several members ticks, in milliseconds.
pub const RAFT_TICK_MS: u64 = 50;
/// Ticks without anything to do after which a group stops ticking (`P5`).
pub const QUIET_TICKS: u32 = 10;
/// Sleeping groups that wake at one tick, because a node was lost or came back: enough that a thousand are
/// led again within seconds, few enough that their elections do not hold each other up.
pub const WAKES_PER_TICK_MAX: usize = 256;
/// Ticks after which a node that was sent nothing is told that this one lives.
pub const NODE_GREETING_TICKS: u32 = 3;
/// Sleeping partitions whose closed times are renewed at once, in every interval of closed times.
pub const CLOSINGS_OF_SLEEPERS_MAX: usize = 32;
/// How often a leader looks whether another is to lead its partition, in milliseconds.
pub const GIVE_WAY_INTERVAL_MS: u64 = 2000;
/// Replicas of a partition, where the region has as many nodes.
pub const REPLICAS: usize = 3;
/// How long a node waits, at most, for a partition to be led again before it refuses a call.
pub const LEADER_WAIT_MS_MAX: u64 = 3000;
/// How often a call is passed on at once, from one node to the next that is named.
pub const PASSES_MAX: u32 = 3;
/// How long it waits before it looks again.
pub const LEADER_WAIT_MS: u64 = 50;
/// Nodes of one region.
pub const NODES_MAX: usize = 64;
/// Partitions of a region that have replicas on their way at once.
pub const MOVES_MAX: usize = 64;
/// How often a leader looks whether its group's members are those that the catalog wants, and the catalog's
/// leader whether any should be others, in milliseconds.
pub const RESEAT_INTERVAL_MS: u64 = 250;
/// Replicas that a node fetches the data of at once.
pub const FETCHES_MAX: usize = 8;
/// Replicas that a node gives data to at once.
pub const SUPPLIES_MAX: usize = 16;
/// Data that travel in one letter, in bytes, as far as a single record is not larger.
pub const CHUNK_BYTES: usize = 256 * 1024;
/// How long a node waits for data before it asks again, in milliseconds.
pub const FETCH_RETRY_MS: u64 = 1000;
/// How long a node that was removed waits, without a leader of the catalog, before it ends.
pub const REMOVED_LINGER_MS: u64 = 5000;
/// How often it asks for the same piece before it begins again.
pub const FETCH_TRIES_MAX: u32 = 3;
/// How long a view is kept for a node that does not ask for more of it, in milliseconds.
pub const SUPPLY_IDLE_MS: u64 = 30_000;
/// Letters from one node to another that leave in one message.
pub const NODE_MESSAGE_BYTES: usize = 1024 * 1024;
/// Ticks without a sign of the leader before a replica campaigns, at least; the most is one less than twice
/// that.
pub const RAFT_ELECTION_TICKS: u32 = 10;
/// Ticks between a leader's heartbeats.
pub const RAFT_HEARTBEAT_TICKS: u32 = 2;
/// Entries that a member may lack when leadership is handed to it: until it has them, nothing can be
/// proposed.
pub const RAFT_TRANSFER_ENTRIES_MAX: u64 = 256;
/// Synced log of one group that is kept in memory until it is committed; past it, it is read from the disk.
pub const RAFT_TAIL_BYTES_MAX: usize = 1024 * 1024;
/// Places for entries that a group keeps after a burst: thousands of idle groups must stay small.
pub const RAFT_IDLE_ENTRIES_MAX: usize = 64;
/// Log not yet covered by a flush, after which a flush is due (DESIGN section 5).
pub const LOG_UNFLUSHED_BYTES_MAX: usize = 256 * 1024 * 1024;

/// How long a silent node's partitions keep what it lacks in their logs; after that it is given data instead.
pub const LOG_KEPT_FOR_MS: u64 = 10 * 60 * 1000;

/// Clock difference between nodes past which a remote version is held back (`P7`).
pub const CLOCK_OFFSET_MS_MAX: u64 = 500;
/// How far ahead of the clock the persisted ceiling is set, and renewed at half: a restart begins there, and
/// peers hold back what is further ahead of them than the bound (`P7`).
pub const CLOCK_CEILING_AHEAD_MS: u64 = 1000;
/// The largest correction of the slewed clock, in parts per million of elapsed time (`P7`; NTP slews as
/// much).
pub const CLOCK_SLEW_PPM: u64 = 500;

/// Records in one batch between regions.
pub const SHIP_BATCH_RECORDS_MAX: usize = 1024;
/// Bytes of the records in one batch between regions; a single record may exceed it.
pub const SHIP_BATCH_BYTES_MAX: usize = 512 * 1024;
/// Batches under way from one partition to one peer.
pub const SHIP_BATCHES_IN_FLIGHT_MAX: usize = 4;
/// Bytes under way from one shard to one peer, over all its partitions.
pub const SHIP_BYTES_IN_FLIGHT_MAX: usize = 16 * 1024 * 1024;
/// How long a batch may stay unacknowledged before it is sent again from the cursor.
pub const SHIP_RETRY_MS: u64 = 2000;
/// How often closed times and reports are exchanged (`P8`).
pub const CLOSED_TIME_INTERVAL_MS: u64 = 200;
/// How often a catalog repeats what a peer has not confirmed (`P19`).
pub const CATALOG_RETRY_MS: u64 = 500;
/// Keys handled by one step of a collection or trimming, so that a turn stays short.
pub const COLLECT_KEYS_MAX: usize = 512;
/// Outcomes of requests that one step of forgetting looks at: where a quarter of them may go, the next step
/// follows at once.
pub const FORGET_LOOKED_MAX: usize = 4 * COLLECT_KEYS_MAX;
/// One in so many operations of a partition is remembered by its hash, to find where half of them are.
pub const LOAD_SAMPLED_EVERY: u64 = 4;
/// Operations of a partition that are remembered so.
pub const LOAD_SAMPLE: usize = 128;
/// Operations a second below which a partition's load is not told.
pub const LOAD_LEAST_PER_SECOND: u64 = 100;
/// How often leaders tell what their partitions decide.
pub const LOAD_INTERVAL_MS: u64 = 1000;
/// Hot partitions that a node tells of, and that are shown of a region.
pub const HOTTEST_TOLD_MAX: usize = 8;
/// For how long what was told counts.
pub const LOAD_KNOWN_FOR_MS: u64 = 4 * LOAD_INTERVAL_MS;
/// A partition that decides more than so much of what a node decides on average is split: into quarters, so
/// that nodes which lead as many partitions as others carry about as much as others.
pub const SPLIT_PARTS_OF_A_NODE: u64 = 4;
/// Operations a second that a partition may always decide without being split: as in DynamoDB, whose
/// partitions take 1,000 writes.
pub const SPLIT_LEAST_PER_SECOND: u64 = 1000;
/// How long a partition must decide too much before it is split.
pub const SPLIT_SUSTAINED_MS: u64 = 10_000;
/// Bytes of items above which a partition is split, as on its disk: DynamoDB's partitions hold 10 GB.
pub const PARTITION_BYTES_MAX: u64 = 10_000_000_000;
/// How often leaders look at what their partitions hold.
pub const GROWTH_INTERVAL_MS: u64 = 60_000;
/// Steps of the search for the half of it: the ranges of the last are small beside a table of any size.
pub const GROWTH_STEPS: u32 = 40;
/// Changes and tombstones that a split looks at, at most: it moves about half of them, in one turn. While
/// peers lack more than that, no partition is split.
pub const SPLIT_LOOKED_MAX: usize = 131_072;
/// How far above the clock a round of collection is marked (`P11`): no region stamps further ahead, not with
/// its clock off by the bound twice over, nor just started at its ceiling.
pub const COLLECT_MARK_AHEAD_MS: u64 = 2 * CLOCK_OFFSET_MS_MAX + CLOCK_CEILING_AHEAD_MS;
/// How often a partition looks for what it may collect.
pub const COLLECT_INTERVAL_MS: u64 = 1000;
/// How soon a partition that left something to collect is looked at again.
pub const COLLECT_AGAIN_MS: u64 = 20;
/// Writes that are gathered before they are handed to the key space, so that a long replay is no single
/// batch.
pub const APPLY_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Parts of one digest request.
pub const DIGEST_PARTS_MAX: u32 = 256;
/// Keys named by one answer to `Versions`.
pub const DIGEST_KEYS_MAX: usize = 1000;

/// Attempts that the client library makes of one call.
pub const RETRY_ATTEMPTS_MAX: u32 = 6;
/// The bound of the random wait before the first retry; it doubles with each.
pub const RETRY_BACKOFF_MS_MIN: u64 = 50;
/// The largest bound of the random wait before a retry.
pub const RETRY_BACKOFF_MS_MAX: u64 = 5000;
/// Tokens of a client's full retry budget: a hundred retries without a success between them.
pub const RETRY_BUDGET_TOKENS: u32 = 500;
/// What a retry takes from the budget.
pub const RETRY_COST_TOKENS: u32 = 5;
/// What a success gives back.
pub const RETRY_REFUND_TOKENS: u32 = 1;
/// What a client sends to an endpoint that refuses, by what the endpoint takes: more finds out sooner that it
/// takes more.
pub const THROTTLE_SPARE: f64 = 1.5;
/// How long it takes for what an endpoint took or refused to count half.
pub const THROTTLE_HALF_LIFE_MS: u64 = 250;
/// Calls that a client sends whatever is refused.
pub const THROTTLE_CALLS_MIN: f64 = 32.0;
/// How long a client leaves an endpoint alone after it failed once; it doubles with each failure in a row.
pub const ENDPOINT_COOL_DOWN_MS_MIN: u64 = 500;
/// The longest a client leaves an endpoint alone.
pub const ENDPOINT_COOL_DOWN_MS_MAX: u64 = 30_000;
/// Calls about a table before a client asks who leads it: whoever makes a few and ends has no use for that.
pub const ROUTES_CALLS_MIN: u32 = 8;
/// How often a client asks who leads a table, at most.
pub const ROUTES_INTERVAL_MS: u64 = 1000;
/// How long a client waits for the answer, and for a node to show that it is the one that is meant.
pub const ROUTES_DEADLINE_MS: u64 = 3000;
/// How long a client asks a region nothing of the kind that has one node, or does not know the call.
pub const ROUTES_REST_MS: u64 = 60_000;
/// Tables of one region whose leaders a client keeps.
pub const ROUTES_TABLES_MAX: usize = 256;
/// Nodes of one region that a client connects to beside its endpoints.
pub const DIRECT_NODES_MAX: usize = NODES_MAX;
/// How long such a node may leave calls unanswered, all of them, before others are sent through an endpoint:
/// about as long as an election takes.
pub const DIRECT_SILENCE_MS: u64 = 500;
/// How long a client keeps a connection to such a node without calling it.
pub const DIRECT_IDLE_MS: u64 = 60_000;
/// What an error's message says at most: it may repeat names that a request gave, and a request is larger
/// than the trailers that carry its refusal.
pub const ERROR_MESSAGE_BYTES_MAX: usize = 2048;
/// The name of the field at fault, which may be an attribute's.
pub const ERROR_FIELD_BYTES_MAX: usize = 255;
/// The trailers that a gRPC client takes, where nobody set more: past it, it sees a broken stream and not the
/// refusal.
pub const TRAILER_BYTES_MAX: usize = 16 * 1024;
/// A ping's payload.
pub const PING_BYTES_MAX: usize = 1024 * 1024;
/// Batches that an import has under way at once.
pub const IMPORT_BATCHES_IN_FLIGHT_MAX: usize = 32;
/// One row of a file to import: an item of 400 KB, in JSON's widest spelling.
pub const IMPORT_ROW_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Rows that an import reads ahead.
pub const IMPORT_ROWS_AHEAD_MAX: usize = 256;
/// Items of one batch of an import, so that all batches under way take little memory.
pub const IMPORT_BATCH_BYTES_MAX: usize = 1024 * 1024;
/// How long an import waits for a server that is out of reach.
pub const IMPORT_PATIENCE_MS: u64 = 60_000;
/// Keys that a verification names; past them it only says that there are more.
pub const VERIFY_KEYS_MAX: usize = 1000;
/// Segments that the command line scans at once.
pub const SCAN_SEGMENTS_AT_ONCE_MAX: u32 = 64;
/// The least item that a benchmark writes: its key, its counter and a little payload.
pub const BENCH_ITEM_BYTES_MIN: usize = 64;
/// Operations that a benchmark has under way at once: more than a node accepts, to see it overloaded.
pub const BENCH_IN_FLIGHT_MAX: usize = 8192;
/// Connections that a benchmark opens; half of what a node accepts.
pub const BENCH_CONNECTIONS_MAX: usize = 256;
/// How long a benchmark may run: a day.
pub const BENCH_SECONDS_MAX: u64 = 24 * 60 * 60;
/// Operations that a benchmark may start in a second.
pub const BENCH_RATE_MAX: u64 = 10_000_000;
/// Items that a benchmark loads; preparing a skewed choice among them takes time in proportion.
pub const BENCH_KEYS_MAX: u64 = 100_000_000;
/// Items in one page that a benchmark queries.
pub const BENCH_PAGE_ITEMS_MAX: u32 = 128;
/// Figures of single seconds that wait to be shown; past it they are left out.
pub const BENCH_INTERVALS_AHEAD_MAX: usize = 64;
/// The longest operation that a benchmark tells apart from longer ones, in nanoseconds: an hour.
pub const BENCH_LATENCY_NS_MAX: u64 = 3_600_000_000_000;
/// The longest that a benchmark's starting thread sleeps at a time, so that an interrupted one ends soon.
pub const BENCH_SLEEP_MS_MAX: u64 = 50;
/// The longest that a batch may stay unacknowledged, on however slow a link.
pub const SHIP_RETRY_MS_MAX: u64 = 120_000;
/// Changes that one run of shipping reads, those that other regions made included.
pub const SHIP_CHANGES_READ_MAX: usize = 8192;
/// How long shipping rests after a peer said that it cannot take a batch.
pub const SHIP_HOLD_MS: u64 = 500;
/// Batches of all peers that are being applied at once; their bytes are bounded by the senders' windows.
pub const ARRIVALS_MAX: usize = 4096;
/// One message between regions, inflated: a batch whose last record is the largest there is, and its frame.
pub const LINK_MESSAGE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Partitions whose closed times one message carries, so that it stays below the message limit.
pub const PULSE_RANGES_MAX: usize = 65_536;
/// Requests to the catalog that wait for the one under way.
pub const CATALOG_QUEUE_MAX: usize = 1024;
/// How close hybrid time may come to the ceiling before it is renewed, and the least that is added: next to
/// nothing, or a node that restarts again and again would run ahead of its clock.
pub const CLOCK_CEILING_NEAR_MS: u64 = 5;
/// A jump of wall time against the monotonic clock that counts as a step and not as drift (`P7`).
pub const CLOCK_STEP_MS: u64 = 50;
/// What a caller is told to wait when a queue was full.
pub const RETRY_AFTER_MS: u64 = 20;
/// One file of the raft log; the next is begun past it.
pub const LOG_FILE_BYTES: u64 = 32 * 1024 * 1024;
/// Log files kept before compacted ones are recycled; as much as may be unflushed, so that recycling is
/// seldom.
pub const LOG_FILES_BYTES_MAX: u64 = LOG_UNFLUSHED_BYTES_MAX as u64;
/// One write buffer of RocksDB when memory is short; past it, it is written out in the background.
pub const WRITE_BUFFER_BYTES_MIN: usize = 32 * 1024 * 1024;
/// One write buffer of RocksDB when there is plenty: larger ones are merged more seldom, and slower to write
/// to.
pub const WRITE_BUFFER_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Write buffers of one disk: one filling up, the others on their way out.
pub const WRITE_BUFFERS_MAX: i32 = 6;
/// Write buffers on their way out past which writes are refused: RocksDB would make them wait at one less
/// than there may be.
pub const WRITE_BUFFERS_WAITING_MAX: u64 = 3;
/// Files that were flushed and are then merged together.
pub const LEVEL_ZERO_FILES_MERGED: i32 = 4;
/// Files that were flushed and not merged past which writes are refused.
pub const LEVEL_ZERO_FILES_MAX: u64 = 24;
/// Such files past which RocksDB slows whoever writes; it must not come to that.
pub const LEVEL_ZERO_FILES_SLOW: i32 = 32;
/// Such files past which RocksDB stops whoever writes.
pub const LEVEL_ZERO_FILES_STOP: i32 = 48;
/// How long syncs may usually take for a write that is alone to be synced by the thread that makes turns;
/// what comes meanwhile waits for it.
pub const SYNC_ALONE_US_MAX: u64 = 500;
/// How often the disk is asked whether it is under pressure.
pub const PRESSURE_INTERVAL_MS: u64 = 50;
/// How often the disk is asked how much room it has.
pub const ROOM_INTERVAL_MS: u64 = 1000;
/// What stays free of a disk, where nobody said how much, in hundredths of it.
pub const DISK_RESERVE_PERCENT: u64 = 5;
/// The least that stays free, where nobody said how much: a few flushes and the merges that follow.
pub const DISK_RESERVE_BYTES_MIN: u64 = 256 * 1024 * 1024;
/// The most that stays free, where nobody said how much.
pub const DISK_RESERVE_BYTES_MAX: u64 = 2 * 1024 * 1024 * 1024;
/// A disk that was nearly full is so until so much of its reserve is free again, in hundredths: otherwise
/// what a merge gives back for a moment would be written full at once.
pub const DISK_ROOM_AGAIN_PERCENT: u64 = 125;
/// The least memory for block cache and write buffers together that works at all.
pub const DISK_MEMORY_BYTES_MIN: usize = 16 * 1024 * 1024;
/// RocksDB's own text logs that are kept.
pub const DATABASE_LOG_FILES_MAX: usize = 4;
/// One of RocksDB's own text logs.
pub const DATABASE_LOG_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Requests that a node has accepted and not answered; less than the inbox holds, so that links always find
/// room.
pub const REQUESTS_IN_FLIGHT_MAX: usize = 6144;
/// How long a request without a deadline of its own may take.
pub const REQUEST_DEADLINE_MS: u64 = 10_000;
/// The latest deadline a request may set itself.
pub const REQUEST_DEADLINE_MS_MAX: u64 = 60_000;
/// How much sooner than the caller's deadline the server answers, so that the answer has time to travel.
pub const DEADLINE_MARGIN_MS: u64 = 20;
/// gRPC connections that one node holds: each takes a file descriptor, and the disk needs some.
pub const CONNECTIONS_MAX: usize = 512;
/// Connections that one node holds for metrics and health.
pub const METRICS_CONNECTIONS_MAX: usize = 32;
/// How long a caller of the gRPC port may take to greet.
pub const GREETING_MS: u64 = 5000;
/// How long a TLS handshake may take whoever calls; the one who is called counts it among the greeting.
pub const TLS_HANDSHAKE_MS: u64 = 5000;
/// Days that a test authority's certificate is valid.
pub const AUTHORITY_DAYS: u64 = 3650;
/// Days that a certificate which a test authority signs is valid.
pub const CERTIFICATE_DAYS: u64 = 730;
/// How long before it is made a certificate is valid from, for machines whose clocks are behind.
pub const CERTIFICATE_BACKDATED_HOURS: u64 = 24;
/// How long a connection for metrics and health may last.
pub const METRICS_CONNECTION_MS: u64 = 30_000;
/// Connections that the system holds for a node until it accepts them.
pub const CONNECTIONS_WAITING_MAX: u32 = 1024;
/// How long accepting connections rests after the system refused one.
pub const ACCEPT_PAUSE_MS: u64 = 100;
/// How often one kind of warning is told that somebody else can cause.
pub const WARNING_INTERVAL_MS: u64 = 1000;
/// Calls under way on one gRPC connection.
pub const CONNECTION_REQUESTS_MAX: usize = 1024;
/// Calls in one frame of a session.
pub const SESSION_FRAME_CALLS_MAX: usize = 1024;
/// Bytes of a session's frame past which no more is added to it: enough to make its overhead nothing, little
/// enough that nobody waits for it.
pub const SESSION_FRAME_BYTES: usize = 64 * 1024;
/// Calls under way in one session; past it no frames are read.
pub const SESSION_CALLS_MAX: usize = 2048;
/// Requests under way in one session, in bytes; past it no frames are read.
pub const SESSION_BYTES_MAX: usize = 32 * 1024 * 1024;
/// What an answer adds to its frame beside its response.
pub const SESSION_ANSWER_OVERHEAD_BYTES: usize = 16;
/// What a call adds to its frame beside its request.
pub const SESSION_CALL_OVERHEAD_BYTES: usize = 32;
/// What one gRPC stream may send ahead of its reader: a link between continents stays busy.
pub const STREAM_WINDOW_BYTES: u32 = 2 * 1024 * 1024;
/// What one gRPC connection may send ahead of its readers.
pub const CONNECTION_WINDOW_BYTES: u32 = 8 * 1024 * 1024;
/// How long a gRPC connection is silent before it is probed.
pub const KEEPALIVE_INTERVAL_MS: u64 = 5000;
/// How long a probe may stay unanswered before the connection counts as dead.
pub const KEEPALIVE_TIMEOUT_MS: u64 = 5000;
/// Where a node is reached: the longest host name (RFC 1035) and a port.
pub const NODE_ADDRESS_BYTES_MAX: usize = 259;
/// How long one round of asking a region's nodes for a place among them may take.
pub const JOIN_ROUND_MS: u64 = 10_000;
/// How often a node that waits for its place tells why.
pub const JOIN_WARNING_INTERVAL_MS: u64 = 10_000;
/// How long dialling a peer may take.
pub const LINK_CONNECT_MS: u64 = 3000;
/// How long either side of a new link waits for the other's Hello.
pub const LINK_HANDSHAKE_MS: u64 = 5000;
/// How long a party that is not linked to any more is still sent what waits for it.
pub const LINK_FAREWELL_MS: u64 = 1000;
/// The wait before a peer is dialled again; it doubles with each failure in a row.
pub const LINK_BACKOFF_MS_MIN: u64 = 50;
/// The longest wait before a peer is dialled again.
pub const LINK_BACKOFF_MS_MAX: u64 = 2000;
/// Messages that wait to be sent to one peer; past it they are dropped and counted.
pub const LINK_QUEUE_MESSAGES_MAX: usize = 16_384;
/// Bytes that wait to be sent to one peer, delayed ones included: twice what a shard has under way to it.
pub const LINK_QUEUE_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Frames handed to gRPC ahead of the socket.
pub const LINK_FRAMES_AHEAD_MAX: usize = 16;
/// The longest delay that `--latency` puts on a link.
pub const LINK_DELAY_MS_MAX: u64 = 60_000;
/// Threads that read pages too long for a turn.
pub const PAGE_THREADS: usize = 2;
/// Threads that compare tables: beside those for pages, since a comparison reads as much as its range holds.
pub const COMPARISON_THREADS: usize = 2;
/// How often a shard publishes its figures.
pub const FIGURES_INTERVAL_MS: u64 = 100;
/// Links that metrics tell of, those that went included.
pub const LINKS_SHOWN_MAX: usize = 4096;
/// How often samples of latency are folded into their histograms.
pub const METRICS_UPKEEP_MS: u64 = 1000;
/// How often the disk is asked to tidy its log files.
pub const MAINTAIN_INTERVAL_MS: u64 = 10_000;
/// How long a stopping server waits for the requests under way.
pub const STOP_DRAIN_MS: u64 = 5000;
/// The least that `--memory` may name for one region.
pub const MEMORY_BYTES_MIN: u64 = 64 * 1024 * 1024;
/// What `--memory` is when it is not given.
pub const MEMORY_BYTES_DEFAULT: u64 = 1024 * 1024 * 1024;
