//! Every bound of the client, with the reason for its value.

use std::time::Duration;

/// What a client may keep, and how long it waits for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The first retry comes within this time: quick for a person, yet spread out for a server that lost everybody.
    pub retry_min: Duration,
    /// No retry waits longer than this, so that a server which returns has everybody back soon after.
    pub retry_max: Duration,
    /// A server that sends us away may tell when to come back; later than this we do not believe it.
    pub retry_told_max: Duration,
    /// A connection, or a subscription, that lived this long was a good one, and forgives the failures before it.
    pub steady: Duration,
    /// How long a token, an opening and the answer to the connect command may take, each.
    pub connect_within: Duration,
    /// The same for opening a WebSocket, and for its answer, where there is another transport to try.
    pub open_within: Duration,
    /// The same for an answer that streams: a proxy that holds it back is found out when somebody has waited already.
    pub stream_within: Duration,
    /// How long to be content with a lesser transport before the best one is tried again; up to twice that, by chance.
    pub climb_after: Duration,
    /// How much later than announced a server's ping may come before the connection is called dead.
    pub ping_margin: Duration,
    /// How long a connection may take to answer that is asked whether it survived a sleep or a change of network.
    pub probe_within: Duration,
    /// How long a subscribe may stay unanswered before the connection is given up: the session that owes the answer
    /// may have lost it.
    pub subscribe_within: Duration,
    /// How long a call waits for its answer, the time spent offline included.
    pub call_within: Duration,
    /// How long a publish waits for its acknowledgement, the time spent offline included. Below the server's window
    /// for keys (five minutes by default), or a repeat could come too late to be known as one.
    pub publish_within: Duration,
    /// Most calls and publishes that may be unanswered at once, those that wait for a connection included.
    pub calls_max: usize,
    /// Most bytes of their payloads and names together.
    pub calls_bytes_max: usize,
    /// Most channels that may be subscribed to, by the application, and again by the server.
    pub subscriptions_max: usize,
    /// Most members of a channel that are kept, where somebody wants to know who is there: about 2 MB of them.
    pub members_max: usize,
    /// Commands of one moment share a frame up to this many bytes, below the 64 KiB that servers take. A command that
    /// is larger by itself still goes out, alone.
    pub frame_bytes_max: usize,
    /// What one frame of the server may make us read.
    pub replies: spanwire_wire::Limits,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            retry_min: Duration::from_millis(300),
            retry_max: Duration::from_secs(20),
            retry_told_max: Duration::from_secs(120),
            steady: Duration::from_secs(10),
            connect_within: Duration::from_secs(10),
            open_within: Duration::from_secs(4),
            stream_within: Duration::from_secs(1),
            climb_after: Duration::from_secs(300),
            ping_margin: Duration::from_secs(10),
            probe_within: Duration::from_secs(2),
            subscribe_within: Duration::from_secs(20),
            call_within: Duration::from_secs(10),
            publish_within: Duration::from_secs(60),
            calls_max: 1024,
            calls_bytes_max: 4 << 20,
            subscriptions_max: 1024,
            members_max: 10_000,
            frame_bytes_max: 32 << 10,
            replies: spanwire_wire::Limits::REPLIES,
        }
    }
}
