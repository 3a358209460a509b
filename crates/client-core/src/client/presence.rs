//! Who is in the channels whose members somebody wants to know.

use std::collections::BTreeMap;
use std::time::Duration;

use spanwire_wire::message::{ClientInfo, Error, PresenceRequest};
use spanwire_wire::{ErrorCode, Request};

use super::{Client, Pending};
use crate::Event;
use crate::backoff::{Backoff, Told};
use crate::roll::{Roll, TooMany};
use crate::time::Instant;

impl Client {
    /// The channel is heard, joins and leaves included: from now on the list can be kept, and so it is asked for.
    pub(super) fn ask_members(&mut self, now: Instant, channel: &str) {
        if !self.subscriptions.get(channel).is_some_and(|subscription| subscription.options.presence) {
            return;
        }
        let request = PresenceRequest { channel: channel.to_owned() };
        let command = self.command(Request::Presence(request), Pending::Members(channel.to_owned()));
        if let Some(subscription) = self.subscriptions.get_mut(channel) {
            subscription.roll = Roll::asked(command, now + self.config.limits.call_within);
        }
    }

    pub(super) fn members_answered(
        &mut self,
        now: Instant,
        command: u32,
        channel: String,
        answer: Result<BTreeMap<String, ClientInfo>, Error>,
    ) {
        let max = self.config.limits.members_max;
        let Some(subscription) = self.subscriptions.get_mut(&channel) else { return };
        if subscription.roll.command() != Some(command) {
            return;
        }
        match answer {
            Ok(list) => match subscription.roll.answered(list, max) {
                Ok(Some(members)) => {
                    subscription.roll_backoff = Backoff::default();
                    self.tell(Event::Presence { channel, members });
                }
                Ok(None) => {}
                Err(TooMany) => self.tell(too_many(channel)),
            },
            Err(error) if error.temporary => {
                self.ask_members_later(now, &channel, Told::by(&error));
            }
            Err(Error { code, message, .. }) => {
                subscription.roll = Roll::Unknown;
                self.tell(Event::NoPresence { channel, code, reason: message });
            }
        }
    }

    /// The list was refused for now, or its answer has not come: it is asked for again, after as long as the server told.
    fn ask_members_later(&mut self, now: Instant, channel: &str, told: Told) {
        let Some(subscription) = self.subscriptions.get_mut(channel) else { return };
        let limits = &self.config.limits;
        let backoff = &mut subscription.roll_backoff;
        let wait = backoff.told_or_next(told, Duration::ZERO, limits, &mut self.chance);
        subscription.roll = Roll::Resting { ask_at: now + wait };
    }

    /// The list of a channel is due: to be asked for again, or to be given up for this time.
    pub(super) fn members_due(&mut self, now: Instant, channel: &str) {
        let Some(subscription) = self.subscriptions.get(channel) else { return };
        match &subscription.roll {
            Roll::Resting { ask_at } if *ask_at <= now => self.ask_members(now, channel),
            Roll::Asked { command, until, .. } if *until <= now => {
                self.pending.remove(command);
                self.ask_members_later(now, channel, Told::Nothing);
            }
            _ => {}
        }
    }

    /// Somebody came to a channel that is heard, or left it.
    pub(super) fn moved(&mut self, channel: String, client: &str, info: Option<&ClientInfo>) {
        let max = self.config.limits.members_max;
        let Some(subscription) = self.subscriptions.get_mut(&channel) else { return };
        match subscription.roll.moved(client, info, max) {
            Ok(Some(members)) => self.tell(Event::Presence { channel, members }),
            Ok(None) => {}
            Err(TooMany) => self.tell(too_many(channel)),
        }
    }
}

fn too_many(channel: String) -> Event {
    let code = ErrorCode::LimitExceeded;
    Event::NoPresence { channel, code: code.code(), reason: "more members than there is room for".to_owned() }
}
