//! Who is in the channels whose members somebody wants to know.

use std::collections::BTreeMap;

use spanwire_wire::message::{ClientInfo, Error, PresenceRequest};
use spanwire_wire::{ErrorCode, Request};

use super::{Client, Pending};
use crate::Event;
use crate::members::{Members, TooMany};

impl Client {
    /// The channel is heard, joins and leaves included: from now on the list can be kept, and so it is asked for.
    pub(super) fn ask_members(&mut self, channel: &str) {
        if !self.subscriptions.get(channel).is_some_and(|subscription| subscription.options.presence) {
            return;
        }
        let request = PresenceRequest { channel: channel.to_owned() };
        let command = self.command(Request::Presence(request), Pending::Members(channel.to_owned()));
        if let Some(subscription) = self.subscriptions.get_mut(channel) {
            subscription.members = Members::asked(command);
        }
    }

    pub(super) fn members_answered(
        &mut self,
        command: u32,
        channel: String,
        answer: Result<BTreeMap<String, ClientInfo>, Error>,
    ) {
        let max = self.config.limits.members_max;
        let Some(subscription) = self.subscriptions.get_mut(&channel) else { return };
        if !subscription.members.await_answer_of(command) {
            return;
        }
        match answer {
            Ok(list) => match subscription.members.answered(list, max) {
                Ok(Some(members)) => self.tell(Event::Presence { channel, members }),
                Ok(None) => {}
                Err(TooMany) => self.tell(too_many(channel)),
            },
            Err(Error { code, message, .. }) => {
                subscription.members = Members::Unknown;
                self.tell(Event::NoPresence { channel, code, reason: message });
            }
        }
    }

    /// Somebody came to a channel that is heard, or left it.
    pub(super) fn moved(&mut self, channel: String, client: &str, info: Option<&ClientInfo>) {
        let max = self.config.limits.members_max;
        let Some(subscription) = self.subscriptions.get_mut(&channel) else { return };
        match subscription.members.moved(client, info, max) {
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
