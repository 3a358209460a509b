//! Namespaces: what clients may do in a family of channels, and what the server keeps for it.

use std::collections::HashMap;
use std::sync::Arc;

use spanwire_wire::ErrorCode;

use crate::backend::Deciders;
use crate::broker::HistoryOptions;

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
    /// What the backend decides.
    pub deciders: Deciders,
}

/// All namespaces of a server, and which one a channel belongs to.
#[derive(Clone, Debug, Default)]
pub struct Namespaces {
    /// Options of channels whose names have no [`NAMESPACE_BOUNDARY`].
    pub without_namespace: Arc<Namespace>,
    /// Options by the namespace's name.
    pub named: HashMap<String, Arc<Namespace>>,
}

impl Namespaces {
    /// The namespace of a channel.
    ///
    /// # Errors
    /// [`ErrorCode::BadRequest`] for an empty name or one that is not ASCII, [`ErrorCode::UnknownChannel`] if the
    /// name begins with a namespace that is not configured.
    pub fn of(&self, channel: &str) -> Result<&Arc<Namespace>, ErrorCode> {
        if channel.is_empty() || !channel.is_ascii() {
            return Err(ErrorCode::BadRequest);
        }
        let public = channel.strip_prefix(PRIVATE_PREFIX).unwrap_or(channel);
        match public.split_once(NAMESPACE_BOUNDARY) {
            None => Ok(&self.without_namespace),
            Some((name, _)) => self.named.get(name).ok_or(ErrorCode::UnknownChannel),
        }
    }
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
        Namespaces { without_namespace: Arc::default(), named: HashMap::from([("chat".to_owned(), chat)]) }
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
        ];
        for (channel, expected) in table {
            assert_eq!(namespaces.of(channel).map(|found| found.presence), expected, "{channel}");
        }
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
