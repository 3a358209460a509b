//! What a reader of a channel, or of the client itself, is told.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use spanwire_client_core::{Members, Position};
use spanwire_wire::message::{self, ClientInfo};

use crate::payload::{FromPayload, Raw};

/// What happens in a channel.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event<T> {
    /// The channel is heard from now on. What was owed for the time before has come already.
    Subscribed(Subscribed),
    /// Something was published.
    Publication(Publication<T>),
    /// Something was published that is not a `T`.
    Unreadable(Publication<Raw>, Arc<serde_json::Error>),
    /// Publications are missing, and will not come: reload what they would have told.
    Gap(Gap),
    /// A client came to the channel.
    Join(ClientInfo),
    /// A client left the channel.
    Leave(ClientInfo),
    /// Who is in the channel now, by the id of their session, this client included: where it was asked for by
    /// [`Channel::presence`](crate::Channel::presence), once the channel is heard and behind each join and leave. A reader
    /// who is slow finds the latest list: those before it that nobody has read are left out. A list that is kept stays as it
    /// is, and costs next to nothing.
    Presence(Members),
    /// Who is in the channel is not known until it is subscribed to anew: the server refuses to say, or they are more than
    /// [`Limits::members_max`](crate::Limits::members_max) (106).
    NoPresence(Ended),
    /// The channel is not heard for now. The client comes back to it by itself, and goes on from where it was.
    Interrupted(Ended),
    /// The subscription is over: nothing comes behind this.
    Ended(Ended),
}

/// A channel is heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscribed {
    /// The client came back, and nothing is missing.
    pub recovered: bool,
    /// The client came back, and asked for what it had missed. If that was not recovered, a [`Gap`] was told before.
    pub was_recovering: bool,
    /// Up to where everything was delivered or told as missing; `None` in a channel without positions.
    pub position: Option<Position>,
    /// Data from whoever authorized the subscription; empty is nothing.
    pub data: Raw,
}

/// Something that was published in a channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Publication<T> {
    /// The payload.
    pub data: T,
    /// Its place in the stream, from 1; 0 in a channel without positions.
    pub offset: u64,
    /// Who published it; `None` when the backend did.
    pub info: Option<ClientInfo>,
    /// Labels that the publisher gave it.
    pub tags: BTreeMap<String, String>,
    /// It was published while this client was not there.
    pub recovered: bool,
}

/// Publications behind `from` and up to `to` are missing. Both are `None` in a channel without positions, where nobody
/// knows how many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Everything up to here was delivered, or told as missing before.
    pub from: Option<Position>,
    /// What comes next is behind this.
    pub to: Option<Position>,
}

/// Why something is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// A code of the server (from 100 for a refusal, 2000 for the end of a subscription, 3000 for the end of a session),
    /// of the transport (1000 to 1999, RFC 6455 section 7.4; below 1000 a status of HTTP), or one of the client's own,
    /// which are constants of this type.
    pub code: u32,
    /// Why, for people.
    pub reason: String,
}

/// What happens to a client as a whole.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ClientEvent {
    /// The server has let the client in.
    Connected {
        /// The id of this session, by which others see it in presence, joins and leaves.
        client: String,
        /// Data from whoever authenticated the connection; empty is nothing.
        data: Raw,
    },
    /// The connection is over or could not be made. It is tried again.
    Disconnected(Ended),
    /// The server has a message for this client alone.
    Message(Raw),
    /// Something happens in a channel to which the server has subscribed this client.
    Channel(String, Event<Raw>),
    /// So many events before this one were dropped, because nobody read them in time.
    Dropped(u64),
}

