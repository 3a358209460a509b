//! Native pings, for clients that chose them (`cf_ws_frame_ping_pong`): in the same rhythm as over a socket.

use std::future::pending;

use rand::TryRngCore as _;
use rand::rngs::OsRng;
use spanwire_hub::time::Instant;
use tokio::time;

use super::talk::Talk;
use crate::engine::{Beat, Heartbeat, Rhythm};

/// When to ping, and until when a pong must be here.
pub(super) struct Pinging {
    began: time::Instant,
    /// `None` never pings.
    heart: Option<(Heartbeat, Rhythm)>,
}

impl Pinging {
    /// Pings in this rhythm, or never.
    pub(super) fn begin(rhythm: Option<Rhythm>) -> Self {
        let heart = rhythm.and_then(|rhythm| {
            // Without chance, those who come together are pinged together: a moment of work, and nothing worse.
            let share = OsRng.try_next_u32().unwrap_or_default() as u8;
            Some((Heartbeat::begin(Instant::from_millis(0), rhythm, share)?, rhythm))
        });
        Self { began: time::Instant::now(), heart }
    }

    /// Waits until something is due, and says what. Cancel safe.
    pub(super) async fn beat(&mut self, talk: &Talk) -> Beat {
        let Some((heartbeat, rhythm)) = &mut self.heart else { return pending().await };
        let due = self.began + time::Duration::from_millis(heartbeat.due().as_millis());
        time::sleep_until(due).await;
        if talk.take_ponged() {
            heartbeat.pong();
        }
        heartbeat.beat(heartbeat.due().max(since(self.began)), *rhythm)
    }
}

fn since(began: time::Instant) -> Instant {
    Instant::from_millis(u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX))
}
