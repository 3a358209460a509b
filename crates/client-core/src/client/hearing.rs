//! What the server says, and whom it is for.

use spanwire_wire::{Outcome, Push, PushEvent, Reply, ServerMessage, server_messages};

use super::{Client, Pending};
use crate::link::Link;
use crate::renewal::Renewal;
use crate::time::Instant;
use crate::{ConnectionId, Event};

impl Client {
    pub(super) fn frame(&mut self, now: Instant, connection: ConnectionId, frame: &[u8]) {
        if !self.is_current(connection) {
            return;
        }
        if let Link::Live(live) = &mut self.link {
            live.heard(now);
        }
        let limits = self.config.limits.replies;
        for message in server_messages(self.config.encoding, frame, &limits) {
            match message {
                Ok(message) => self.message(now, message),
                Err(error) => self.lost(now, Event::CODE_BAD_PROTOCOL, error.to_string()),
            }
            // What we heard may have ended the connection: what else it says is not for us.
            if !self.is_current(connection) {
                return;
            }
        }
    }

    fn message(&mut self, now: Instant, message: ServerMessage) {
        match message {
            ServerMessage::Ping if matches!(&self.link, Link::Live(live) if live.answers_pings) => {
                self.pong()
            }
            ServerMessage::Ping => {}
            ServerMessage::Reply(reply) => self.reply(now, reply),
            ServerMessage::Push(push) => self.push(now, push),
        }
    }

    fn reply(&mut self, now: Instant, Reply { id, outcome }: Reply) {
        match (self.pending.remove(&id), outcome) {
            // It was answered before, or never asked.
            (None, _) => {}
            (Some(Pending::Connect), Outcome::Connect(result)) => self.connected(now, result),
            (Some(Pending::Connect), Outcome::Error(error)) => self.connect_refused(now, error),
            (Some(Pending::Refresh), Outcome::Refresh(result)) => self.refreshed(now, &result),
            (Some(Pending::Refresh), Outcome::Error(error)) => self.refresh_refused(now, &error),
            (Some(Pending::Subscribe(channel)), Outcome::Subscribe(result)) => {
                self.subscribe_answered(now, id, &channel, Ok(result));
            }
            (Some(Pending::Subscribe(channel)), Outcome::Error(error)) => {
                self.subscribe_answered(now, id, &channel, Err(error));
            }
            (Some(Pending::SubRefresh(channel)), Outcome::SubRefresh(result)) => {
                self.renewed(now, &channel, &result);
            }
            (Some(Pending::SubRefresh(channel)), Outcome::Error(error)) => {
                self.renewal_refused(now, &channel, &error);
            }
            (Some(Pending::Members(channel)), Outcome::Presence(result)) => {
                self.members_answered(now, id, channel, Ok(result.presence));
            }
            (Some(Pending::Members(channel)), Outcome::Error(error)) => {
                self.members_answered(now, id, channel, Err(error));
            }
            // That it was answered at all is what was asked.
            (Some(Pending::Probe), _) => {
                if let Link::Live(live) = &mut self.link {
                    live.probe_answered();
                }
            }
            (Some(Pending::Unsubscribe(channel)), _) => self.unsubscribe_answered(id, &channel),
            (Some(Pending::Call(call)), outcome) => self.call_answered(now, call, outcome),
            (Some(_), _) => {
                self.lost(now, Event::CODE_BAD_PROTOCOL, "an answer to another question".to_owned())
            }
        }
    }

    fn push(&mut self, now: Instant, Push { channel, event, .. }: Push) {
        match event {
            PushEvent::Publication(publication) => self.published(now, channel, publication),
            PushEvent::Join(join) if self.hears(&channel) => {
                let info = join.info.unwrap_or_default();
                self.tell(Event::Join { channel: channel.clone(), info: info.clone() });
                self.moved(channel, &info.client, Some(&info));
            }
            PushEvent::Leave(leave) if self.hears(&channel) => {
                let info = leave.info.unwrap_or_default();
                self.tell(Event::Leave { channel: channel.clone(), info: info.clone() });
                self.moved(channel, &info.client, None);
            }
            PushEvent::Unsubscribe(unsubscribe) => self.expelled(now, &channel, &unsubscribe),
            PushEvent::Subscribe(subscribe) => self.server_pushed_subscribe(now, channel, subscribe),
            PushEvent::Message(message) => self.tell(Event::Message(message.data)),
            PushEvent::Disconnect(disconnect) => self.lost(now, disconnect.code, disconnect.reason),
            PushEvent::Refresh(refresh) => {
                if let Link::Live(live) = &mut self.link {
                    live.renewal = Renewal::new(now, refresh.expires, refresh.ttl);
                }
            }
            PushEvent::Join(_) | PushEvent::Leave(_) | PushEvent::Connect(_) | PushEvent::Unknown => {}
        }
    }
}
