//! The channels that somebody reads, and what becomes of readers who are slow.

use std::collections::HashMap;

use spanwire_client_core::{Event as CoreEvent, Input, SubscribeOptions, TokenFor};
use tokio::sync::oneshot;

use crate::buffer::{Buffer, Full, Overflow};
use crate::event::{Ended, Event, Gap, Publication, Subscribed};
use crate::order::Wish;
use crate::payload::Raw;
use crate::token::Provider;

/// The channels that somebody reads.
#[derive(Debug, Default)]
pub(super) struct Channels {
    readers: HashMap<String, Reader>,
    /// Those whose reader has no room, until they are left.
    overfull: Vec<String>,
}

/// One channel, and who reads it.
#[derive(Debug)]
struct Reader {
    options: SubscribeOptions,
    tokens: Option<Provider>,
    overflow: Overflow,
    buffer: Buffer,
    stage: Stage,
    first: Option<oneshot::Sender<Result<(), Ended>>>,
}

/// Where a channel stands, as far as its reader is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// It is asked for.
    Coming,
    /// It is heard.
    Live,
    /// It is left until the reader has made room.
    Paused,
    /// Its reader was too slow and has been told that it is over.
    Leaving,
    /// It was left for a reader without positions and is asked for again, so that something may be missing.
    Returning,
}

impl Channels {
    /// Adds a reader; the result is what the core is to do.
    pub(super) fn add(&mut self, wish: Wish) -> Option<Input<'static>> {
        let Wish { channel, options, tokens, overflow, buffer, first } = wish;
        let reader = Reader { options, tokens, overflow, buffer, stage: Stage::Coming, first };
        if self.readers.contains_key(&channel) {
            reader.end(Ended::new(
                Ended::ALREADY_SUBSCRIBED,
                "this client has a reader of this channel already",
            ));
            return None;
        }
        let options = reader.options.clone();
        self.readers.insert(channel.clone(), reader);
        Some(Input::Subscribe { channel, options })
    }

    /// Takes this reader out, if it is still there; the result is whether the core has to be told.
    pub(super) fn remove(&mut self, channel: &str, buffer: &Buffer) -> bool {
        let is_here = self.readers.get(channel).is_some_and(|reader| reader.buffer.is(buffer));
        is_here && self.readers.remove(channel).is_some_and(|reader| reader.stage != Stage::Paused)
    }

    /// The reader has made room; the result is what the core is to do.
    pub(super) fn resume(&mut self, channel: &str, buffer: &Buffer) -> Option<Input<'static>> {
        let reader = self.readers.get_mut(channel).filter(|reader| reader.buffer.is(buffer))?;
        let since = reader.buffer.place();
        reader.stage = if since.is_some() { Stage::Coming } else { Stage::Returning };
        let options = SubscribeOptions { since, ..reader.options.clone() };
        Some(Input::Subscribe { channel: channel.to_owned(), options })
    }

    /// A channel to be left, because its reader has no room.
    pub(super) fn leave_overfull(&mut self) -> Option<Input<'static>> {
        self.overfull.pop().map(|channel| Input::Unsubscribe { channel })
    }

    /// Who gives tokens for this.
    pub(super) fn provider(&self, what: &TokenFor) -> Option<Provider> {
        match what {
            TokenFor::Channel(channel) => self.readers.get(channel)?.tokens.clone(),
            TokenFor::Connection => None,
        }
    }

    /// Something happened in a channel. If nobody reads it, the server has subscribed us, and it is given back.
    pub(super) fn tell(&mut self, event: CoreEvent) -> Option<(String, Event<Raw>)> {
        let (channel, event) = translated(event)?;
        let is_final = matches!(event, Event::Ended(_));
        let Some(reader) = self.readers.get_mut(&channel) else {
            let is_our_wish = matches!(&event, Event::Ended(why) if why.code == Ended::WISH);
            return (!is_our_wish).then_some((channel, event));
        };
        match (reader.stage, event) {
            (Stage::Leaving, _) if is_final => drop(self.readers.remove(&channel)),
            // It is left: this is the end of that life, or was on its way from before.
            (Stage::Paused | Stage::Leaving, _) => {}
            (_, Event::Ended(why)) => {
                if let Some(reader) = self.readers.remove(&channel) {
                    reader.end(why);
                }
            }
            (_, event) => {
                if reader.hear(event).is_err() {
                    self.overflow(channel);
                }
            }
        }
        None
    }

    /// The connection is gone.
    pub(super) fn interrupt(&mut self, why: &Ended) {
        let mut overfull = Vec::new();
        for (channel, reader) in &mut self.readers {
            if reader.stage == Stage::Live && reader.hear(Event::Interrupted(why.clone())).is_err() {
                overfull.push(channel.clone());
            }
        }
        overfull.into_iter().for_each(|channel| self.overflow(channel));
    }

    /// Nothing will come any more.
    pub(super) fn end(&mut self, why: &Ended) {
        self.readers.drain().for_each(|(_, reader)| reader.end(why.clone()));
    }

    /// There was no room for an event, which will have to be asked for again.
    fn overflow(&mut self, channel: String) {
        let Some(reader) = self.readers.get_mut(&channel) else { return };
        if reader.overflow == Overflow::End {
            reader.stage = Stage::Leaving;
            reader.buffer.end(Event::Ended(Ended::new(Ended::OVERFLOW, "the reader was too slow")));
        } else {
            reader.stage = Stage::Paused;
            reader.buffer.pause();
        }
        self.overfull.push(channel);
    }
}

