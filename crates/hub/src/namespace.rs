//! Namespaces: what clients may do in a family of channels, and what the server keeps for it.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use regex_lite::Regex;
use spanwire_wire::ErrorCode;
use spanwire_wire::is_json;

use crate::backend::Deciders;
use crate::broker::HistoryOptions;
use crate::channel::Channel;
use crate::denial::Why;
use crate::rate::Rate;

/// Ends a namespace's name within a channel's name: `chat:lobby` is the channel `lobby` of namespace `chat`.
pub const NAMESPACE_BOUNDARY: char = ':';
/// Begins the names of channels that want a subscription token.
pub const PRIVATE_PREFIX: char = '$';
/// Begins the list of users who alone may subscribe: `dialog#42,43`.
pub const USER_BOUNDARY: char = '#';
/// Separates the users in that list.
pub const USER_SEPARATOR: char = ',';

/// Who may do one kind of thing in a channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Permission {
    /// Every client with a user id.
    pub client: bool,
    /// Every subscriber of the channel with a user id.
    pub subscriber: bool,
    /// The above, without a user id too.
    pub anonymous: bool,
}

impl Permission {
    /// Whether a client may, given what it is.
    pub fn allows(self, user: &str, subscribed: bool) -> bool {
        (self.client || (self.subscriber && subscribed)) && (!user.is_empty() || self.anonymous)
    }
}

/// The options of a family of channels (Centrifugo's channel options of the same names).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Namespace {
    /// Keep who is there.
    pub presence: bool,
    /// Tell who comes and goes, to subscribers that asked for it and may see presence.
    pub join_leave: bool,
    /// Tell who comes and goes to every subscriber.
    pub force_push_join_leave: bool,
    /// What is kept; `None` gives publications no offsets.
    pub history: Option<HistoryOptions>,
    /// Every subscription has a position.
    pub force_positioning: bool,
    /// A subscription has a position if the client asks for it.
    pub allow_positioning: bool,
    /// Every subscription is recoverable.
    pub force_recovery: bool,
    /// A subscription is recoverable if the client asks for it.
    pub allow_recovery: bool,
    /// What a recoverable subscription is given when its client comes back.
    pub force_recovery_mode: RecoveryMode,
    /// With [`RecoveryMode::Cache`]: it is given that already when its client comes for the first time.
    pub auto_cache_recover: bool,
    /// What becomes of subscribers who read more slowly than is published.
    pub delivery: DeliveryProfile,
    /// Clients may subscribe to publications with certain tags only (`SubscribeRequest.tf`).
    pub allow_tags_filter: bool,
    /// Subscribers with a position may take deltas (Centrifugo's `allowed_delta_types`, which knows one).
    pub allow_delta: bool,
    /// What is published may be told by patches, whoever publishes it.
    pub delta_publish: bool,
    /// Who may subscribe (`subscriber` means nothing here).
    pub subscribe: Permission,
    /// Who may publish.
    pub publish: Permission,
    /// Who may see presence.
    pub see_presence: Permission,
    /// Who may read history.
    pub read_history: Permission,
    /// `channel#user1,user2` lets these users subscribe.
    pub allow_user_limited_channels: bool,
    /// Most subscribers that a channel may have on a node, server-side subscriptions included (error 106); `None` is any
    /// number.
    pub subscribers_max: Option<NonZeroU32>,
    /// How often clients may publish in one of its channels, all of them together (error 111).
    pub publish_rate: Rate,
    /// What may be published.
    pub data_format: DataFormat,
    /// Which names its channels may have.
    pub channel_names: ChannelNames,
    /// What the backend decides.
    pub deciders: Deciders,
}

/// What a subscriber is given that comes back (Centrifugo's `force_recovery_mode`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RecoveryMode {
    /// All that it missed, in order, or word that this cannot be had.
    #[default]
    Stream,
    /// The latest publication, if that is not the one that it has seen: for channels that say how something is, where
    /// what it was before does not matter any more.
    Cache,
}

/// What becomes of a subscriber who reads more slowly than is published.
///
/// All but [`Disconnect`](Self::Disconnect) leave something out, and hold only in a channel with history: there the
/// offsets tell that something was left out. Nor do they hold for subscribers who were promised each publication and have
/// a client that does not tell gaps (it did not ask for our extensions), nor for those with a filter, for whom a hole in the
/// offsets says nothing: those are let go, as by [`Disconnect`](Self::Disconnect).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum DeliveryProfile {
    /// It is let go when its outbox is full (code 3008), and recovers what it has missed.
    #[default]
    Disconnect,
    /// It is given the newest, and not the oldest.
    DropOldest,
    /// It is given the latest of each key.
    Conflate {
        /// The tag whose value is the key, empty for publications without it; `None` is one key for all.
        by: Option<Arc<str>>,
    },
}

