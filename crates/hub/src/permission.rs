//! Who may do what in a channel, and why not. Every command that is about a channel is decided here, and only here.

use spanwire_wire::ErrorCode;

use crate::backend::ProxyId;
use crate::capabilities::Capabilities;
use crate::denial::Why;
use crate::namespace::{Namespace, Permission, is_private, lists_user};
use crate::right::{Right, Rights};

/// What is known of a client that wants to do something in a channel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Applicant<'a> {
    /// Empty is anonymous.
    pub(crate) user: &'a str,
    /// Those of its connection.
    pub(crate) capabilities: Option<&'a Capabilities>,
    /// What its live subscription to the channel gives it besides; `None` if it has none.
    pub(crate) subscription: Option<Rights>,
}

/// Why a command is refused: a denial is worth a line in the log, a mistake is the client's own business.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Objection {
    Mistake(ErrorCode),
    Denied(Why),
}

impl From<ErrorCode> for Objection {
    fn from(code: ErrorCode) -> Self {
        Self::Mistake(code)
    }
}

impl From<Why> for Objection {
    fn from(why: Why) -> Self {
        Self::Denied(why)
    }
}

/// Who decides whether somebody may subscribe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decider {
    /// Nobody any more: it may.
    Nobody,
    /// The subscription token that it shows, and that alone.
    Token,
    /// The backend.
    Backend(ProxyId),
}

impl Applicant<'_> {
    /// Whether it may subscribe, or who decides that. Without a token, what a name says of itself comes first: no
    /// capability and no option opens a private channel, or one whose name lists other users.
    pub(crate) fn may_subscribe(
        self,
        namespace: &Namespace,
        channel: &str,
        has_token: bool,
    ) -> Result<Decider, Why> {
        if has_token {
            return Ok(Decider::Token);
        }
        if is_private(channel) {
            return Err(Why::Private);
        }
        let listed = lists_user(channel, self.user).filter(|_| namespace.allow_user_limited_channels);
        if let Some(listed) = listed {
            return if listed { Ok(Decider::Nobody) } else { Err(Why::NotListed) };
        }
        if self.is_given(Right::Subscribe, channel) {
            return Ok(Decider::Nobody);
        }
        match namespace.deciders.subscribe {
            Some(proxy) => Ok(Decider::Backend(proxy)),
            None => self.is_permitted(namespace, Right::Subscribe).map(|()| Decider::Nobody),
        }
    }

    /// Whether it may do what is not subscribing: publish, or read what the channel keeps. Where the backend decides who
    /// publishes, nobody else has an objection.
    pub(crate) fn may(self, namespace: &Namespace, right: Right, channel: &str) -> Result<(), Why> {
        match right {
            Right::Publish if namespace.deciders.publish.is_some() => Ok(()),
            Right::History if namespace.history.is_none() => Err(Why::Off(right)),
            Right::Presence if !namespace.presence => Err(Why::Off(right)),
            _ => self.has(namespace, right, channel),
        }
    }

    /// Whether a capability, its subscription, or the namespace gives it this right.
    pub(crate) fn has(self, namespace: &Namespace, right: Right, channel: &str) -> Result<(), Why> {
        match self.is_given(right, channel) {
            true => Ok(()),
            false => self.is_permitted(namespace, right),
        }
    }

    fn is_given(self, right: Right, channel: &str) -> bool {
        self.subscription.is_some_and(|rights| rights.has(right))
            || self.capabilities.is_some_and(|capabilities| capabilities.give(right, channel))
    }

    fn is_permitted(self, namespace: &Namespace, right: Right) -> Result<(), Why> {
        let (permission, subscribed) = (namespace.permission(right), self.subscription.is_some());
        match permission.allows(self.user, subscribed) {
            true => Ok(()),
            false => Err(Why::NotPermitted { permission, subscribed }),
        }
    }
}

impl Namespace {
    /// What it permits of one kind.
    pub(crate) fn permission(&self, right: Right) -> Permission {
        match right {
            Right::Subscribe => self.subscribe,
            Right::Publish => self.publish,
            Right::History => self.read_history,
            Right::Presence => self.see_presence,
        }
    }
}
