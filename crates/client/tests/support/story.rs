//! What a reader is told, in a few words.
#![allow(unreachable_pub)]

use spanwire_client::{Ended, Event, Gap, Position, Subscription};

use super::server::within;

/// The next event of a subscription, in a few words.
pub async fn next(subscription: &mut Subscription<u64>) -> String {
    match within("an event", subscription.next()).await {
        Some(event) => brief(&event),
        None => "nothing more".to_owned(),
    }
}

/// So many of them.
pub async fn some(subscription: &mut Subscription<u64>, count: usize) -> Vec<String> {
    let mut story = Vec::new();
    for _ in 0..count {
        story.push(next(subscription).await);
    }
    story
}

pub fn brief(event: &Event<u64>) -> String {
    let place = |at: &Option<Position>| {
        at.as_ref().map_or("?".to_owned(), |Position { offset, epoch }| format!("{epoch}{offset}"))
    };
    match event {
        Event::Subscribed(it) => match (it.was_recovering, it.recovered) {
            (true, true) => format!("recovered at {}", place(&it.position)),
            (true, false) => format!("unrecovered at {}", place(&it.position)),
            _ => format!("subscribed at {}", place(&it.position)),
        },
        Event::Publication(it) => it.data.to_string(),
        Event::Unreadable(it, _) => format!("unreadable {}", String::from_utf8_lossy(&it.data.0)),
        Event::Gap(Gap { from, to }) => format!("gap {}..{}", place(from), place(to)),
        Event::Join(info) => format!("join {}", info.user),
        Event::Leave(info) => format!("leave {}", info.user),
        Event::Presence(members) => {
            format!("presence {}", members.clients().collect::<Vec<_>>().join(" "))
        }
        Event::NoPresence(Ended { code, .. }) => format!("no presence {code}"),
        Event::Interrupted(Ended { code, .. }) => format!("interrupted {code}"),
        Event::Ended(Ended { code, .. }) => format!("ended {code}"),
        _ => format!("{event:?}"),
    }
}
