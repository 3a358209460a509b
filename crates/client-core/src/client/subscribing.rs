//! Channels: into them, back to where we were, and out.

use std::collections::BTreeMap;

use spanwire_wire::message::{
    Error, Publication, Subscribe, SubscribeResult, Unsubscribe, UnsubscribeRequest,
};
use spanwire_wire::{ErrorCode, Request, UnsubscribeCode};

use super::{Client, Pending};
use crate::backoff::Told;
use crate::deltas::Misfit;
use crate::link::Link;
use crate::roll::Roll;
use crate::subscription::{Stage, Subscription};
use crate::time::Instant;
use crate::{Event, Output, SubscribeOptions, TokenFailure, TokenFor};

type ByChannel = BTreeMap<String, Subscription>;

impl Client {
    pub(super) fn subscribe(&mut self, now: Instant, channel: String, options: SubscribeOptions) {
        if self.subscriptions.contains_key(&channel) {
            return;
        }
        if self.subscriptions.len() >= self.config.limits.subscriptions_max {
            let code = ErrorCode::LimitExceeded;
            return self.tell(unsubscribed(channel, code.code(), code.reason(), None));
        }
        let mut subscription = Subscription::new(options, &self.config);
        subscription.hushed_by = self.farewell_of(&channel);
        self.subscriptions.insert(channel.clone(), subscription);
        self.join(now, &channel);
    }

    /// The latest of our unanswered commands to leave this channel.
    fn farewell_of(&self, channel: &str) -> Option<u32> {
        let mut pending = self.pending.iter().rev();
        pending.find_map(|(id, purpose)| match purpose {
            Pending::Unsubscribe(left) if left == channel => Some(*id),
            _ => None,
        })
    }

    pub(super) fn unsubscribe(&mut self, channel: &str) {
        self.leave(channel, Event::CODE_WISH, "unsubscribe");
    }

    fn leave(&mut self, channel: &str, code: u32, reason: &str) {
        let Some(subscription) = self.subscriptions.remove(channel) else { return };
        if matches!(subscription.stage, Stage::Asked { .. } | Stage::Live { .. }) {
            let request = UnsubscribeRequest { channel: channel.to_owned() };
            self.command(Request::Unsubscribe(request), Pending::Unsubscribe(channel.to_owned()));
        }
        self.tell(unsubscribed(channel.to_owned(), code, reason, None));
    }

    pub(super) fn unsubscribe_answered(&mut self, command: u32, channel: &str) {
        if let Some(subscription) = self.subscriptions.get_mut(channel) {
            subscription.hushed_by.take_if(|hushed_by| *hushed_by == command);
        }
    }

    pub(super) fn join_all(&mut self, now: Instant) {
        let channels: Vec<_> = self.subscriptions.keys().cloned().collect();
        for channel in channels {
            self.join(now, &channel);
        }
    }

    /// Asks for a channel, from where we were; if there is a connection on which to ask.
    pub(super) fn join(&mut self, now: Instant, channel: &str) {
        if !matches!(self.link, Link::Greeting { .. } | Link::Live(_)) {
            return;
        }
        let Some(subscription) = self.subscriptions.get_mut(channel) else { return };
        if subscription.options.needs_token && subscription.token.is_empty() {
            subscription.stage = Stage::AskingToken;
            return self.outputs.push_back(Output::AskToken(TokenFor::Channel(channel.to_owned())));
        }
        let request = subscription.request(channel);
        let command = self.command(Request::Subscribe(request), Pending::Subscribe(channel.to_owned()));
        let until = now + self.config.limits.subscribe_within;
        if let Some(subscription) = self.subscriptions.get_mut(channel) {
            subscription.stage = Stage::Asked { command, until };
        }
    }

    pub(super) fn channel_token(&mut self, now: Instant, channel: &str, token: Result<String, TokenFailure>) {
        let Some(subscription) = self.subscriptions.get_mut(channel) else { return };
        let is_awaited = subscription.stage == Stage::AskingToken;
        match token {
            Ok(token) => {
                subscription.token = token;
                if is_awaited {
                    self.join(now, channel);
                } else {
                    self.renew(channel);
                }
            }
            Err(TokenFailure::Temporary) if is_awaited => {
                self.rest(now, channel, Event::CODE_NO_TOKEN, "no token", Told::Nothing);
            }
            Err(TokenFailure::Temporary) => {}
            Err(TokenFailure::Unauthorized) => self.leave(channel, Event::CODE_NO_TOKEN, "unauthorized"),
        }
    }

    pub(super) fn subscribe_answered(
        &mut self,
        now: Instant,
        command: u32,
        channel: &str,
        outcome: Result<SubscribeResult, Error>,
    ) {
        let Some(subscription) = self.subscriptions.get_mut(channel) else { return };
        if !matches!(subscription.stage, Stage::Asked { command: asked, .. } if asked == command) {
            // Left, or asked again, since.
            return;
        }
        match outcome {
            Ok(result) => match subscription.accepted(now, channel, result, &mut self.outputs) {
                Ok(()) => self.ask_members(now, channel),
                Err(Misfit) => self.begin_anew(now, channel),
            },
            Err(error) => self.subscribe_refused(now, channel, &error),
        }
    }

    fn subscribe_refused(&mut self, now: Instant, channel: &str, error: &Error) {
        let Some(subscription) = self.subscriptions.get_mut(channel) else { return };
        let stale = error.code == ErrorCode::TokenExpired.code() && subscription.options.needs_token;
        if stale {
            subscription.token.clear();
        }
        if stale || error.temporary {
            self.rest(now, channel, error.code, &error.message, Told::by(error));
        } else {
            self.subscriptions.remove(channel);
            self.tell(unsubscribed(channel.to_owned(), error.code, &error.message, None));
        }
    }