impl Namespace {
    /// Whether subscribers with a position may take deltas: where nothing is left out for slow readers, for what is left out
    /// would be missing as a base.
    pub fn has_deltas(&self) -> bool {
        self.allow_delta && self.delivery == DeliveryProfile::Disconnect
    }

    /// Whether a publication may be told by a patch, and so a base is kept for it: everything with `delta_publish`, and
    /// else what its publisher `asked` it for.
    pub fn tells_by_patch(&self, asked: bool) -> bool {
        self.has_deltas() && (asked || self.delta_publish)
    }
}

impl DeliveryProfile {
    /// The word for it in configuration and metrics.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Disconnect => "disconnect",
            Self::DropOldest => "drop_oldest",
            Self::Conflate { .. } => "conflate",
        }
    }
}

/// What a publication's payload must be (Centrifugo's `publication_data_format`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DataFormat {
    /// Anything but nothing.
    #[default]
    Any,
    /// JSON.
    Json,
    /// A JSON object.
    JsonObject,
    /// Any bytes, also none.
    Binary,
}

impl DataFormat {
    /// Whether this may be published.
    pub fn allows(self, data: &[u8]) -> bool {
        match self {
            Self::Any => !data.is_empty(),
            Self::Json => is_json(data),
            Self::JsonObject => data.trim_ascii_start().starts_with(b"{") && is_json(data),
            Self::Binary => true,
        }
    }
}

/// The channels that users have of their own, to which their connections are subscribed by the server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PersonalChannels {
    /// The namespace that they are in; empty is none.
    pub namespace: String,
    /// A user has one connection: a newer one ends the older ones (code 3504).
    pub single_connection: bool,
}

impl PersonalChannels {
    /// The channel of a user.
    ///
    /// # Errors
    /// The user's id would list other users in the channel's name.
    pub(crate) fn of(&self, user: &str) -> Result<Channel, Why> {
        if user.contains([USER_BOUNDARY, USER_SEPARATOR]) {
            return Err(Why::Name);
        }
        Ok(Channel::new(&match self.namespace.as_str() {
            "" => format!("{USER_BOUNDARY}{user}"),
            namespace => format!("{namespace}{NAMESPACE_BOUNDARY}{USER_BOUNDARY}{user}"),
        }))
    }
}

/// Which names the channels of a namespace may have, behind the [`NAMESPACE_BOUNDARY`].
#[derive(Clone, Debug, Default)]
pub enum ChannelNames {
    /// Any in ASCII.
    #[default]
    Ascii,
    /// Those in which this expression finds something, whatever their characters; it says by itself where it is
    /// anchored.
    Matching(Regex),
}

impl PartialEq for ChannelNames {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Ascii, Self::Ascii) => true,
            (Self::Matching(one), Self::Matching(other)) => one.as_str() == other.as_str(),
            _ => false,
        }
    }
}

impl Eq for ChannelNames {}

impl ChannelNames {
    /// Whether a channel may be called so.
    fn allow(&self, name: &str) -> bool {
        match self {
            Self::Ascii => name.is_ascii(),
            Self::Matching(expression) => expression.is_match(name),
        }
    }
}

/// All namespaces of a server, and which one a channel belongs to.
#[derive(Clone, Debug, Default)]
pub struct Namespaces {
    /// Options of channels whose names have no [`NAMESPACE_BOUNDARY`].
    pub without_namespace: Arc<Namespace>,
    /// Options by the namespace's name.
    pub named: HashMap<String, Arc<Namespace>>,
    /// The channels of users, if they have any.
    pub personal: Option<PersonalChannels>,
}

impl Namespaces {
    /// The namespace of a channel.
    ///
    /// # Errors
    /// [`ErrorCode::BadRequest`] for a name that the namespace does not allow, [`ErrorCode::UnknownChannel`] if the
    /// name begins with a namespace that is not configured.
    pub fn of(&self, channel: &str) -> Result<&Arc<Namespace>, ErrorCode> {
        self.find(channel).map_err(Why::code)
    }

    /// The namespace of a channel, or what is wrong with the name.
    pub(crate) fn find(&self, channel: &str) -> Result<&Arc<Namespace>, Why> {
        let public = channel.strip_prefix(PRIVATE_PREFIX).unwrap_or(channel);
        let (namespace, name) = match public.split_once(NAMESPACE_BOUNDARY) {
            None => (&self.without_namespace, public),
            Some((name, rest)) => (self.named.get(name).ok_or(Why::UnknownNamespace)?, rest),
        };
        match !channel.is_empty() && namespace.channel_names.allow(name) {
            true => Ok(namespace),
            false => Err(Why::Name),
        }
    }
}

