//! What an application calls: the methods of the server API, without HTTP.

use std::collections::BTreeMap;

use spanwire_hub::broker::{BrokerAnswer, BrokerError, BrokerRequest, HistoryQuery};
use spanwire_hub::channel::{Channel, Position};
use spanwire_hub::namespace::Namespace;
use spanwire_hub::presence::{PresenceAnswer, PresenceRequest};
use spanwire_hub::{Census, Expiry, Grant, Order, Whom};
use spanwire_wire::message::{ClientInfo, Publication};
use spanwire_wire::{DisconnectCode, ErrorCode, UnsubscribeCode};

use super::Hub;
use crate::engine::Stopped;

/// Why a call has no result: one of the protocol's error codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("error {}: {}", .0.code(), .0.reason())]
pub struct CallError(pub(super) ErrorCode);

/// What a channel has kept.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    /// In the order that was asked for.
    pub publications: Vec<Publication>,
    /// Where the channel's stream stands.
    pub top: Position,
}

impl CallError {
    /// The code: 102 for a namespace that is not configured, 107 for a call that makes no sense, 108 for what the
    /// channel does not have, 112 for a position that is not kept, 100 if the hub has ended or has too much to do.
    pub fn code(self) -> u32 {
        self.0.code()
    }
}

impl Hub {
    /// What a channel has kept. A `limit` of `None` asks for everything, `Some(0)` for the position only.
    ///
    /// # Errors
    /// See [`CallError::code`].
    pub async fn history(&self, channel: &str, query: HistoryQuery) -> Result<History, CallError> {
        let (channel, history) = self.kept(channel)?;
        match self.0.house.broker(channel, BrokerRequest::History { history, query }).await? {
            BrokerAnswer::History { publications, top } => Ok(History { publications, top }),
            BrokerAnswer::Refused(error) => Err(error.into()),
            _ => Err(CallError(ErrorCode::Internal)),
        }
    }

    /// Makes a channel forget what it has kept. Its position stays.
    ///
    /// # Errors
    /// See [`CallError::code`].
    pub async fn remove_history(&self, channel: &str) -> Result<(), CallError> {
        let (channel, _) = self.kept(channel)?;
        match self.0.house.broker(channel, BrokerRequest::RemoveHistory).await? {
            BrokerAnswer::Refused(error) => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Who is in a channel, by client id.
    ///
    /// # Errors
    /// See [`CallError::code`].
    pub async fn presence(&self, channel: &str) -> Result<BTreeMap<String, ClientInfo>, CallError> {
        match self.who(channel, PresenceRequest::Get).await? {
            PresenceAnswer::Clients(clients) => Ok(clients),
            _ => Err(CallError(ErrorCode::Internal)),
        }
    }

    /// How many clients are in a channel, and how many different users among them; all anonymous ones count as one.
    ///
    /// # Errors
    /// See [`CallError::code`].
    pub async fn presence_stats(&self, channel: &str) -> Result<(u32, u32), CallError> {
        match self.who(channel, PresenceRequest::Stats).await? {
            PresenceAnswer::Stats { clients, users } => Ok((clients, users)),
            _ => Err(CallError(ErrorCode::Internal)),
        }
    }

    /// The channels that have subscribers, and how many each has.
    ///
    /// # Errors
    /// The hub has ended.
    pub async fn channels(&self) -> Result<BTreeMap<String, usize>, CallError> {
        Ok(self.0.house.channels().await?)
    }

    /// How much there is: sessions, clients, subscriptions.
    ///
    /// # Errors
    /// The hub has ended.
    pub async fn census(&self) -> Result<Census, CallError> {
        Ok(self.0.house.census().await?)
    }

    /// Closes every connection of a user with code 3503. Its clients do not come back by themselves.
    pub fn disconnect(&self, user: &str) {
        self.order(&Order::Disconnect {
            whom: of(user),
            spared: Vec::new(),
            disconnect: DisconnectCode::ForceNoReconnect.into(),
        });
    }

    /// Subscribes every connection of a user to a channel, from our side.
    ///
    /// # Errors
    /// There is no such namespace.
    pub fn subscribe(&self, user: &str, channel: &str) -> Result<(), CallError> {
        let (channel, _) = self.channel(channel)?;
        self.order(&Order::Subscribe { whom: of(user), channel, grant: Grant::default(), since: None });
        Ok(())
    }

    /// Ends the subscriptions of a user to a channel, with code 2000.
    pub fn unsubscribe(&self, user: &str, channel: &str) {
        let channel = Some(Channel::new(channel));
        self.order(&Order::Unsubscribe { whom: of(user), channel, code: UnsubscribeCode::Server });
    }

    /// Has the connections of a user end at this time, in seconds since 1970.
    pub fn expire_at(&self, user: &str, unix_seconds: u64) {
        self.order(&Order::Refresh { whom: of(user), expiry: Expiry::At(unix_seconds), info: None });
    }

    /// Orders something about the sessions of a user, with all that can be said of it. It is done soon; nobody waits.
    pub fn order(&self, order: &Order) {
        self.0.house.order(order);
    }

    /// The channel of this name, and its namespace.
    pub(super) fn channel(&self, name: &str) -> Result<(Channel, &Namespace), CallError> {
        if name.len() > self.0.channel_name_bytes_max {
            return Err(CallError(ErrorCode::BadRequest));
        }
        let namespace = self.0.namespaces.of(name).map_err(CallError)?;
        Ok((Channel::new(name), namespace))
    }

    fn kept(&self, name: &str) -> Result<(Channel, spanwire_hub::broker::HistoryOptions), CallError> {
        let (channel, namespace) = self.channel(name)?;
        Ok((channel, namespace.history.ok_or(CallError(ErrorCode::NotAvailable))?))
    }

    async fn who(&self, name: &str, request: PresenceRequest) -> Result<PresenceAnswer, CallError> {
        let (channel, namespace) = self.channel(name)?;
        match namespace.presence {
            true => Ok(self.0.house.presence(channel, request).await?),
            false => Err(CallError(ErrorCode::NotAvailable)),
        }
    }
}

fn of(user: &str) -> Whom {
    Whom { user: user.to_owned(), ..Whom::default() }
}

impl From<Stopped> for CallError {
    fn from(_: Stopped) -> Self {
        Self(ErrorCode::Internal)
    }
}

impl From<BrokerError> for CallError {
    fn from(error: BrokerError) -> Self {
        Self(match error {
            BrokerError::UnrecoverablePosition => ErrorCode::UnrecoverablePosition,
            BrokerError::Unavailable => ErrorCode::Internal,
            BrokerError::TooMany(_) => ErrorCode::TooManyRequests,
            BrokerError::Full => ErrorCode::LimitExceeded,
        })
    }
}
