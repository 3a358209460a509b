//! What `spanwire sub` makes of what it hears: lines, and exit codes. No sockets, no clock.

use spanwire_client::{Ended, Event, Publication, Raw};
use spanwire_wire::ErrorCode;
use spanwire_wire::code::reconnects;
use spanwire_wire::message;

use super::tail::{Tail, name, printable};
use super::url::Server;
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

/// Why the connection is over.
pub(super) fn over(Ended { code, reason }: &Ended, server: &Server) -> Failure {
    let reason = printable(reason);
    let again = "start again; this command does not reconnect by itself";
    match *code {
        Ended::REFUSED => {
            let code = reason.split(' ').next().and_then(|code| code.parse().ok());
            Failure::new(code.map_or(Exit::Failed, exit_of), format!("connect: {reason}"))
        }
        Ended::UNREACHABLE => {
            let failure = Failure::new(Exit::Unavailable, reason);
            if server.is_local() { failure.fix("start a server with: spanwire") } else { failure }
        }
        Ended::DISTRUSTED => Failure::new(Exit::Denied, reason)
            .fix("if the server is yours, name the authority of its certificate with --ca-file; if it speaks no TLS, write http:// or ws://"),
        401 | 403 => Failure::new(Exit::Denied, reason),
        100..1000 => Failure::new(Exit::Unavailable, reason)
            .fix("check --url; it should be the address of a Spanwire server"),
        Ended::BAD_PROTOCOL => Failure::new(Exit::Failed, reason),
        Ended::LOST | Ended::SILENT => {
            Failure::new(Exit::Unavailable, format!("the connection was lost: {reason}")).fix(again)
        }
        _ => closed(*code, &reason, again),
    }
}

/// What the server said when it closed the connection.
fn closed(code: u32, reason: &str, again: &str) -> Failure {
    let trouble = format!("the server closed the connection: {reason} ({code})");
    match code {
        3500 | 3507 => Failure::new(Exit::Denied, trouble).fix("pass a valid token with --token"),
        3501 => Failure::new(Exit::Denied, trouble)
            .fix("pass --token; only the dev profile lets anybody in without one"),
        code if reconnects(code) => Failure::new(Exit::Unavailable, trouble).fix(again),
        _ => Failure::new(Exit::Failed, trouble),
    }
}

fn exit_of(code: u32) -> Exit {
    let denied = [ErrorCode::Unauthorized, ErrorCode::PermissionDenied, ErrorCode::TokenExpired];
    if denied.iter().any(|denied| denied.code() == code) { Exit::Denied } else { Exit::Failed }
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

    #[test]
    fn what_ends_a_connection_has_its_exit_code() {
        let server = Server::parse("http://localhost:8000").unwrap();
        for (code, expected) in [
            (3001, Exit::Unavailable),
            (3500, Exit::Denied),
            (3501, Exit::Denied),
            (3503, Exit::Failed),
            (403, Exit::Denied),
            (404, Exit::Unavailable),
            (Ended::UNREACHABLE, Exit::Unavailable),
            (Ended::DISTRUSTED, Exit::Denied),
            (Ended::LOST, Exit::Unavailable),
            (Ended::BAD_PROTOCOL, Exit::Failed),
        ] {
            assert_eq!(over(&ended(code), &server).exit, expected, "{code}");
        }
        for (reason, expected) in [("109 token expired", Exit::Denied), ("102 unknown channel", Exit::Failed)]
        {
            let refused = Ended { code: Ended::REFUSED, reason: reason.to_owned() };
            assert_eq!(over(&refused, &server).exit, expected, "{reason}");
        }
    }
}
