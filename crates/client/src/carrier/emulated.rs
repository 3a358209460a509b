//! A connection made of HTTP requests, where no WebSocket gets through: what comes down is one answer that never ends,
//! and commands go up by posts to `/emulation` (`docs/transports.md`).
//!
//! The first frame opens it all. Later ones wait for the answer to `connect`, which says where to post, and each for the
//! post before it: two at a time could overtake each other.

mod http;
mod pieces;
mod posts;

use std::time::Duration;

use ::http::{Method, Request, header};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use spanwire_client_core::{Encoding, Transport};
use spanwire_wire::{Outcome, ServerMessage, server_messages};

use self::http::Line;
use self::pieces::{Framing, Pieces};
use self::posts::{Place, Posts};
use super::{Ends, Loss, News, Way};
use crate::event::Ended;

/// How long the posts that are under way may take when the driver lets go.
const POSTS_WITHIN: Duration = Duration::from_millis(500);

/// Opens the answer that never ends, and carries frames until the driver lets go.
///
/// # Errors
/// Why it is over, if it was not the driver's wish.
pub(super) async fn carry(way: &Way, transport: Transport, ends: &mut Ends) -> Result<(), Loss> {
    let dialed = tokio::select! {
        dialed = Line::dial(way) => dialed?,
        () = ends.let_go() => return Ok(()),
    };
    ends.tell(News::Opened).await;
    let Some(first) = ends.frames.recv().await else { return Ok(()) };
    let framing = Framing::of(transport, way.encoding);
    let mut line = dialed;
    let answer = tokio::select! {
        answer = line.ask(opening(way, framing, first)?) => answer?,
        () = ends.let_go() => return Ok(()),
    };
    let pieces = Pieces::new(framing, way.message_bytes_max);
    let stream = Stream { way, pieces, posts: Posts::new(way), ends };
    stream.carry(answer).await
}

/// The request whose answer does not end.
fn opening(way: &Way, framing: Framing, first: Bytes) -> Result<Request<Bytes>, Ended> {
    let request = Request::builder().method(Method::POST).uri(way.address.beside(framing.path()));
    http::finish(request.header(header::ACCEPT, framing.content_type()), way, first)
}

/// The downstream half, and what goes up beside it.
struct Stream<'a> {
    way: &'a Way,
    pieces: Pieces,
    posts: Posts<'a>,
    ends: &'a mut Ends,
}

impl Stream<'_> {
    async fn carry(mut self, mut answer: Incoming) -> Result<(), Loss> {
        let mut is_wanted = true;
        while is_wanted {
            tokio::select! {
                frame = self.ends.frames.recv() => match frame {
                    Some(frame) => self.posts.add(frame),
                    None => is_wanted = false,
                },
                piece = answer.frame() => match piece {
                    Some(Ok(piece)) => {
                        if let Ok(bytes) = piece.into_data() {
                            self.hear(&bytes).await?;
                        }
                    }
                    Some(Err(error)) => return Err(Ended::new(Ended::LOST, error.to_string()).into()),
                    None => return Err(Ended::new(Ended::LOST, "the answer came to an end").into()),
                },
                posted = self.posts.go_on() => posted?,
            }
        }
        // What is still to be posted goes out; that the stream is closed is goodbye enough.
        let _ = tokio::time::timeout(POSTS_WITHIN, self.posts.finish()).await;
        Ok(())
    }

    async fn hear(&mut self, bytes: &[u8]) -> Result<(), Ended> {
        if let Some(frame) = self.pieces.add(bytes)? {
            if !self.posts.have_place() {
                self.posts.set_place(place(self.way.encoding, &frame));
            }
            self.ends.tell(News::Frame(frame)).await;
        }
        Ok(())
    }
}

/// Where to post, from the answer to `connect`; `None` in any other frame.
fn place(encoding: Encoding, frame: &[u8]) -> Option<Place> {
    server_messages(encoding, frame, &spanwire_wire::Limits::REPLIES).find_map(|message| match message {
        Ok(ServerMessage::Reply(reply)) => match reply.outcome {
            Outcome::Connect(result) => Some(Place { session: result.session, node: result.node }),
            _ => None,
        },
        _ => None,
    })
}
