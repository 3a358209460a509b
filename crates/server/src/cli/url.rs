//! The address of a server, as people type it.

use super::{Exit, Failure};
use crate::config::{Address, HttpServer};

/// A server, and how it is spoken to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Server {
    /// A name or address, without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// Whether TLS is spoken.
    pub(super) secure: bool,
    /// What stands before every path; empty, or begins with a slash and does not end with one.
    pub(super) prefix: String,
}

impl Server {
    /// Reads `http://host:port/prefix` or the same with `https`, `ws` or `wss`.
    pub(super) fn parse(url: &str) -> Result<Self, Failure> {
        let wrong = |trouble: &str| {
            Failure::new(Exit::Usage, format!("{url}: {trouble}")).fix("write it as http://localhost:8000")
        };
        let (scheme, rest) = url.split_once("://").ok_or_else(|| wrong("the scheme is missing"))?;
        let secure = match scheme {
            "http" | "ws" => false,
            "https" | "wss" => true,
            _ => return Err(wrong("the scheme is none of http, https, ws and wss")),
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_plain(rest) || path.contains(['?', '#']) || authority.contains('@') {
            return Err(wrong("only a host, a port and a path are understood"));
        }
        let usual = if secure { 443 } else { 80 };
        let (host, port) =
            split(authority, usual).ok_or_else(|| wrong("the host or the port is not understood"))?;
        let path = path.trim_end_matches('/');
        let prefix = if path.is_empty() { String::new() } else { format!("/{path}") };
        Ok(Self { host: host.to_owned(), port, secure, prefix })
    }

    /// A server on this machine that is set to this.
    pub(super) fn of(http: &HttpServer) -> Self {
        let host = match http.address {
            Address::Only(address) if !address.is_unspecified() => address.to_string(),
            Address::Only(_) | Address::Everywhere | Address::Localhost => "localhost".to_owned(),
        };
        Self { host, port: http.port, secure: http.tls.is_some(), prefix: String::new() }
    }

    /// What goes into a `Host` header.
    pub(super) fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let usual = if self.secure { 443 } else { 80 };
        if self.port == usual { host } else { format!("{host}:{}", self.port) }
    }

    /// Whether it is this machine.
    pub(super) fn is_local(&self) -> bool {
        ["localhost", "127.0.0.1", "::1"].contains(&self.host.as_str())
    }
}

/// The host and the port of an authority; `usual` is the port where none is named.
fn split(authority: &str, usual: u16) -> Option<(&str, u16)> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => authority.find(':').map_or((authority, ""), |colon| authority.split_at(colon)),
    };
    let port = match port.strip_prefix(':') {
        Some(port) => port.parse().ok()?,
        None if port.is_empty() => usual,
        None => return None,
    };
    (!host.is_empty() && port != 0).then_some((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Profile;
    use crate::config::{Layer, Settings};

    #[test]
    fn an_address_is_read_as_it_is_typed() {
        let server = |host: &str, port, prefix: &str| {
            Some(Server { host: host.to_owned(), port, secure: false, prefix: prefix.to_owned() })
        };
        let table = [
            ("http://localhost:8000", server("localhost", 8000, "")),
            ("http://localhost:8000/", server("localhost", 8000, "")),
            ("ws://example.org", server("example.org", 80, "")),
            ("http://[::1]:9", server("::1", 9, "")),
            ("http://10.0.0.1:9/rt/", server("10.0.0.1", 9, "/rt")),
            ("localhost:8000", None),
            ("https://example.org", server("example.org", 443, "").map(|it| Server { secure: true, ..it })),
            ("wss://example.org:9/a", server("example.org", 9, "/a").map(|it| Server { secure: true, ..it })),
            ("ftp://example.org", None),
            ("http://", None),
            ("http://:80", None),
            ("http://a:b", None),
            ("http://a:70000", None),
            ("http://a:0", None),
            ("http://[::1", None),
            ("http://[::1]9", None),
            ("http://user@a", None),
            ("http://a/?b", None),
            ("http://a b", None),
            ("http://a\r\nX: y", None),
        ];
        for (url, expected) in table {
            assert_eq!(Server::parse(url).ok(), expected, "{url:?}");
        }
    }

    #[test]
    fn the_host_header_has_brackets_and_a_port_where_they_are_needed() {
        for (url, expected) in [
            ("http://a", "a"),
            ("http://a:81", "a:81"),
            ("http://[::1]", "[::1]"),
            ("ws://[::1]:9", "[::1]:9"),
            ("https://a", "a"),
            ("https://a:80", "a:80"),
        ] {
            assert_eq!(Server::parse(url).unwrap().authority(), expected);
        }
    }
    #[test]
    fn a_server_that_listens_everywhere_is_on_this_machine_too() {
        let http = |options: &str| {
            let layer = Layer::from_toml("t", options).unwrap();
            Settings::read(Profile::Secure, &[layer]).unwrap().http_server
        };
        for (address, host) in [
            ("localhost", "localhost"),
            ("", "localhost"),
            ("0.0.0.0", "localhost"),
            ("::", "localhost"),
            ("192.0.2.1", "192.0.2.1"),
            ("2001:db8::1", "2001:db8::1"),
        ] {
            let options = format!("http_server = {{ address = \"{address}\", port = 9 }}");
            let expected = Server { host: host.to_owned(), port: 9, secure: false, prefix: String::new() };
            assert_eq!(Server::of(&http(&options)), expected, "{address}");
        }
    }
}
