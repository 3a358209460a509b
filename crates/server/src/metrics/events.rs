//! How the telling of events goes.

use super::text::{Kind, Text};
use crate::events::EventsSnapshot;

/// Adds what is counted of events; nothing if nobody is told of any. `now_unix_ms` is for their age.
pub(super) fn events(text: &mut Text, events: Option<&EventsSnapshot>, now_unix_ms: u64) {
    let Some(events) = events else { return };
    text.family("spanwire_events_total", Kind::Counter, "Events for the backend, by type, as they happened.");
    for (name, count) in &events.told {
        text.labelled(&[("type", name)], count);
    }
    text.counter("spanwire_events_delivered_total", "Events that the backend has.", events.delivered);
    text.family(
        "spanwire_events_dropped_total",
        Kind::Counter,
        "Events that the backend is told only the number of, by why.",
    );
    for (reason, count) in &events.dropped {
        text.labelled(&[("reason", reason)], count);
    }
    text.family(
        "spanwire_events_requests_total",
        Kind::Counter,
        "Requests with events, by what came of them.",
    );
    for (outcome, count) in &events.requests {
        text.labelled(&[("outcome", outcome)], count);
    }
    text.gauge("spanwire_events_queued", "Events that the backend does not have yet.", events.queued);
    text.gauge("spanwire_events_queued_bytes", "About how many bytes those take.", events.queued_bytes);
    text.gauge(
        "spanwire_events_held",
        "Ends that are held back for their grace, because they may be undone.",
        events.held,
    );
    let age_ms = events.oldest_unix_ms.map_or(0, |oldest| now_unix_ms.saturating_sub(oldest));
    text.gauge(
        "spanwire_events_oldest_seconds",
        "How long ago the oldest event happened that the backend does not have; 0 if it has all.",
        age_ms as f64 / 1000.0,
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_said_where_nobody_is_told_and_else_how_far_behind_the_backend_is() {
        let mut text = Text::default();
        events(&mut text, None, 0);
        assert_eq!(text.into_string(), "");
        let snapshot = EventsSnapshot {
            told: [("connected", 3)].into(),
            dropped: [("overflow", 2)].into(),
            requests: [("taken", 1)].into(),
            queued: 4,
            oldest_unix_ms: Some(1_000),
            ..EventsSnapshot::default()
        };
        let mut text = Text::default();
        events(&mut text, Some(&snapshot), 3_500);
        let text = text.into_string();
        for line in [
            "spanwire_events_total{type=\"connected\"} 3",
            "spanwire_events_dropped_total{reason=\"overflow\"} 2",
            "spanwire_events_requests_total{outcome=\"taken\"} 1",
            "spanwire_events_queued 4",
            "spanwire_events_oldest_seconds 2.5",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
    }
}
