//! The life of one channel on this client.

use std::collections::VecDeque;

use bytes::Bytes;
use spanwire_wire::message::{Publication, SubscribeRequest, SubscribeResult};

use crate::backoff::Backoff;
use crate::config::Config;
use crate::deltas::{Deltas, Misfit};
use crate::renewal::Renewal;
use crate::roll::Roll;
use crate::time::Instant;
use crate::{Event, Filter, Output, Position};

/// What is wanted of a channel.
#[derive(Clone, Debug, PartialEq)]
pub struct SubscribeOptions {
    /// Come back to where it was after an interruption, if the server allows it.
    pub recover: bool,
    /// Where to begin, for an application that remembers what it has seen; `None` begins with what is live.
    pub since: Option<Position>,
    /// Be told who joins and leaves, if the server allows it.
    pub join_leave: bool,
    /// Keep the list of who is there, and be told it at each change ([`Event::Presence`]); joins and leaves too.
    pub presence: bool,
    /// Hear only what passes this. What does not is no gap.
    pub filter: Option<Filter>,
    /// Be told what is different in a publication instead of all of it, if the server allows it: it costs fewer bytes, and
    /// the application hears the same. Not together with a filter, which servers refuse.
    pub delta: bool,
    /// One token for this channel, for good; empty is none.
    pub token: String,
    /// The channel needs a token, which is asked for by [`Output::AskToken`](crate::Output::AskToken).
    pub needs_token: bool,
    /// Data for whoever authorizes the subscription; empty is nothing.
    pub data: Bytes,
}

impl Default for SubscribeOptions {
    fn default() -> Self {
        Self {
            recover: true,
            since: None,
            join_leave: false,
            presence: false,
            filter: None,
            delta: false,
            token: String::new(),
            needs_token: false,
            data: Bytes::new(),
        }
    }
}

/// One channel: where it stands, and up to where everything was delivered.
///
/// The position moves when a publication is *delivered*. So whatever was on its way when a connection broke is simply
/// asked for again on the next one.
#[derive(Debug)]
pub(crate) struct Subscription {
    pub(crate) options: SubscribeOptions,
    pub(crate) stage: Stage,
    pub(crate) backoff: Backoff,
    pub(crate) token: String,
    /// The command by which we left this channel before we came back: until it is answered, what the server says of
    /// the channel is about our former life in it.
    pub(crate) hushed_by: Option<u32>,
    pub(crate) roll: Roll,
    /// Counts the refusals of the list since it was known.
    pub(crate) roll_backoff: Backoff,
    /// In a box, because most do not ask for them.
    deltas: Option<Box<Deltas>>,
    /// Everything up to here was delivered, or told as missing.
    reached: Option<Position>,
    /// The server can bring us forward from there.
    recoverable: bool,
    /// Offsets on this subscription have no holes.
    positioned: bool,
}

/// Where a subscription stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It waits for a connection.
    Offline,
    /// It waits for a token.
    AskingToken,
    /// The command of this id is on its way.
    Asked {
        command: u32,
        /// By when the answer must be here.
        until: Instant,
    },
    /// It was refused or ended, and is tried again then.
    Resting { retry_at: Instant },
    /// It is heard.
    Live {
        since: Instant,
        /// The next token.
        renewal: Renewal,
    },
}

impl Subscription {
    pub(crate) fn new(options: SubscribeOptions, config: &Config) -> Self {
        let deltas = || Deltas::new(config.encoding, config.limits.replies.message_bytes_max);
        let (reached, token) = (options.since.clone(), options.token.clone());
        Self {
            recoverable: options.recover && reached.is_some(),
            deltas: options.delta.then(|| Box::new(deltas())),
            options,
            stage: Stage::Offline,
            backoff: Backoff::default(),
            token,
            hushed_by: None,
            roll: Roll::default(),
            roll_backoff: Backoff::default(),
            reached,
            positioned: false,
        }
    }

    /// The connection is gone.
    pub(crate) fn lost(&mut self) {
        self.stage = Stage::Offline;
        self.hushed_by = None;
        self.roll = Roll::Unknown;
    }

    /// What we know is worthless, the server says.
    pub(crate) fn invalidate(&mut self) {
        self.forget_token();
        self.recoverable = false;
    }

    /// The token is no good any more. Who has only one keeps it, and is told so when it is refused.
    pub(crate) fn forget_token(&mut self) {
        self.token.clone_from(&self.options.token);
    }

