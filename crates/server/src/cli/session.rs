//! A command that is a client of a server: how its session begins, and why it is over.

use std::path::Path;

use spanwire_client::{Builder, Client, ClientEvent, ConfigError, Ended, Events};
use spanwire_wire::ErrorCode;
use spanwire_wire::code::reconnects;
use tokio::runtime::Runtime;

use super::tail::printable;
use super::url::Server;
use super::{Exit, Failure};

/// Where sessions are opened.
const PATH: &str = "/connection/websocket";

/// What the client runs on.
pub(super) fn runtime() -> Result<Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Failure::new(Exit::Failed, error))
}

/// Begins to connect, as the client of this token or as an anonymous one.
pub(super) fn open(server: &Server, token: Option<&str>, ca_file: Option<&Path>) -> Result<Client, Failure> {
    begin(builder(server, token, ca_file))
}

/// What a client of this server is told, by the client of this token or by an anonymous one.
pub(super) fn builder(server: &Server, token: Option<&str>, ca_file: Option<&Path>) -> Builder {
    let scheme = if server.secure { "wss" } else { "ws" };
    let url = format!("{scheme}://{}{}{PATH}", server.authority(), server.prefix);
    let mut builder = Client::builder(url).name("spanwire", env!("CARGO_PKG_VERSION"));
    if let Some(token) = token {
        builder = builder.token(token);
    }
    if let Some(path) = ca_file {
        builder = builder.ca_file(path);
    }
    builder
}

/// Begins to connect.
pub(super) fn begin(builder: Builder) -> Result<Client, Failure> {
    builder.connect().map_err(|error| impossible(&error))
}

/// Waits until the server has let the client in.
///
/// # Errors
/// It has not: at the first try, for a command does not wait for better times.
pub(super) async fn arrive(client: &Client, server: &Server) -> Result<(), Failure> {
    let mut life = client.events();
    tokio::select! {
        over = over(client, &mut life) => Err(failure(&over, server)),
        ready = client.ready() => ready.map_err(|over| failure(&over, server)),
    }
}

fn impossible(error: &ConfigError) -> Failure {
    match error {
        ConfigError::CaFile(path, why) => {
            Failure::new(Exit::NoInput, format!("--ca-file {}: {why}", path.display()))
        }
        ConfigError::NoAuthorities => Failure::new(Exit::Failed, error)
            .fix("install ca-certificates, or name the authority of your server with --ca-file"),
        _ => Failure::new(Exit::Usage, error),
    }
}

/// Waits until the connection is over or could not be made, whether it would be tried again or not.
pub(super) async fn over(client: &Client, life: &mut Events) -> Ended {
    loop {
        match life.next().await {
            Some(ClientEvent::Disconnected(why)) => return why,
            Some(_) => {}
            None => return client.closed().await,
        }
    }
}

/// Why the connection is over, as a command says it.
pub(super) fn failure(Ended { code, reason }: &Ended, server: &Server) -> Failure {
    let reason = printable(reason);
    let again = "start again; this command does not connect anew by itself";
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

/// The exit code for an error of the protocol.
pub(super) fn exit_of(code: u32) -> Exit {
    let denied = [ErrorCode::Unauthorized, ErrorCode::PermissionDenied, ErrorCode::TokenExpired];
    if denied.iter().any(|denied| denied.code() == code) { Exit::Denied } else { Exit::Failed }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(code: u32) -> Ended {
        Ended { code, reason: "x".to_owned() }
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
            assert_eq!(failure(&ended(code), &server).exit, expected, "{code}");
        }
        for (reason, expected) in [("109 token expired", Exit::Denied), ("102 unknown channel", Exit::Failed)]
        {
            let refused = Ended { code: Ended::REFUSED, reason: reason.to_owned() };
            assert_eq!(failure(&refused, &server).exit, expected, "{reason}");
        }
    }
}
