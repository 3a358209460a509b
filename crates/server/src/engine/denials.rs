//! What the log is told of denials.

use spanwire_hub::Denial;
use spanwire_hub::time::Instant;

use super::few_lines::FewLines;

/// Logs denials, as far as there was not enough of that lately.
#[derive(Debug, Default)]
pub(super) struct Denials(FewLines);

impl Denials {
    pub(super) fn tell(&mut self, now: Instant, denial: &Denial) {
        match self.0.may_say(now) {
            Some(0) => tracing::info!("denied: {denial}"),
            Some(unsaid) => tracing::info!(unsaid, "denied: {denial}"),
            None => {}
        }
    }
}