impl Ended {
    /// The application wished it.
    pub const WISH: u32 = spanwire_client_core::Event::CODE_WISH;
    /// The connection ended without a word, or could not be opened.
    pub const LOST: u32 = spanwire_client_core::Event::CODE_LOST;
    /// Nobody answers where the server should be, or it has no time (1013, "try again later").
    pub const UNREACHABLE: u32 = 1013;
    /// The TLS handshake failed, by the number that RFC 6455 section 7.4.1 has for it.
    pub const DISTRUSTED: u32 = 1015;
    /// The server said nothing for too long, or did not answer in time.
    pub const SILENT: u32 = spanwire_client_core::Event::CODE_SILENT;
    /// The server sent something that cannot be understood.
    pub const BAD_PROTOCOL: u32 = spanwire_client_core::Event::CODE_BAD_PROTOCOL;
    /// The server refused the connect command; the reason begins with the code of its error.
    pub const REFUSED: u32 = spanwire_client_core::Event::CODE_REFUSED;
    /// There is no token.
    pub const NO_TOKEN: u32 = spanwire_client_core::Event::CODE_NO_TOKEN;
    /// The reader of a subscription was too slow, and [`Overflow::End`](crate::Overflow::End) was wished for.
    pub const OVERFLOW: u32 = 15;
    /// The channel has a reader on this client already.
    pub const ALREADY_SUBSCRIBED: u32 = spanwire_wire::ErrorCode::AlreadySubscribed as u32;

    pub(crate) fn new(code: u32, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into() }
    }

    /// What there is to say of a client that is gone.
    pub(crate) fn gone() -> Self {
        Self::new(Self::WISH, "the client is closed")
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.reason, self.code)
    }
}

impl std::error::Error for Ended {}

impl Publication<Raw> {
    pub(crate) fn new(publication: message::Publication, recovered: bool) -> Self {
        let message::Publication { data, offset, info, tags, .. } = publication;
        Self { data: Raw(data), offset, info, tags, recovered }
    }

    /// Reads the payload.
    ///
    /// # Errors
    /// It is something else.
    pub fn read<T: FromPayload>(self) -> Result<Publication<T>, serde_json::Error> {
        T::from_payload(&self.data.0).map(|data| self.with(data))
    }

    /// The same with another payload.
    fn with<T>(self, data: T) -> Publication<T> {
        let Self { offset, info, tags, recovered, .. } = self;
        Publication { data, offset, info, tags, recovered }
    }
}

impl Event<Raw> {
    /// How many bytes it makes a buffer keep, about.
    pub(crate) fn weight(&self) -> usize {
        let of_info = |info: &ClientInfo| info.conn_info.len() + info.chan_info.len();
        match self {
            Self::Publication(it) => it.data.0.len() + it.info.as_ref().map_or(0, of_info),
            Self::Join(info) | Self::Leave(info) => of_info(info),
            // The client keeps it anyway, and shares it.
            Self::Presence(_) => 0,
            Self::Subscribed(it) => it.data.0.len(),
            Self::NoPresence(it) | Self::Interrupted(it) | Self::Ended(it) => it.reason.len(),
            Self::Unreadable(..) | Self::Gap(_) => 0,
        }
    }

    /// The same event with its payload read; one that is no `T` becomes [`Event::Unreadable`].
    pub fn read<T: FromPayload>(self) -> Event<T> {
        match self {
            Self::Publication(publication) => match T::from_payload(&publication.data.0) {
                Ok(data) => Event::Publication(publication.with(data)),
                Err(error) => Event::Unreadable(publication, Arc::new(error)),
            },
            Self::Unreadable(publication, error) => Event::Unreadable(publication, error),
            Self::Subscribed(subscribed) => Event::Subscribed(subscribed),
            Self::Gap(gap) => Event::Gap(gap),
            Self::Join(info) => Event::Join(info),
            Self::Leave(info) => Event::Leave(info),
            Self::Presence(members) => Event::Presence(members),
            Self::NoPresence(why) => Event::NoPresence(why),
            Self::Interrupted(why) => Event::Interrupted(why),
            Self::Ended(why) => Event::Ended(why),
        }
    }
}

impl From<Bytes> for Raw {
    fn from(bytes: Bytes) -> Self {
        Self(bytes)
    }
}
