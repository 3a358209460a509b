//! The named limits of the engine: what a turn may take, and what strangers can make a shard keep.
//!
//! The hub's limits bound what one client may cost; these bound how long everybody else waits for it.

use std::time::Duration;

/// The scratch that every read of a shard goes to, in bytes: the most that is read from one connection before the
/// others get their turn. It holds a whole message of the usual limit.
pub const READ_BYTES: usize = 64 << 10;

/// Most bytes that a shard reads from its connections, and again most bytes of publications that it takes from its
/// mailbox, before everything that came of them was offered to the sockets. The last read or letter may exceed it.
///
/// All of it may go to one channel, and then to each of its outboxes. It must stay well below their bound: else a
/// client that reads as fast as it can would overflow by our batching alone.
pub const ROUND_BYTES: usize = 64 << 10;

/// Most letters taken from the mailbox in one turn, so that the small ones are bounded too.
pub const TURN_LETTERS: usize = 4096;

/// Most events taken from the poller in one turn.
pub const TURN_EVENTS: usize = 1024;

/// Most connections written to in one turn: about two milliseconds of system calls. The rest of a larger fan-out
/// goes on in the next turn, after what has arrived meanwhile was read.
pub const TURN_WRITES: usize = 1024;

/// About how many bytes one write carries: more than a round can put into an outbox, so that only those who fall
/// behind need a second write, and few enough that their backlog does not hold up the others.
pub const WRITE_BYTES: usize = 4 * ROUND_BYTES;

/// The longest plain text of a TLS record (RFC 8446, section 5.1). A read from a TLS connection leaves so much of the
/// scratch free, for the rest of a record that came in pieces.
pub const TLS_RECORD_BYTES_MAX: usize = 16 << 10;

/// Most bytes that are enciphered and wait for one connection's socket, to within a few bytes for each record. What
/// else the socket does not take stays in the outbox, where it is shared with others.
pub const TLS_UNSENT_BYTES_MAX: usize = 64 << 10;

/// Most bytes that the kernel keeps unsent for a client that may lag (`TCP_NOTSENT_LOWAT`): what waits there is sent
/// before anything newer, and cannot be left out any more.
pub const LAGGING_UNSENT_BYTES_MAX: u32 = 32 << 10;

/// Payloads from this size on are written from where they are; shorter ones are cheaper to copy beside their
/// header than to describe to the kernel one by one.
pub const GATHER_BYTES_MAX: usize = 8 << 10;

/// Most bytes of compressed messages that a shard keeps during a turn, in case somebody else is to get them; then it
/// starts anew. The last one may exceed it.
pub const COMPRESSED_BYTES_MAX: usize = 4 << 20;

/// How much is compressed ahead for a connection that takes context over, in bytes; the last message may exceed it.
pub const OWN_BYTES_MAX: usize = 16 << 10;

/// Most bytes of letters that wait in a shard's mailbox before publications for it are dropped, and publishes
/// refused. One more turn's worth may be in the shard's hands already.
pub const MAILBOX_BYTES_MAX: usize = 16 << 20;

/// Most bytes of dropped publications of which a mailbox keeps the latest one of each channel.
pub const HOLES_BYTES_MAX: usize = 16 << 20;

/// The longest message of an echo connection, in bytes.
pub const ECHO_MESSAGE_BYTES_MAX: usize = 16 << 20;

/// Most bytes of an echo connection that wait for its socket before reading stops; one message and one read more
/// may come on top.
pub const ECHO_UNSENT_BYTES_MAX: usize = 256 << 10;

/// About how many bytes a piped session's task takes at a time. Two parcels can be on their way to a client beyond
/// what its outbox holds.
pub const PARCEL_BYTES: usize = ROUND_BYTES;

/// Most frames of commands that wait for a piped session; each has the size that its transport allows.
pub const INLET_FRAMES_MAX: usize = 4;

/// How long we wait for the peer's part of the close handshake, our own unsent part included.
pub const CLOSE_PATIENCE: Duration = Duration::from_secs(5);

/// How long a listener rests after the system ran out of descriptors or memory: long enough not to spin, short
/// enough not to be noticed beside a client's retry.
pub const ACCEPT_REST: Duration = Duration::from_millis(50);

/// How often brokers let go of what has outlived its time.
pub const EXPIRE_INTERVAL: Duration = Duration::from_secs(1);