impl Reader {
    fn hear(&mut self, event: Event<Raw>) -> Result<(), Full> {
        match event {
            Event::Subscribed(_) if self.stage == Stage::Returning => {
                self.put(Event::Gap(Gap { from: None, to: None }))?;
                self.stage = Stage::Live;
            }
            Event::Subscribed(_) => self.stage = Stage::Live,
            Event::Interrupted(_) if self.stage == Stage::Live => self.stage = Stage::Coming,
            _ => {}
        }
        if self.stage == Stage::Live
            && let Some(first) = self.first.take()
        {
            let _ = first.send(Ok(()));
        }
        self.put(event)
    }

    fn put(&self, event: Event<Raw>) -> Result<(), Full> {
        if self.overflow == Overflow::DropOldest {
            self.buffer.force(event);
            return Ok(());
        }
        self.buffer.push(event)
    }

    fn end(self, why: Ended) {
        if let Some(first) = self.first {
            let _ = first.send(Err(why.clone()));
        }
        self.buffer.end(Event::Ended(why));
    }
}

/// An event of the core in the words of a reader, if it is one of a channel.
fn translated(event: CoreEvent) -> Option<(String, Event<Raw>)> {
    Some(match event {
        CoreEvent::Subscribed { channel, recovered, was_recovering, position, data } => {
            (channel, Event::Subscribed(Subscribed { recovered, was_recovering, position, data: Raw(data) }))
        }
        CoreEvent::Publication { channel, publication, recovered } => {
            (channel, Event::Publication(Publication::new(*publication, recovered)))
        }
        CoreEvent::Gap { channel, from, to } => (channel, Event::Gap(Gap { from: Some(from), to: Some(to) })),
        CoreEvent::Join { channel, info } => (channel, Event::Join(info)),
        CoreEvent::Leave { channel, info } => (channel, Event::Leave(info)),
        CoreEvent::Presence { channel, members } => (channel, Event::Presence(members)),
        CoreEvent::NoPresence { channel, code, reason } => {
            (channel, Event::NoPresence(Ended::new(code, reason)))
        }
        CoreEvent::Unsubscribed { channel, code, reason, will_retry_at } => {
            let why = Ended::new(code, reason);
            (channel, if will_retry_at.is_some() { Event::Interrupted(why) } else { Event::Ended(why) })
        }
        _ => return None,
    })
}
