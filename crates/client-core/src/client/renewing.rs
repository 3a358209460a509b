//! Subscriptions whose token expires: a new one in time, and what to do without.

use spanwire_wire::Request;
use spanwire_wire::message::{Error, SubRefreshRequest, SubRefreshResult};

use super::{Client, Pending};
use crate::renewal::Renewal;
use crate::subscription::Stage;
use crate::time::Instant;
use crate::{Output, TokenFor};

impl Client {
    /// A new token is due. If there is none, or it is refused for good, the server ends the subscription when the old one
    /// has expired, and coming back asks again.
    pub(super) fn ask_renewal(&mut self, channel: String) {
        if let Some(Stage::Live { renewal, .. }) = self.stage_mut(&channel) {
            renewal.asked();
            self.outputs.push_back(Output::AskToken(TokenFor::Channel(channel)));
        }
    }

    /// A new token is there. A subscription that is not heard just now has it for the next time.
    pub(super) fn renew(&mut self, channel: &str) {
        let Some(Stage::Live { .. }) = self.stage_mut(channel) else { return };
        let Some(subscription) = self.subscriptions.get(channel) else { return };
        let (channel, token) = (channel.to_owned(), subscription.token.clone());
        let request = SubRefreshRequest { channel: channel.clone(), token, ..SubRefreshRequest::default() };
        self.command(Request::SubRefresh(request), Pending::SubRefresh(channel));
    }

    pub(super) fn renewed(&mut self, now: Instant, channel: &str, result: &SubRefreshResult) {
        if let Some(Stage::Live { renewal, .. }) = self.stage_mut(channel) {
            *renewal = Renewal::new(now, result.expires, result.ttl);
        }
    }

    /// The server did not take the new token. If it cannot judge it now, another one is asked for later; else it will end
    /// the subscription, and coming back asks for another one.
    pub(super) fn renewal_refused(&mut self, now: Instant, channel: &str, error: &Error) {
        let Some(subscription) = self.subscriptions.get_mut(channel) else { return };
        if !error.temporary {
            subscription.forget_token();
        } else if let Stage::Live { renewal, .. } = &mut subscription.stage {
            renewal.put_off(now, error, &self.config.limits, &mut self.chance);
        }
    }

    fn stage_mut(&mut self, channel: &str) -> Option<&mut Stage> {
        self.subscriptions.get_mut(channel).map(|subscription| &mut subscription.stage)
    }
}
