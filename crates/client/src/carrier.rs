//! What carries one connection: a task that brings frames to the server and back, over one transport.
//!
//! A carrier decides nothing. It ends when the driver lets go of it, after a word of goodbye, or when the transport
//! does, and then says why.

mod dial;
#[cfg(feature = "fallback")]
mod emulated;
mod websocket;

use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use spanwire_client_core::{Encoding, Transport};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::address::Address;
use crate::event::Ended;
use crate::trust::Trust;

/// Frames of the server that may wait for the driver; then the transport waits too.
const UNREAD_MAX: usize = 16;

/// What a carrier tells the driver.
#[derive(Debug)]
pub(crate) enum News {
    /// Frames can be sent.
    Opened,
    /// The server has sent a frame.
    Frame(Bytes),
    /// It is over. Nothing comes behind this.
    Lost(Loss),
}

/// Why a connection is over.
#[derive(Debug)]
pub(crate) struct Loss {
    pub(crate) why: Ended,
    /// For how long the server wants to be left alone, if it has no time and says so (`Retry-After`).
    pub(crate) retry_after: Option<Duration>,
}

/// The driver's end of a connection.
#[derive(Debug)]
pub(crate) struct Carrier {
    frames: mpsc::UnboundedSender<Bytes>,
    news: mpsc::Receiver<News>,
    task: JoinHandle<()>,
}

/// The carrier's end of it.
struct Ends {
    /// What is to be sent: what the core keeps is bounded, and so is this. When it ends, the driver has let go.
    frames: mpsc::UnboundedReceiver<Bytes>,
    news: mpsc::Sender<News>,
}

/// The way to a server, and how to speak there.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    pub(crate) address: Address,
    pub(crate) trust: Trust,
    pub(crate) encoding: Encoding,
    /// Further headers of HTTP.
    pub(crate) headers: Vec<(String, String)>,
    /// Longest message that is taken from the server, in bytes.
    pub(crate) message_bytes_max: usize,
}

/// Opens connections.
#[derive(Debug)]
pub(crate) struct Dialer {
    way: Way,
    chance: StdRng,
}

impl Dialer {
    pub(crate) fn new(way: Way, seed: [u8; 32]) -> Self {
        Self { way, chance: StdRng::from_seed(seed) }
    }

    /// Begins to open a connection over this transport.
    pub(crate) fn open(&mut self, transport: Transport) -> Carrier {
        let (frames, frames_here) = mpsc::unbounded_channel();
        let (news_here, news) = mpsc::channel(UNREAD_MAX);
        let (way, chance) = (self.way.clone(), StdRng::from_seed(self.chance.random()));
        let task = tokio::spawn(async move {
            let mut ends = Ends { frames: frames_here, news: news_here };
            if let Err(why) = carry(transport, &way, chance, &mut ends).await {
                ends.tell(News::Lost(why)).await;
            }
        });
        Carrier { frames, news, task }
    }
}

/// Carries frames over this transport until the driver lets go.
async fn carry(transport: Transport, way: &Way, chance: StdRng, ends: &mut Ends) -> Result<(), Loss> {
    match transport {
        #[cfg(feature = "fallback")]
        Transport::HttpStream | Transport::Sse => emulated::carry(way, transport, ends).await,
        _ => websocket::carry(way, chance, ends).await,
    }
}

impl Loss {
    /// An answer of HTTP that is none of success. Only 429 and 503 say by `Retry-After` when to come back (RFC 9110 section
    /// 10.2.3); a date would need a clock that is right, and is passed over.
    fn refused(status: u16, reason: String, retry_after: Option<&[u8]>) -> Self {
        let seconds = retry_after.and_then(|value| std::str::from_utf8(value).ok()?.trim().parse().ok());
        let told = seconds.filter(|_| matches!(status, 429 | 503));
        Self { why: Ended::new(status.into(), reason), retry_after: told.map(Duration::from_secs) }
    }
}

impl From<Ended> for Loss {
    fn from(why: Ended) -> Self {
        Self { why, retry_after: None }
    }
}

impl Carrier {
    /// Sends a frame, behind those before it. On a connection that is over nobody cares.
    pub(crate) fn send(&self, frame: Bytes) {
        let _ = self.frames.send(frame);
    }

    /// Whatever comes next.
    pub(crate) fn poll_news(&mut self, context: &mut Context<'_>) -> Poll<News> {
        let lost = || News::Lost(Ended::new(Ended::LOST, "the connection was lost").into());
        self.news.poll_recv(context).map(|news| news.unwrap_or_else(lost))
    }

    /// Sends what is still to be sent, takes leave, and waits until that is done.
    pub(crate) async fn say_goodbye(self) {
        let Self { frames, news, task } = self;
        drop((frames, news));
        let _ = task.await;
    }
}

impl Ends {
    /// Tells the driver, and waits until it has time. A driver that has let go does not mind.
    async fn tell(&self, news: News) {
        let _ = self.news.send(news).await;
    }

    /// Waits until the driver lets go, which it may do at any time. Before the connection is open, there is nothing to
    /// send.
    async fn let_go(&mut self) {
        while self.frames.recv().await.is_some() {}
    }
}
