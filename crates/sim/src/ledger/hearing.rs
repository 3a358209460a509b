//! What one application has heard of one channel.

use std::collections::BTreeSet;

use spanwire_client_core::{Event, Position};
use spanwire_wire::message::Publication;

use super::company::Company;
use super::stream::Stream;
use crate::channels::Promise;

/// So many publications of a run fit into an outbox beside whatever else is in it, so they must be recovered.
const RECOVERABLE: u64 = 10;

/// One person's account of one channel.
#[derive(Debug, Default)]
pub(crate) struct Hearing {
    /// The application wants to listen.
    wanted: bool,
    /// It was told that it does, and nothing else since.
    pub(super) live: bool,
    /// Everything up to here was heard, or told as missing; `None` before the first word on where it stands.
    at: Option<Position>,
    /// What was heard without a position: the place of the latest.
    latest: Option<usize>,
    /// What came along before the first word on where it stands: an offset, and what is said to be there.
    first: Option<(u64, u64)>,
    /// The place of the last publication that was heard.
    heard_at: Option<Position>,
    /// What was heard since it began to listen.
    heard: BTreeSet<u64>,
    pub(super) company: Company,
}

impl Hearing {
    pub(super) fn wants(&mut self) {
        self.wanted = true;
    }

    pub(super) fn is_wanted(&self) -> bool {
        self.wanted
    }

    pub(super) fn has_heard(&self, id: u64) -> bool {
        self.heard.contains(&id)
    }

    /// Whether it is at, or behind, the place of something.
    pub(super) fn is_behind(&self, id: u64, stream: &Stream) -> bool {
        self.at
            .as_ref()
            .is_some_and(|at| (1..=at.offset).any(|offset| stream.at(&at.epoch, offset) == Some(id)))
    }

    /// It is told something of this channel.
    pub(super) fn told(
        &mut self,
        event: &Event,
        promise: Promise,
        stream: Option<&Stream>,
    ) -> Result<(), String> {
        match event {
            Event::Subscribed { recovered, position, .. } => {
                self.subscribed(position.as_ref(), *recovered, promise, stream)
            }
            Event::Publication { publication, .. } => self.publication(publication, promise, stream),
            Event::Gap { from, to, .. } => self.gap(from, to, promise, stream),
            Event::Join { info, .. } => self.company.moved(&info.client, true),
            Event::Leave { info, .. } => self.company.moved(&info.client, false),
            _ => Ok(()),
        }
    }

    /// It listens from now on.
    fn subscribed(
        &mut self,
        position: Option<&Position>,
        recovered: bool,
        promise: Promise,
        stream: Option<&Stream>,
    ) -> Result<(), String> {
        (self.live, self.wanted) = (true, true);
        self.company.begin();
        self.heard.clear();
        self.latest = None;
        if promise == Promise::Order {
            return Ok(());
        }
        let position = position.ok_or("a channel with history is heard without a position")?;
        if stream.and_then(|stream| stream.top(&position.epoch)).is_none_or(|top| top < position.offset) {
            return Err(format!("listens at {position:?}, which is nowhere"));
        }
        if let Some((offset, id)) = self.first.take() {
            if stream.and_then(|stream| stream.at(&position.epoch, offset)) != Some(id) {
                return Err(format!("hears {id} at offset {offset} as it comes, where it is not"));
            }
            self.heard_at = Some(Position { offset, epoch: position.epoch.clone() });
        }
        if promise == Promise::Latest && position.offset > 0 && self.heard_at.as_ref() != Some(position) {
            return Err(format!("listens at {position:?}, and has not heard what is there"));
        }
        match &self.at {
            Some(at) if at != position => {
                Err(format!("was at {at:?} and is at {position:?}, with no word between"))
            }
            None if recovered => Err("recovered what was never left".to_owned()),
            _ => {
                self.at = Some(position.clone());
                Ok(())
            }
        }
    }

    /// It listens no more. For good: what it knew of its place is void.
    pub(super) fn ended(&mut self, for_good: bool) {
        self.live = false;
        if for_good {
            self.wanted = false;
            (self.at, self.heard_at) = (None, None);
        }
    }

