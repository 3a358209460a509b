//! The boundary between the headers of a request, as an HTTP parser tells them, and what the edge decides by them.
//!
//! The bytes themselves are read by hyper, which has fuzzing of its own.

use spanwire::auth::{HostPolicy, OriginPolicy};
use spanwire_ws::handshake::Request;
use spanwire_ws::handshake::server::{OriginVerdict, Policy, accept};

/// The one family of pages that is let in besides those of the own host.
const ALLOWED: &str = "https://*.example.org";

/// Lines: the request line, then a header on each.
///
/// What must hold: a name passes for this machine's only if all of it is one; a page is let in only from the own
/// host or from the family that is allowed; what is repeated of an origin in an error means nothing in a page or a
/// file; and an upgrade is accepted only for a GET with one key.
///
/// # Panics
///
/// When one of these does not hold.
pub fn http_edge(input: &[u8]) {
    let mut lines = input.split(|byte| *byte == b'\n');
    let first = String::from_utf8_lossy(lines.next().unwrap_or_default());
    let method = first.split(' ').next().unwrap_or_default();
    let headers: Vec<_> = lines.filter_map(header).collect();
    let named = |wanted: &str| {
        let mut found = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.next().and_then(|(_, value)| std::str::from_utf8(value).ok())
    };
    check_host(named("host"));
    check_origin(named("origin"), named("host"));
    check_upgrade(method, &headers);
}

/// One line, if it is a header.
fn header(line: &[u8]) -> Option<(&str, &[u8])> {
    let (name, value) = line.split_at(line.iter().position(|byte| *byte == b':')?);
    Some((std::str::from_utf8(name).ok()?, value[1..].trim_ascii()))
}

fn check_host(host: Option<&str>) {
    assert!(HostPolicy::Any.check(host).is_ok());
    if HostPolicy::Loopback.check(host).is_err() {
        return;
    }
    let host = host.expect("who names no host is not answered").to_ascii_lowercase();
    let port = ["localhost", "127.0.0.1", "[::1]"].iter().find_map(|name| host.strip_prefix(name));
    let port = port.expect("a name of this machine");
    let is_port = port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok());
    assert!(port.is_empty() || is_port, "{host} is somebody else's");
}

fn check_origin(origin: Option<&str>, host: Option<&str>) {
    let anyone = OriginPolicy::new(["*".to_owned()]);
    let policy = OriginPolicy::new([ALLOWED.to_owned()]);
    let Some(origin) = origin else {
        assert!(policy.check(None, host).is_ok(), "programs are let through");
        return;
    };
    match policy.check(Some(origin), host) {
        Ok(()) => {
            assert!(anyone.check(Some(origin), host).is_ok(), "a wider policy lets in more");
            let lower = origin.to_ascii_lowercase();
            let (_, authority) = lower.split_once("://").expect("an origin has a scheme");
            let own = host.is_some_and(|host| host.to_ascii_lowercase().starts_with(authority));
            let family = lower.starts_with("https://") && lower.ends_with(".example.org");
            assert!(own || family, "{origin} was let in to {host:?}");
        }
        Err(refusal) => {
            let told = refusal.origin.bytes();
            let mut markup = told.filter(|byte| !byte.is_ascii_graphic() || b"\"\\<>".contains(byte));
            assert_eq!(markup.next(), None, "{:?}", refusal.origin);
        }
    }
}

fn check_upgrade(method: &str, headers: &[(&str, &[u8])]) {
    let anyone = |_: Option<&str>| OriginVerdict::Allow;
    let policy = Policy { subprotocols: &["a", "b"], origin: &anyone, deflate: None };
    let request = Request::new(method, (1, 1), headers.iter().copied());
    if accept(&request, &policy).is_err() {
        return;
    }
    assert_eq!(method, "GET");
    for once in ["host", "sec-websocket-key", "sec-websocket-version"] {
        let count = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(once)).count();
        assert_eq!(count, 1, "{once} was said {count} times");
    }
}