    /// Tries again after a while.
    fn rest(&mut self, now: Instant, channel: &str, code: u32, reason: &str, told: Told) {
        let Some(subscription) = self.subscriptions.get_mut(channel) else { return };
        let lived = match subscription.stage {
            Stage::Live { since, .. } => now.since(since),
            _ => std::time::Duration::ZERO,
        };
        let wait = subscription.backoff.told_or_next(told, lived, &self.config.limits, &mut self.chance);
        let retry_at = now + wait;
        subscription.stage = Stage::Resting { retry_at };
        subscription.roll = Roll::Unknown;
        self.tell(unsubscribed(channel.to_owned(), code, reason, Some(retry_at)));
    }

    /// The server has ended a subscription, or will not begin it.
    pub(super) fn expelled(&mut self, now: Instant, channel: &str, unsubscribe: &Unsubscribe) {
        let Unsubscribe { code, reason } = unsubscribe;
        let Some(subscription) = self.listening_mut(channel) else {
            if self.server_side.remove(channel).is_some() {
                self.tell(unsubscribed(channel.to_owned(), *code, reason, None));
            }
            return;
        };
        if *code == UnsubscribeCode::StateInvalidated.code() {
            subscription.invalidate();
        }
        if *code == UnsubscribeCode::Expired.code() {
            subscription.forget_token();
        }
        if spanwire_wire::code::resubscribes(*code) {
            self.rest(now, channel, *code, reason, Told::Nothing);
        } else {
            self.subscriptions.remove(channel);
            self.tell(unsubscribed(channel.to_owned(), *code, reason, None));
        }
    }

    /// The subscription that the server means when it says something of a channel now.
    fn listening_mut(&mut self, channel: &str) -> Option<&mut Subscription> {
        let subscription = self.subscriptions.get_mut(channel)?;
        let is_here = matches!(subscription.stage, Stage::Asked { .. } | Stage::Live { .. });
        (is_here && subscription.hushed_by.is_none()).then_some(subscription)
    }

    pub(super) fn published(&mut self, now: Instant, channel: String, publication: Box<Publication>) {
        let Self { subscriptions, server_side, outputs, .. } = self;
        if let Some(subscription) = live(subscriptions, server_side, &channel)
            && let Err(Misfit) = subscription.deliver(channel.clone(), publication, false, outputs)
        {
            self.begin_anew(now, &channel);
        }
    }

    /// A patch does not fit: what the server takes for our base is not. It is asked again, without deltas, for all behind what
    /// was delivered.
    fn begin_anew(&mut self, now: Instant, channel: &str) {
        let request = UnsubscribeRequest { channel: channel.to_owned() };
        let left = self.command(Request::Unsubscribe(request), Pending::Unsubscribe(channel.to_owned()));
        let Some(subscription) = self.subscriptions.get_mut(channel) else { return };
        subscription.give_deltas_up();
        subscription.hushed_by = Some(left);
        self.rest(now, channel, Event::CODE_BAD_PROTOCOL, "a patch does not fit", Told::Nothing);
    }

    /// Whether joins and leaves of this channel are for us.
    pub(super) fn hears(&mut self, channel: &str) -> bool {
        live(&mut self.subscriptions, &mut self.server_side, channel).is_some()
    }

    /// The subscriptions that the server made for us, on this connection: all of them.
    pub(super) fn server_subscriptions(&mut self, now: Instant, made: BTreeMap<String, SubscribeResult>) {
        let ended: Vec<_> =
            self.server_side.keys().filter(|channel| !made.contains_key(*channel)).cloned().collect();
        for channel in ended {
            self.server_side.remove(&channel);
            let code = UnsubscribeCode::Server;
            self.tell(unsubscribed(channel, code.code(), code.reason(), None));
        }
        for (channel, result) in made {
            // One too many ends the connection, and the others with it.
            if self.is_connected() {
                self.server_subscribed(now, channel, result);
            }
        }
    }

    /// The server subscribes us to one more channel.
    pub(super) fn server_pushed_subscribe(&mut self, now: Instant, channel: String, subscribe: Subscribe) {
        let Subscribe { recoverable, epoch, offset, positioned, data } = subscribe;
        let result = SubscribeResult { recoverable, epoch, offset, positioned, data, ..Default::default() };
        self.server_subscribed(now, channel, result);
    }

    fn server_subscribed(&mut self, now: Instant, channel: String, result: SubscribeResult) {
        let is_full = self.server_side.len() >= self.config.limits.subscriptions_max;
        if is_full && !self.server_side.contains_key(&channel) {
            return self.lost(now, Event::CODE_BAD_PROTOCOL, "too many subscriptions".to_owned());
        }
        let fresh = || Subscription::new(SubscribeOptions::default(), &self.config);
        let subscription = self.server_side.entry(channel.clone()).or_insert_with(fresh);
        // What the server subscribes us to, we do not ask deltas for; so there is no patch that could not fit.
        let _ = subscription.accepted(now, &channel, result, &mut self.outputs);
    }
}

/// The subscription that hears this channel now. What comes before the answer to a subscribe, or behind the end of a
/// subscription, is nobody's business.
fn live<'a>(
    ours: &'a mut ByChannel,
    of_server: &'a mut ByChannel,
    channel: &str,
) -> Option<&'a mut Subscription> {
    let subscription = ours.get_mut(channel).or_else(|| of_server.get_mut(channel))?;
    matches!(subscription.stage, Stage::Live { .. }).then_some(subscription)
}

fn unsubscribed(channel: String, code: u32, reason: &str, will_retry_at: Option<Instant>) -> Event {
    Event::Unsubscribed { channel, code, reason: reason.to_owned(), will_retry_at }
}
