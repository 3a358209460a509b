//! Denials: what the operator is told when a client may not do something. The client itself learns only the code.

use std::fmt;

use spanwire_wire::ErrorCode;

use crate::SessionId;
use crate::channel::Channel;
use crate::namespace::{NAMESPACE_BOUNDARY, PRIVATE_PREFIX, Permission};
use crate::quoted::Quoted;
use crate::right::Right;
use crate::tags_filter::Flaw;

/// A client may not do something. Its sentence names the option or the claim that would have let it.
///
/// It holds names that strangers chose: its `Display` escapes and bounds them.
#[derive(Clone, Debug)]
pub struct Denial {
    /// Whose command it was.
    pub session: SessionId,
    /// The client's id.
    pub client: String,
    /// Its user; empty is anonymous.
    pub user: String,
    /// Where.
    pub channel: Channel,
    /// What it wanted to do.
    pub right: Right,
    /// Why it may not.
    pub why: Why,
}

/// Why a client may not do something in a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The name begins with a namespace that is not configured.
    UnknownNamespace,
    /// The name is not ASCII, and no `channel_regex` says that it may be; or it does not fit the `channel_regex`.
    Name,
    /// The name begins with [`PRIVATE_PREFIX`], and there was no subscription token.
    Private,
    /// The name lists users, and this is none of them.
    NotListed,
    /// Its subscription token was refused, with this code of an error or of a disconnect.
    Token(u32),
    /// The channel has as many subscribers as its namespace lets it have.
    Full,
    /// The namespace does not keep what was asked for.
    Off(Right),
    /// It wants only publications with certain tags, and the namespace does not permit that.
    NoTagsFilter,
    /// It wants only publications with certain tags, and its filter is not one that is taken.
    TagsFilter(Flaw),
    /// It wants only publications with certain tags, and each told by what is different from the one before, which it may
    /// not have been sent.
    FilterAndDelta,
    /// Neither the namespace nor a capability permits it.
    NotPermitted {
        /// What the namespace permits.
        permission: Permission,
        /// Whether the client was subscribed.
        subscribed: bool,
    },
}

impl Why {
    /// What the client is told, unless it is what becomes of its token.
    pub const fn code(self) -> ErrorCode {
        match self {
            Self::UnknownNamespace => ErrorCode::UnknownChannel,
            Self::Name | Self::NoTagsFilter | Self::TagsFilter(_) | Self::FilterAndDelta => {
                ErrorCode::BadRequest
            }
            Self::Private | Self::NotListed | Self::Token(_) | Self::NotPermitted { .. } => {
                ErrorCode::PermissionDenied
            }
            Self::Full => ErrorCode::LimitExceeded,
            Self::Off(_) => ErrorCode::NotAvailable,
        }
    }

    /// Its name in the metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::UnknownNamespace => "unknown_namespace",
            Self::Name => "channel_name",
            Self::Private => "private",
            Self::NotListed => "not_listed",
            Self::Token(_) => "token",
            Self::Full => "full",
            Self::Off(_) => "off",
            Self::NoTagsFilter => "no_tags_filter",
            Self::TagsFilter(_) => "tags_filter",
            Self::FilterAndDelta => "filter_and_delta",
            Self::NotPermitted { .. } => "not_permitted",
        }
    }
}

impl Denial {
    /// The options of the channel, as a configuration names them.
    fn place(&self) -> String {
        let public = self.channel.as_str().strip_prefix(PRIVATE_PREFIX).unwrap_or(self.channel.as_str());
        match public.split_once(NAMESPACE_BOUNDARY) {
            None => "channel.without_namespace".to_owned(),
            Some((name, _)) => format!("namespace {}", Quoted(name)),
        }
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (verb, word) = (verb(self.right), self.right.word());
        write!(
            f,
            "user {} (client {}) may not {verb} {}: ",
            Quoted(&self.user),
            self.client,
            Quoted(self.channel.as_str())
        )?;
        let place = self.place();
        match self.why {
            Why::UnknownNamespace => write!(f, "{place} is not among channel.namespaces"),
            Why::Name => write!(f, "the name does not fit; channel_regex of {place} says which names do"),
            Why::Private => f.write_str("it is private; only a subscription token opens it"),
            Why::NotListed => {
                f.write_str("its name lists its users; for others only a subscription token opens it")
            }
            Why::Token(code) => write!(
                f,
                "its subscription token was refused with code {code}; `spanwire token check` says what is wrong with one"
            ),
            Why::Full => write!(f, "it has as many subscribers as max_subscribers of {place} lets it have"),
            Why::NoTagsFilter => write!(f, "it wants a filter, and allow_tags_filter of {place} is off"),
            Why::TagsFilter(flaw) => write!(f, "its filter {flaw}"),
            Why::FilterAndDelta => f.write_str(
                "it wants a filter and deltas, and what a filter leaves out is missing as the base of a patch; it may have one of them",
            ),
            Why::Off(Right::Presence) => write!(f, "presence of {place} is off"),
            Why::Off(_) => write!(f, "history_size and history_ttl of {place} are not set"),
            Why::NotPermitted { permission, subscribed } => {
                missing_options(f, self.right, permission, subscribed, self.user.is_empty())?;
                write!(
                    f,
                    " of {place} would let it, or \"{word}\" in the claim caps of its connection token"
                )?;
                match (self.right, subscribed) {
                    (Right::Subscribe, _) => f.write_str(", or a subscription token"),
                    (_, true) => write!(f, ", or \"{word}\" in the claim allow of its subscription token"),
                    (_, false) => Ok(()),
                }
            }
        }
    }
}

