//! What happens of itself: tries that are due, and the end of what took too long.

use super::Client;
use crate::link::Link;
use crate::subscription::{Stage, Subscription};
use crate::time::Instant;
use crate::{Credentials, Event, Output, TokenFor};

impl Client {
    pub(super) fn tick(&mut self, now: Instant) {
        if self.link.times_out_at().is_some_and(|at| at <= now) {
            self.lost(now, Event::CODE_SILENT, "silent for too long".to_owned());
        }
        self.link_due(now);
        self.climb(now);
        self.subscriptions_due(now);
        self.calls_due(now);
    }

    fn link_due(&mut self, now: Instant) {
        match &mut self.link {
            Link::Waiting { retry_at, .. } if *retry_at <= now => self.begin(now),
            Link::Live(live) if live.renewal.due().is_some_and(|at| at <= now) => {
                live.renewal.asked();
                if self.config.credentials == Credentials::Provider {
                    self.outputs.push_back(Output::AskToken(TokenFor::Connection));
                }
            }
            _ => {}
        }
    }

    fn subscriptions_due(&mut self, now: Instant) {
        let due = |subscription: &Subscription| subscription.due().is_some_and(|at| at <= now);
        let due: Vec<_> =
            self.subscriptions.iter().filter(|(_, one)| due(one)).map(|(name, _)| name.clone()).collect();
        for channel in due {
            match self.subscriptions.get(&channel).map(|subscription| subscription.stage) {
                Some(Stage::Resting { .. }) => self.join(now, &channel),
                Some(Stage::Live { renewal, .. }) => {
                    self.members_due(now, &channel);
                    if renewal.due().is_some_and(|at| at <= now) {
                        self.ask_renewal(channel);
                    }
                }
                // The session that owes the answer may have lost it: begin anew with another one.
                Some(Stage::Asked { .. }) => {
                    return self.lost(now, Event::CODE_SILENT, "subscribe unanswered".to_owned());
                }
                _ => {}
            }
        }
    }
}

impl Subscription {
    /// When something is to be done about it.
    pub(crate) fn due(&self) -> Option<Instant> {
        match self.stage {
            Stage::Resting { retry_at } => Some(retry_at),
            Stage::Asked { until, .. } => Some(until),
            Stage::Live { renewal, .. } => [renewal.due(), self.roll.due()].into_iter().flatten().min(),
            Stage::Offline | Stage::AskingToken => None,
        }
    }
}
