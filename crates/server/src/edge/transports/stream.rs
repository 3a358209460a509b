//! A response that does not end before its session does.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame};

use super::framing::Framing;
use super::sessions::Registration;
use crate::engine::pipe::{Parcel, Pipe};

/// The body of such a response. Dropped before its end, the client is gone.
pub(super) struct Stream {
    pipe: Pipe,
    framing: Framing,
    stage: Stage,
    direction: Direction,
}

/// Whether the client has a way to speak.
pub(super) enum Direction {
    /// Requests find the session for as long as this is kept.
    Both(#[expect(dead_code, reason = "it is kept, and that is all")] Registration),
    /// The client only hears, and that as bare pushes.
    Down,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Opening,
    Open,
    /// The last word is said.
    Over,
}

impl Stream {
    pub(super) fn new(pipe: Pipe, framing: Framing, direction: Direction) -> Self {
        let stage = if framing.prelude().is_empty() { Stage::Open } else { Stage::Opening };
        Self { pipe, framing, stage, direction }
    }
}

impl Body for Stream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let bytes = match self.stage {
            Stage::Opening => {
                self.stage = Stage::Open;
                Bytes::from_static(self.framing.prelude())
            }
            Stage::Open => match ready!(self.pipe.poll_recv(cx)) {
                Some(Parcel::Messages(messages)) => self.framing.frame(&messages),
                Some(Parcel::Close(reason)) => {
                    self.stage = Stage::Over;
                    match self.direction {
                        Direction::Both(_) => self.framing.farewell(&reason),
                        Direction::Down => self.framing.bare_farewell(&reason),
                    }
                }
                None => return Poll::Ready(None),
            },
            Stage::Over => return Poll::Ready(None),
        };
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }
}
