//! Frames on their way up, one post at a time.

use std::collections::VecDeque;
use std::pin::Pin;

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::BodyExt as _;
use spanwire_wire::message::EmulationRequest;
use spanwire_wire::{Batch, encode_emulation};

use super::http::{Line, finish};
use crate::carrier::{Loss, Way};
use crate::event::Ended;

/// Frames of one moment share a post up to this many bytes, below the 64 KiB that servers take.
const POST_BYTES_MAX: usize = 32 << 10;

/// Who the server says we are, and where.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) session: String,
    pub(super) node: String,
}

/// A post that is under way; it gives its connection back.
type Posting<'a> = Pin<Box<dyn Future<Output = Result<Line, Loss>> + Send + 'a>>;

/// Frames on their way up.
pub(super) struct Posts<'a> {
    way: &'a Way,
    place: Option<Place>,
    waiting: VecDeque<Bytes>,
    /// The connection of the last post, while none is under way.
    line: Option<Line>,
    posting: Option<Posting<'a>>,
}

impl<'a> Posts<'a> {
    pub(super) fn new(way: &'a Way) -> Self {
        Self { way, place: None, waiting: VecDeque::new(), line: None, posting: None }
    }

    pub(super) fn have_place(&self) -> bool {
        self.place.is_some()
    }

    pub(super) fn set_place(&mut self, place: Option<Place>) {
        self.place = place;
    }

    pub(super) fn add(&mut self, frame: Bytes) {
        self.waiting.push_back(frame);
    }

    /// Waits until something has been posted; for ever if there is nothing to post. Nothing is lost, and nothing is posted
    /// twice, when this is dropped while it waits.
    ///
    /// # Errors
    /// The server does not take it.
    pub(super) async fn go_on(&mut self) -> Result<(), Loss> {
        if self.posting.is_none() && !self.begin()? {
            return std::future::pending().await;
        }
        if let Some(posting) = &mut self.posting {
            let posted = posting.await;
            self.posting = None;
            self.line = Some(posted?);
        }
        Ok(())
    }

    /// Posts everything that waits.
    pub(super) async fn finish(mut self) -> Result<(), Loss> {
        while self.posting.is_some() || self.begin()? {
            self.go_on().await?;
        }
        Ok(())
    }

    /// Begins the next post, if there is something to post and it is known where.
    fn begin(&mut self) -> Result<bool, Loss> {
        let Some(Place { session, node }) = self.place.clone().filter(|_| !self.waiting.is_empty()) else {
            return Ok(false);
        };
        let request = EmulationRequest { session, node, data: self.batch() };
        let body = encode_emulation(self.way.encoding, &request);
        let post = Request::builder().method(Method::POST).uri(self.way.address.emulation());
        let post = finish(post, self.way, body)?;
        let (way, line) = (self.way, self.line.take().filter(Line::is_open));
        self.posting = Some(Box::pin(async move {
            let mut line = match line {
                Some(line) => line,
                None => Line::dial(way).await?,
            };
            // The connection takes the next request when this answer has been read.
            let body = line.ask(post).await?;
            body.collect().await.map_err(|error| Ended::new(Ended::LOST, error.to_string()))?;
            Ok(line)
        }));
        Ok(true)
    }

    /// Of the frames that wait, as many as one post may carry; at least one.
    fn batch(&mut self) -> Bytes {
        let mut batch = Batch::new(self.way.encoding);
        while let Some(frame) = self.waiting.front() {
            if !batch.is_empty() && batch.len() + frame.len() >= POST_BYTES_MAX {
                break;
            }
            batch.add(frame);
            self.waiting.pop_front();
        }
        batch.take()
    }
}
