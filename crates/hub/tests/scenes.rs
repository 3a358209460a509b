//! Scenes from the lives of clients, each a test whose name is a sentence.
//!
//! - `connecting`: who gets in, and what the connect reply says
//! - `subscribing`: who may, what the reply says, and what remains when it fails
//! - `recovering`: the promise: exactly once, in order, or told of a gap
//! - `requests`: publish, history, presence and the rest
//! - `sharing`: how often a publication is in memory
//! - `happening`: what is reported of lives, for those who keep account of them
//! - `leaving`: every way out, and that nothing remains
//! - `ordering`: what the backend makes of sessions without asking them
//! - `filtering`: who wants only publications with certain tags
//! - `lagging`: slow readers of channels that may leave something out
//! - `latest`: channels in which only the latest publication counts
//! - `overtaking`: orders and answers that cross each other on the way
//! - `permissions`: what capabilities and subscriptions let a client do, and what is told of denials
//! - `personal`: the channels that users have of their own
//! - `rates`: how often one client may ask
//! - `deltas`: who hears only what is different, and has what that is different from
//! - `timing`: pings, expiry, staleness
//! - `deciding`: what the backend is asked, and answers that come late or in another order
//! - `unidirectional`: clients that only hear
//! - `crowding`: channels that may have few subscribers only
//! - `limits`: what one client may cost

mod scenes {
    mod connecting;
    mod crowding;
    mod deciding;
    mod deltas;
    mod filtering;
    mod happening;
    mod lagging;
    mod latest;
    mod leaving;
    mod limits;
    mod ordering;
    mod overtaking;
    mod permissions;
    mod personal;
    mod rates;
    mod recovering;
    mod regulating;
    mod requests;
    mod revoking;
    mod sharing;
    mod subscribing;
    mod timing;
    mod unidirectional;
}
mod support;
