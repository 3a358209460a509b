//! What `spanwire sub` makes of what it hears: lines, and exit codes. No sockets, no clock.

use spanwire_client::{Ended, Event, Publication, Raw};
use spanwire_wire::message;

use super::session::exit_of;
use super::tail::{Tail, name, printable};
use super::{Exit, Failure};

/// Something to print.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// A result.
    Line(String),
    /// About what goes on, for people.
    Talk(String),
}

/// Takes an event of a channel; `None` if there is nothing to say about it.
pub(super) fn hear(channel: &str, event: &Event<Raw>, tail: &mut Tail) -> Result<Option<Heard>, Failure> {
    let shown = printable(channel);
    Ok(Some(match event {
        Event::Publication(publication) => Heard::Line(tail.show(channel, &on_the_wire(publication))),
        Event::Subscribed(_) => Heard::Talk(format!("subscribed to {shown}")),
        Event::Join(info) => Heard::Talk(format!("{shown}: {} came", name(info))),
        Event::Leave(info) => Heard::Talk(format!("{shown}: {} left", name(info))),
        Event::Gap(_) => Heard::Talk(format!("{shown}: some publications were missed")),
        Event::Interrupted(why) | Event::Ended(why) => match ended(&shown, why) {
            Some(failure) => return Err(failure),
            None => return Ok(None),
        },
        _ => return Ok(None),
    }))
}

/// A publication in the words of the wire, in which every command shows them.
fn on_the_wire(publication: &Publication<Raw>) -> message::Publication {
    let Publication { data, offset, info, tags, .. } = publication.clone();
    message::Publication { data: data.0, offset, info, tags, ..message::Publication::default() }
}

/// Why a channel is not heard at all.
pub(super) fn refused(channel: &str, why: &Ended) -> Failure {
    let channel = printable(channel);
    ended(&channel, why).unwrap_or_else(|| {
        let reason = printable(&why.reason);
        Failure::new(Exit::Unavailable, format!("subscribe to {channel}: {reason} ({})", why.code))
    })
}

/// Why a channel is not heard any more; `None` if that is the whole connection's business.
fn ended(channel: &str, Ended { code, reason }: &Ended) -> Option<Failure> {
    let reason = printable(reason);
    match code {
        &Ended::ALREADY_SUBSCRIBED => None,
        100..1000 => Some(Failure::new(exit_of(*code), format!("subscribe to {channel}: {reason} ({code})"))),
        2000..3000 => {
            let trouble = format!("{channel}: the subscription was ended: {reason} ({code})");
            Some(Failure::new(Exit::Denied, trouble))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use spanwire_client::ClientInfo;

    use super::*;

    fn ended(code: u32) -> Ended {
        Ended { code, reason: "x".to_owned() }
    }

    #[test]
    fn people_are_told_what_goes_on() {
        let info =
            |user: &str| ClientInfo { user: user.to_owned(), client: "c".to_owned(), ..Default::default() };
        for (event, expected) in [
            (Event::Join(info("ann")), "chat:lobby: ann came"),
            (Event::Leave(info("")), "chat:lobby: c left"),
        ] {
            let heard = hear("chat:lobby", &event, &mut Tail::new(true, None)).unwrap();
            assert_eq!(heard, Some(Heard::Talk(expected.to_owned())));
        }
    }

    #[test]
    fn what_ends_a_subscription_has_its_exit_code() {
        for (code, expected) in [
            (103, Some(Exit::Denied)),
            (109, Some(Exit::Denied)),
            (102, Some(Exit::Failed)),
            (2000, Some(Exit::Denied)),
            (105, None),
            (1006, None),
        ] {
            let heard = hear("news", &Event::Ended(ended(code)), &mut Tail::new(true, None));
            assert_eq!(heard.err().map(|failure| failure.exit), expected, "{code}");
        }
    }
}