    pub(crate) fn request(&self, channel: &str) -> SubscribeRequest {
        let since = self.reached.clone().filter(|_| self.recoverable);
        SubscribeRequest {
            channel: channel.to_owned(),
            token: self.token.clone(),
            positioned: self.options.recover,
            recoverable: self.options.recover,
            join_leave: self.options.join_leave || self.options.presence,
            data: self.options.data.clone(),
            tf: self.options.filter.as_ref().map(Filter::node),
            recover: since.is_some(),
            offset: since.as_ref().map_or(0, |since| since.offset),
            epoch: since.map(|since| since.epoch).unwrap_or_default(),
            delta: self.deltas.as_ref().map_or("", |_| SubscribeRequest::DELTA_FOSSIL).to_owned(),
            ..SubscribeRequest::default()
        }
    }

    /// The server lets us in. What the application must hear: a gap, what was missed, and that it is live now.
    pub(crate) fn accepted(
        &mut self,
        now: Instant,
        channel: &str,
        result: SubscribeResult,
        told: &mut VecDeque<Output>,
    ) -> Result<(), Misfit> {
        let SubscribeResult { recovered, was_recovering, publications, epoch, offset, data, .. } = result;
        let renewal = Renewal::new(now, result.expires && self.options.needs_token, result.ttl);
        let was_recovering = was_recovering && self.recoverable;
        let former = self.reached.take();
        // In a channel of which only the latest counts, that comes along also for the first time, and when the stream
        // has begun anew. So it goes on from before it.
        let goes_on_at = publications.first().map_or(offset, |first| first.offset.saturating_sub(1));
        let top = Position { offset: goes_on_at, epoch };
        let is_of_stream = |from: &Position| from.epoch.is_empty() || from.epoch == top.epoch;
        let recovered = was_recovering && recovered && former.as_ref().is_none_or(is_of_stream);
        // A recovered client is where it was, and goes on from there; in the stream's words, that has an epoch now.
        let reached = match former {
            Some(former) if recovered => Position { offset: former.offset, epoch: top.epoch },
            former => {
                if let Some(from) = former.filter(|from| is_gap(from, &top, result.positioned)) {
                    told.push_back(gap(channel, from, top.clone()));
                }
                top
            }
        };
        self.stage = Stage::Live { since: now, renewal };
        self.hushed_by = None;
        (self.positioned, self.recoverable) = (result.positioned, result.recoverable);
        self.reached = (result.positioned || recovered).then_some(reached);
        if let Some(deltas) = &mut self.deltas {
            deltas.begin(result.delta, recovered);
        }
        for publication in publications {
            self.deliver(channel.to_owned(), publication.into(), true, told)?;
        }
        told.push_back(Output::Event(Event::Subscribed {
            channel: channel.to_owned(),
            recovered,
            was_recovering,
            position: self.reached.clone(),
            data,
        }));
        Ok(())
    }

    /// A patch did not fit: it begins anew from where it is, and asks for whole publications from now on.
    pub(crate) fn give_deltas_up(&mut self) {
        self.deltas = None;
    }

    /// A publication came. What the application must hear of it: nothing, if it has heard it before.
    pub(crate) fn deliver(
        &mut self,
        channel: String,
        mut publication: Box<Publication>,
        recovered: bool,
        told: &mut VecDeque<Output>,
    ) -> Result<(), Misfit> {
        // Also of what was heard before: the next patch is one of what was told last.
        if let Some(deltas) = &mut self.deltas {
            deltas.resolve(&mut publication)?;
        }
        if let Some(reached) = self.reached.as_mut().filter(|_| self.positioned && publication.offset != 0) {
            let anew = !publication.epoch.is_empty() && publication.epoch != reached.epoch;
            if publication.offset <= reached.offset && !anew {
                return Ok(());
            }
            let epoch = if anew { publication.epoch.clone() } else { reached.epoch.clone() };
            let before = Position { offset: publication.offset - 1, epoch };
            // The server would rather end the subscription than leave a hole. If one comes through all the same, it
            // is told, unless that is what the filter does. A stream without a name yet gets one by its first publication,
            // which is no gap.
            let is_hole = before.offset > reached.offset && self.options.filter.is_none();
            if is_hole || (anew && *reached != Position::default()) {
                told.push_back(gap(&channel, reached.clone(), before.clone()));
            }
            *reached = Position { offset: publication.offset, epoch: before.epoch };
        }
        told.push_back(Output::Event(Event::Publication { channel, publication, recovered }));
        Ok(())
    }
}

fn gap(channel: &str, from: Position, to: Position) -> Output {
    Output::Event(Event::Gap { channel: channel.to_owned(), from, to })
}

/// Whether something may lie between where we were and where we are let in without recovery.
fn is_gap(from: &Position, top: &Position, positioned: bool) -> bool {
    !positioned || from != top
}