/// The name of the namespace that a channel belongs to; empty if its name begins with none.
pub fn name_of(channel: &str) -> &str {
    let public = channel.strip_prefix(PRIVATE_PREFIX).unwrap_or(channel);
    public.split_once(NAMESPACE_BOUNDARY).map_or("", |(name, _)| name)
}

/// Whether only holders of a subscription token may subscribe.
pub fn is_private(channel: &str) -> bool {
    channel.starts_with(PRIVATE_PREFIX)
}

/// Whether the name lists the users who may subscribe, and this one is among them; `None` if it lists nobody.
pub fn lists_user(channel: &str, user: &str) -> Option<bool> {
    let (_, users) = channel.rsplit_once(USER_BOUNDARY)?;
    Some(!user.is_empty() && users.split(USER_SEPARATOR).any(|listed| listed == user))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn namespaces() -> Namespaces {
        let chat = Arc::new(Namespace { presence: true, ..Namespace::default() });
        let names = ChannelNames::Matching(Regex::new("^[0-9\u{e9}]+$").unwrap());
        let numbers = Arc::new(Namespace { presence: true, channel_names: names, ..Namespace::default() });
        let named = HashMap::from([("chat".to_owned(), chat), ("numbers".to_owned(), numbers)]);
        Namespaces { without_namespace: Arc::default(), named, personal: None }
    }

    #[test]
    fn a_channel_belongs_to_the_namespace_before_its_first_boundary() {
        let namespaces = namespaces();
        let table = [
            ("news", Ok(false)),
            ("chat:lobby", Ok(true)),
            ("chat:a:b", Ok(true)),
            ("$chat:lobby", Ok(true)),
            ("$news", Ok(false)),
            ("game:1", Err(ErrorCode::UnknownChannel)),
            (":x", Err(ErrorCode::UnknownChannel)),
            ("", Err(ErrorCode::BadRequest)),
            ("caf\u{e9}", Err(ErrorCode::BadRequest)),
            ("chat:caf\u{e9}", Err(ErrorCode::BadRequest)),
            ("numbers:7", Ok(true)),
            ("$numbers:7\u{e9}", Ok(true)),
            ("numbers:seven", Err(ErrorCode::BadRequest)),
            ("numbers:", Err(ErrorCode::BadRequest)),
        ];
        for (channel, expected) in table {
            assert_eq!(namespaces.of(channel).map(|found| found.presence), expected, "{channel}");
        }
    }

    #[test]
    fn a_payload_is_what_its_namespace_says() {
        use DataFormat::{Any, Binary, Json, JsonObject};
        let table: [(&[u8], &[DataFormat]); 6] = [
            (b"", &[Binary]),
            (b"\xff", &[Any, Binary]),
            (b"1", &[Any, Json, Binary]),
            (b"{", &[Any, Binary]),
            (b"{}", &[Any, Json, JsonObject, Binary]),
            (b" {\"a\":1} ", &[Any, Json, JsonObject, Binary]),
        ];
        for (data, allowing) in table {
            for format in [Any, Json, JsonObject, Binary] {
                assert_eq!(format.allows(data), allowing.contains(&format), "{format:?} {data:?}");
            }
        }
    }

    #[test]
    fn a_personal_channel_is_one_users_and_nobody_elses() {
        let personal =
            |namespace: &str| PersonalChannels { namespace: namespace.to_owned(), ..Default::default() };
        assert_eq!(personal("").of("42"), Ok(Channel::new("#42")));
        assert_eq!(personal("me").of("42"), Ok(Channel::new("me:#42")));
        for user in ["42,43", "4#2"] {
            assert_eq!(personal("").of(user), Err(Why::Name));
        }
        assert_eq!(lists_user("me:#42", "42"), Some(true));
    }

    #[test]
    fn a_user_limited_channel_names_its_users_behind_the_last_boundary() {
        let table = [
            ("news", "42", None),
            ("dialog#42,43", "42", Some(true)),
            ("dialog#42,43", "43", Some(true)),
            ("dialog#42,43", "4", Some(false)),
            ("dialog#42", "", Some(false)),
            ("dialog#", "", Some(false)),
            ("a#1#2", "1", Some(false)),
            ("a#1#2", "2", Some(true)),
        ];
        for (channel, user, expected) in table {
            assert_eq!(lists_user(channel, user), expected, "{channel} for {user:?}");
        }
    }

    #[test]
    fn a_permission_needs_a_reason_and_a_name_unless_anonymous_is_allowed() {
        let subscriber = Permission { subscriber: true, ..Permission::default() };
        assert!(subscriber.allows("ann", true));
        assert!(!subscriber.allows("ann", false));
        assert!(!subscriber.allows("", true));
        let anybody = Permission { client: true, anonymous: true, subscriber: false };
        assert!(anybody.allows("", false));
        assert!(!Permission { anonymous: true, ..Permission::default() }.allows("", true));
    }
}
