//! What a client may do, read straight off the protocol's tables and written without a look at the code that decides:
//! options by their names, channels by their texts, and the order of the checks as the protocol lists them.

use std::collections::BTreeMap;

/// The options of one namespace that matter here.
#[derive(Clone, Debug, Default)]
pub(super) struct Options {
    pub(super) presence: bool,
    pub(super) history: bool,
    pub(super) allow_user_limited_channels: bool,
    /// `allow_subscribe_for_client`, `allow_publish_for_anonymous` and so on.
    pub(super) allowed: Vec<(&'static str, &'static str)>,
}

/// What a token gives: `*` behind a prefix, or a whole name; and the words of `allow`.
#[derive(Clone, Debug)]
pub(super) struct Cap {
    pub(super) channel: &'static str,
    pub(super) allow: Vec<&'static str>,
}

/// The token of a subscribe command.
#[derive(Clone, Debug)]
pub(super) enum Token {
    None,
    Forged,
    Good(Vec<&'static str>),
}

/// One client, and all that decides about it.
#[derive(Debug)]
pub(super) struct Oracle {
    pub(super) namespaces: BTreeMap<&'static str, Options>,
    pub(super) user: &'static str,
    pub(super) caps: Vec<Cap>,
    /// Its subscriptions, and what their tokens gave.
    pub(super) subscribed: BTreeMap<&'static str, Vec<&'static str>>,
}

const PERMITTED: u32 = 0;
const UNKNOWN_CHANNEL: u32 = 102;
const PERMISSION_DENIED: u32 = 103;
const ALREADY_SUBSCRIBED: u32 = 105;
const NOT_AVAILABLE: u32 = 108;

impl Oracle {
    pub(super) fn subscribe(&mut self, channel: &'static str, token: &Token) -> u32 {
        let code = self.judge_subscribe(channel, token);
        if code == PERMITTED {
            let given = if let Token::Good(allow) = token { allow.clone() } else { Vec::new() };
            self.subscribed.insert(channel, given);
        }
        code
    }

    fn judge_subscribe(&self, channel: &str, token: &Token) -> u32 {
        if self.subscribed.contains_key(channel) {
            return ALREADY_SUBSCRIBED;
        }
        let Some(options) = self.options(channel) else { return UNKNOWN_CHANNEL };
        match token {
            Token::Good(_) => return PERMITTED,
            Token::Forged => return PERMISSION_DENIED,
            Token::None => {}
        }
        if channel.starts_with('$') {
            return PERMISSION_DENIED;
        }
        if options.allow_user_limited_channels
            && let Some(place) = channel.rfind('#')
        {
            let listed = channel[place + 1..].split(',').any(|name| name == self.user && !name.is_empty());
            return if listed { PERMITTED } else { PERMISSION_DENIED };
        }
        if self.is_given("sub", channel) || self.is_allowed(options, "subscribe", "for_client") {
            PERMITTED
        } else {
            PERMISSION_DENIED
        }
    }

    pub(super) fn unsubscribe(&mut self, channel: &str) -> u32 {
        self.subscribed.remove(channel);
        PERMITTED
    }

    pub(super) fn publish(&self, channel: &str) -> u32 {
        self.judge(channel, "publish", "pub", |_| true)
    }

    pub(super) fn history(&self, channel: &str) -> u32 {
        self.judge(channel, "history", "hst", |options| options.history)
    }

    pub(super) fn presence(&self, channel: &str) -> u32 {
        self.judge(channel, "presence", "prs", |options| options.presence)
    }

    fn judge(&self, channel: &str, what: &str, word: &str, is_on: impl Fn(&Options) -> bool) -> u32 {
        let Some(options) = self.options(channel) else { return UNKNOWN_CHANNEL };
        if !is_on(options) {
            return NOT_AVAILABLE;
        }
        let subscription = self.subscribed.get(channel);
        let by_subscription = subscription.is_some_and(|given| given.contains(&word));
        let as_subscriber = subscription.is_some() && self.is_allowed(options, what, "for_subscriber");
        let as_client = self.is_allowed(options, what, "for_client");
        if by_subscription || as_subscriber || as_client || self.is_given(word, channel) {
            PERMITTED
        } else {
            PERMISSION_DENIED
        }
    }

    fn is_allowed(&self, options: &Options, what: &str, whom: &str) -> bool {
        let says = |whom: &str| options.allowed.contains(&(what, whom));
        says(whom) && (!self.user.is_empty() || says("for_anonymous"))
    }

    fn is_given(&self, word: &str, channel: &str) -> bool {
        let fits = |cap: &Cap| match cap.channel.strip_suffix('*') {
            Some(prefix) => channel.starts_with(prefix),
            None => channel == cap.channel,
        };
        self.caps.iter().any(|cap| fits(cap) && cap.allow.contains(&word))
    }

    fn options(&self, channel: &str) -> Option<&Options> {
        let name = channel.trim_start_matches('$');
        self.namespaces.get(name.split_once(':').map_or("", |(namespace, _)| namespace))
    }
}
