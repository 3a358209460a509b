//! How a handler says yes.

use bytes::Bytes;
use serde::Serialize;
use spanwire_hub::backend::{Approval, Renewal};
use spanwire_hub::channel::Channel;
use spanwire_hub::{Credentials, Grant};

use super::Reject;

/// The answer of `on_connect`: who the client is.
#[derive(Debug, Default)]
pub struct Accept {
    credentials: Credentials,
    trouble: Option<Reject>,
}

/// The answer of `on_subscribe`: it may. [`Allow::info`] and its neighbours say more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allow;

/// What comes with a subscription.
#[derive(Debug, Default)]
pub struct Terms {
    grant: Grant,
    trouble: Option<Reject>,
}

/// The answer of `on_refresh` and `on_sub_refresh`: what has expired goes on.
#[derive(Debug, Default)]
pub struct Renew {
    expire_at: Option<u64>,
    info: Option<Bytes>,
    kept: Option<Bytes>,
    trouble: Option<Reject>,
}

/// The answer of `on_publish`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pub {
    /// It is published as it is.
    Pass,
    /// This is published instead: JSON, unless all who listen speak Protobuf.
    Replace(Bytes),
    /// It is not published, and the client is told that all is well.
    Drop,
}

impl Accept {
    /// The client is this user.
    pub fn user(user: impl Into<String>) -> Self {
        let credentials = Credentials { user: user.into(), ..Credentials::default() };
        // When its time is over, there is nobody to ask but the client, by connecting again.
        Self { credentials: Credentials { renewed_by_backend: true, ..credentials }, trouble: None }
    }

    /// The client is nobody in particular.
    pub fn anonymous() -> Self {
        Self::user("")
    }

    /// Subscribes the client to a channel from our side.
    pub fn join(self, channel: &str) -> Self {
        self.join_with(channel, Allow)
    }

    /// Subscribes the client to a channel from our side, on these terms.
    pub fn join_with(mut self, channel: &str, terms: impl Into<Terms>) -> Self {
        let Terms { grant, trouble } = terms.into();
        self.credentials.channels.push((Channel::new(channel), grant));
        self.trouble = self.trouble.or(trouble);
        self
    }

    /// What others are told of this client, in presence, joins and publications (`conn_info`).
    pub fn info(mut self, info: impl Serialize) -> Self {
        self.credentials.info = self.write(info);
        self
    }

    /// What the client is told in answer to its connect command.
    pub fn data(mut self, data: impl Serialize) -> Self {
        self.credentials.data = self.write(data);
        self
    }

    /// What later handlers are told of this client ([`Conn::kept`](super::Conn::kept)), and nobody else. It is kept for
    /// as long as the client is connected.
    pub fn keep(mut self, kept: impl Serialize) -> Self {
        self.credentials.meta = self.write(kept);
        self
    }

    /// The connection expires at this time, in seconds since 1970. Then [`on_refresh`](super::Builder::on_refresh) is
    /// asked; without it the connection ends with code 3005, the client comes back at once, and `on_connect` decides
    /// anew.
    pub fn expires_at(mut self, unix_seconds: u64) -> Self {
        self.credentials.expire_at = Some(unix_seconds);
        self
    }

    fn write(&mut self, value: impl Serialize) -> Bytes {
        write(value, &mut self.trouble)
    }

    pub(super) fn into_credentials(self) -> Result<Credentials, Reject> {
        self.trouble.map_or(Ok(self.credentials), Err)
    }
}

impl Allow {
    /// What others are told of this client in this channel (`chan_info`).
    pub fn info(self, info: impl Serialize) -> Terms {
        Terms::default().info(info)
    }

    /// What the client is told in answer to its subscribe command.
    pub fn data(self, data: impl Serialize) -> Terms {
        Terms::default().data(data)
    }

    /// The subscription expires at this time, as [`Terms::expires_at`] says.
    pub fn expires_at(self, unix_seconds: u64) -> Terms {
        Terms::default().expires_at(unix_seconds)
    }
}

impl Terms {
    /// What others are told of this client in this channel (`chan_info`).
    pub fn info(mut self, info: impl Serialize) -> Self {
        self.grant.info = write(info, &mut self.trouble);
        self
    }

    /// What the client is told in answer to its subscribe command.
    pub fn data(mut self, data: impl Serialize) -> Self {
        self.grant.data = write(data, &mut self.trouble);
        self
    }

    /// The subscription expires at this time, in seconds since 1970. Then
    /// [`on_sub_refresh`](super::Builder::on_sub_refresh) is asked; without it the subscription ends.
    pub fn expires_at(mut self, unix_seconds: u64) -> Self {
        self.grant.expire_at = Some(unix_seconds);
        self
    }

    pub(super) fn into_grant(self) -> Result<Grant, Reject> {
        self.trouble.map_or(Ok(self.grant), Err)
    }
}

impl From<Allow> for Terms {
    fn from(Allow: Allow) -> Self {
        Self::default()
    }
}

impl Renew {
    /// It goes on, and expires again at this time, in seconds since 1970.
    pub fn until(unix_seconds: u64) -> Self {
        Self { expire_at: Some(unix_seconds), ..Self::default() }
    }

    /// It goes on, and does not expire any more.
    pub fn forever() -> Self {
        Self::default()
    }

    /// What others are told of this client from now on: `conn_info`, or of a subscription `chan_info`. Without it that
    /// stays as it was.
    pub fn info(mut self, info: impl Serialize) -> Self {
        self.info = Some(write(info, &mut self.trouble));
        self
    }

    /// What later handlers are told of this client from now on, in place of what was kept
    /// ([`Accept::keep`]). Of a subscription nothing is kept.
    pub fn keep(mut self, kept: impl Serialize) -> Self {
        self.kept = Some(write(kept, &mut self.trouble));
        self
    }

    pub(super) fn into_renewal(self) -> Result<Renewal, Reject> {
        let Self { expire_at, info, kept, trouble } = self;
        trouble.map_or(Ok(Renewal::Until { expire_at, info, meta: kept }), Err)
    }
}

impl Pub {
    /// This is published instead, as JSON.
    ///
    /// # Errors
    /// It cannot be written as JSON.
    pub fn replace(value: impl Serialize) -> Result<Self, Reject> {
        Ok(Self::Replace(serde_json::to_vec(&value)?.into()))
    }

    pub(super) fn into_approval(self) -> Approval {
        match self {
            Self::Pass => Approval::default(),
            Self::Replace(data) => Approval { data: Some(data), ..Approval::default() },
            Self::Drop => Approval { is_dropped: true, ..Approval::default() },
        }
    }
}

/// JSON, or nothing for `None` and the like. Values that cannot be written as JSON are few, and a mistake of the
/// application's.
fn write(value: impl Serialize, trouble: &mut Option<Reject>) -> Bytes {
    match serde_json::to_vec(&value) {
        Ok(json) if json == b"null" => Bytes::new(),
        Ok(json) => json.into(),
        Err(error) => {
            trouble.get_or_insert_with(|| error.into());
            Bytes::new()
        }
    }
}
