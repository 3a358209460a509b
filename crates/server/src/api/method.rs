//! The methods: the one table of them.

use std::future::Future;
use std::pin::Pin;

use serde_json::value::RawValue;

use super::call::{self, Call};
use super::failure::{Failure, write};
use super::openapi::{Operation, Schemas};
use super::{
    Batch, BlockUser, Broadcast, Channels, Disconnect, History, HistoryRemove, Info, InvalidateUserTokens,
    Presence, PresenceStats, Publish, Refresh, RevokeToken, Rpc, Subscribe, UnblockUser, Unsubscribe, World,
};

macro_rules! methods {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal,)+) => {
        /// A method of the server API.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Method { $($(#[doc = $doc])+ $name,)+ }

        /// A call that has been understood, and not done yet.
        #[derive(Debug, PartialEq)]
        pub enum Request { $($(#[doc = $doc])+ $name($name),)+ }

        impl Method {
            /// All of them.
            pub const ALL: [Self; [$($text),+].len()] = [$(Self::$name),+];

            /// Its name in the path of a call.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// What it is for, in a sentence.
            pub(super) fn doc(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),+).trim(),)+ }
            }

            /// What its callers say, and are told.
            pub(super) fn operation(self, schemas: &mut Schemas) -> Operation {
                match self { $(Self::$name => schemas.operation::<$name>(),)+ }
            }
        }

        impl Request {
            /// Reads the body of a call. It depends on nothing else: whether there is such a channel is found out
            /// later.
            ///
            /// # Errors
            /// The body is no JSON object with fields of the right kinds, or it asks for what nobody can have.
            pub fn read(method: Method, body: &[u8]) -> Result<Self, Failure> {
                match method { $(Method::$name => call::read(body).map(Self::$name),)+ }
            }

            /// Which method is called.
            pub fn method(&self) -> Method {
                match self { $(Self::$name(_) => Method::$name,)+ }
            }

            /// Does what was asked for, and returns the result.
            pub(super) fn answer(self, world: World<'_>) -> Answering<'_> {
                match self {
                    $(Self::$name(request) => Box::pin(async move { write(&request.answer(world).await?) }),)+
                }
            }
        }
    };
}

/// A call that is being done. In a box, because those of a batch are within one of their own kind.
type Answering<'a> = Pin<Box<dyn Future<Output = Result<Box<RawValue>, Failure>> + Send + 'a>>;

methods! {
    /// Publishes to one channel.
    Publish = "publish",
    /// Publishes the same to many channels.
    Broadcast = "broadcast",
    /// Subscribes the connections of a user to a channel.
    Subscribe = "subscribe",
    /// Ends the subscriptions of a user to one channel, or to all.
    Unsubscribe = "unsubscribe",
    /// Closes the connections of a user.
    Disconnect = "disconnect",
    /// Changes when the connections of a user expire.
    Refresh = "refresh",
    /// Tells who is in a channel.
    Presence = "presence",
    /// Tells how many are in a channel.
    PresenceStats = "presence_stats",
    /// Tells what a channel has kept.
    History = "history",
    /// Has a channel forget what it has kept.
    HistoryRemove = "history_remove",
    /// Tells which channels have subscribers.
    Channels = "channels",
    /// Tells which nodes there are, and how much there is on each.
    Info = "info",
    /// Ends one token, and what it has opened.
    RevokeToken = "revoke_token",
    /// Ends the older tokens of a user, and what they have opened.
    InvalidateUserTokens = "invalidate_user_tokens",
    /// Closes the connections of a user, and lets no new ones in.
    BlockUser = "block_user",
    /// Lets a user in again.
    UnblockUser = "unblock_user",
    /// Calls a function that was added to the server.
    Rpc = "rpc",
    /// Makes several calls in one.
    Batch = "batch",
}

impl Request {
    /// How many commands it is.
    pub(super) fn commands(&self) -> usize {
        match self {
            Self::Broadcast(broadcast) => broadcast.channels.len(),
            Self::Batch(batch) => {
                batch.requests.iter().map(|(_, part)| part.as_ref().map_or(1, Self::commands)).sum()
            }
            _ => 1,
        }
    }
}

impl Method {
    /// The method of this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }
}