/// The options that are off and would have to be on.
fn missing_options(
    f: &mut fmt::Formatter<'_>,
    right: Right,
    permission: Permission,
    subscribed: bool,
    anonymous: bool,
) -> fmt::Result {
    let thing = option(right);
    let has_reason = permission.client || (permission.subscriber && subscribed);
    match (has_reason, right) {
        (true, _) => return write!(f, "allow_{thing}_for_anonymous"),
        (false, Right::Subscribe) => write!(f, "allow_{thing}_for_client")?,
        (false, _) if permission.subscriber => {
            write!(f, "a subscription (allow_{thing}_for_subscriber is on) or allow_{thing}_for_client")?;
        }
        (false, _) if subscribed => write!(f, "allow_{thing}_for_subscriber or allow_{thing}_for_client")?,
        (false, _) => write!(f, "allow_{thing}_for_client")?,
    }
    match anonymous && !permission.anonymous {
        true => write!(f, ", with allow_{thing}_for_anonymous,"),
        false => Ok(()),
    }
}

fn option(right: Right) -> &'static str {
    match right {
        Right::Subscribe => "subscribe",
        Right::Publish => "publish",
        Right::History => "history",
        Right::Presence => "presence",
    }
}

fn verb(right: Right) -> &'static str {
    match right {
        Right::Subscribe => "subscribe to",
        Right::Publish => "publish into",
        Right::History => "read the history of",
        Right::Presence => "see the presence of",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn denial(user: &str, channel: &str, right: Right, why: Why) -> String {
        let session = SessionId { index: 0, generation: 0 };
        let (client, channel) = ("c1".to_owned(), Channel::new(channel));
        Denial { session, client, user: user.to_owned(), channel, right, why }.to_string()
    }

    #[test]
    fn a_denial_names_what_would_have_let_the_client() {
        let nothing = Permission::default();
        let of_subscribers = Permission { subscriber: true, ..nothing };
        let of_clients = Permission { client: true, ..nothing };
        let not = |permission, subscribed| Why::NotPermitted { permission, subscribed };
        let table = [
            (
                "ann",
                Right::Publish,
                not(nothing, false),
                "allow_publish_for_client of namespace \"chat\" would let it, or \"pub\" in the claim caps of its connection token",
            ),
            (
                "ann",
                Right::Publish,
                not(nothing, true),
                "allow_publish_for_subscriber or allow_publish_for_client of namespace \"chat\" would let it, or \"pub\" in the claim caps of its connection token, or \"pub\" in the claim allow of its subscription token",
            ),
            (
                "ann",
                Right::History,
                not(of_subscribers, false),
                "a subscription (allow_history_for_subscriber is on) or allow_history_for_client of namespace \"chat\" would let it, or \"hst\" in the claim caps of its connection token",
            ),
            (
                "",
                Right::Subscribe,
                not(of_clients, false),
                "allow_subscribe_for_anonymous of namespace \"chat\" would let it, or \"sub\" in the claim caps of its connection token, or a subscription token",
            ),
            (
                "",
                Right::Presence,
                not(nothing, false),
                "allow_presence_for_client, with allow_presence_for_anonymous, of namespace \"chat\" would let it, or \"prs\" in the claim caps of its connection token",
            ),
            (
                "ann",
                Right::Subscribe,
                Why::Full,
                "it has as many subscribers as max_subscribers of namespace \"chat\" lets it have",
            ),
            ("ann", Right::Subscribe, Why::TagsFilter(Flaw::Nodes(64)), "its filter has more than 64 nodes"),
            (
                "ann",
                Right::Subscribe,
                Why::FilterAndDelta,
                "it wants a filter and deltas, and what a filter leaves out is missing as the base of a patch; it may have one of them",
            ),
            ("ann", Right::Presence, Why::Off(Right::Presence), "presence of namespace \"chat\" is off"),
            (
                "ann",
                Right::History,
                Why::Off(Right::History),
                "history_size and history_ttl of namespace \"chat\" are not set",
            ),
        ];
        for (user, right, why, expected) in table {
            let line = denial(user, "chat:1", right, why);
            let (_, reason) = line.split_once("\"chat:1\": ").unwrap();
            assert_eq!(reason, expected);
        }
        assert!(
            denial("ann", "news", Right::Publish, not(nothing, false))
                .contains("of channel.without_namespace")
        );
    }

    #[test]
    fn a_strangers_names_can_neither_forge_a_line_nor_fill_one() {
        let line = denial("ann\n2026 ERROR", "a\u{1b}[2J\nb", Right::Subscribe, Why::Private);
        assert!(!line.contains(['\n', '\u{1b}']), "{line}");
        let line = denial(&"u".repeat(100_000), &"\u{e9}".repeat(100_000), Right::Subscribe, Why::Name);
        assert!(line.len() < 1024, "{}", line.len());
    }
}