    /// Something was published.
    fn publication(
        &mut self,
        publication: &Publication,
        promise: Promise,
        stream: Option<&Stream>,
    ) -> Result<(), String> {
        let id = id_of(&publication.data).ok_or("hears what nobody published")?;
        let stream = stream.ok_or("hears something where nothing was published")?;
        let first_time = self.heard.insert(id);
        if promise == Promise::Latest && self.at.is_none() {
            return match self.first.replace((publication.offset, id)) {
                None => Ok(()),
                Some(_) => Err(format!("hears {id} as it comes, and more before it")),
            };
        }
        let Some(at) = self.at.as_mut().filter(|_| publication.offset != 0) else {
            return self.passing(id, first_time, stream);
        };
        if publication.offset != at.offset + 1 {
            return Err(format!("hears offset {} after {}", publication.offset, at.offset));
        }
        at.offset = publication.offset;
        self.heard_at = Some(at.clone());
        match stream.at(&at.epoch, at.offset) {
            Some(published) if published == id => Ok(()),
            other => Err(format!("hears {id} at offset {}, where {other:?} is", at.offset)),
        }
    }

    fn passing(&mut self, id: u64, first_time: bool, stream: &Stream) -> Result<(), String> {
        let place = stream.place_behind(self.latest, id);
        let how = if first_time { "out of order" } else { "twice" };
        self.latest = Some(place.ok_or_else(|| format!("hears {id} {how}"))?);
        Ok(())
    }

    /// Something is missing. It must be so, unless only the latest is promised; that comes next.
    fn gap(
        &mut self,
        from: &Position,
        to: &Position,
        promise: Promise,
        stream: Option<&Stream>,
    ) -> Result<(), String> {
        if self.at.as_ref() != Some(from) {
            return Err(format!("a gap begins at {from:?}, and it was at {:?}", self.at));
        }
        self.at = Some(to.clone());
        let lives = |position: &Position| stream.and_then(|stream| stream.life_of(&position.epoch));
        if from.epoch == to.epoch {
            let missing = to.offset.checked_sub(from.offset).ok_or("a gap leads backwards")?;
            match promise {
                Promise::Conflated(_) if self.live => return replaced(from, to, stream),
                Promise::Whole(size) | Promise::Conflated(size) if missing <= size.min(RECOVERABLE) => {
                    return Err(format!("a gap of {missing} from {from:?} is told, which the history has"));
                }
                Promise::Latest if self.live => {
                    return Err(format!("a gap from {from:?} is told while it listens"));
                }
                _ => {}
            }
        } else if lives(from) >= lives(to) {
            return Err(format!("a gap leads from {from:?} to {to:?}, which is no later life"));
        }
        Ok(())
    }

    /// In the calm: whether it has everything, if it wants anything.
    pub(super) fn settle(&self, promise: Promise, stream: Option<&Stream>) -> Result<(), String> {
        if !self.wanted {
            return Ok(());
        }
        if !self.live {
            return Err("wants to listen and does not".to_owned());
        }
        let Some(at) = self.at.as_ref().filter(|_| promise != Promise::Order) else { return Ok(()) };
        let stream = stream.ok_or("listens where no stream is")?;
        let top = stream.top(&at.epoch);
        if top != Some(at.offset) {
            return Err(format!("is at {at:?} below the top {top:?}"));
        }
        // Nobody can know of a new epoch in which nothing was published, and nothing is missed by that.
        match stream.current() {
            Some(current) if current != at.epoch && stream.top(current) > Some(0) => {
                Err(format!("is at {at:?}, while the stream is in {current}"))
            }
            _ => Ok(()),
        }
    }
}

/// Everything between two positions must have been replaced by what came after it, of the same key.
fn replaced(from: &Position, to: &Position, stream: Option<&Stream>) -> Result<(), String> {
    let stream = stream.ok_or("a gap is told where nothing was published")?;
    let key_at = |offset| stream.key_at(&to.epoch, offset);
    let top = stream.top(&to.epoch).unwrap_or(0);
    for offset in from.offset + 1..=to.offset {
        if !(to.offset + 1..=top).any(|later| key_at(later) == key_at(offset)) {
            return Err(format!("offset {offset} was left out, and nothing has replaced it"));
        }
    }
    Ok(())
}

/// The number in a payload: all payloads of a run are JSON strings that begin with one.
pub(crate) fn id_of(data: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(data).ok()?.strip_prefix('"')?;
    text.split('.').next()?.parse().ok()
}
