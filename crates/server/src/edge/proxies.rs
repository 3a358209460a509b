//! Reverse proxies that are believed, and what they say of who is behind them.

use std::net::{IpAddr, SocketAddr};

use http::header::{FORWARDED, HeaderMap};
use http::{HeaderName, HeaderValue};
use ipnet::IpNet;

use super::forwarded::{self, Hop, Malformed};

/// Reads the hops out of one line of a header.
type Reader = fn(&str) -> Result<Vec<Hop>, Malformed>;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Which peers are our own proxies, and how they tell where a request came from.
///
/// Anybody can write such a header. It is read only if a trusted peer has sent it; and of the two that there are, only
/// the one that the proxies write, since they hand on the other one as a stranger has written it.
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    /// The networks that our proxies are in (`http_server.trusted_proxies`).
    pub networks: Vec<IpNet>,
    /// The header they write (`http_server.forwarded_header`).
    pub header: ForwardedHeader,
    /// Whether they begin each connection with a PROXY protocol header (`http_server.proxy_protocol`).
    pub proxy_protocol: bool,
}

/// A header in which proxies say for whom they ask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`: what nearly all proxies write.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
    /// Neither.
    None,
}

impl Proxies {
    /// Whether this peer is believed.
    pub fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.iter().any(|network| network.contains(&address))
    }

    /// Whether this peer begins its connections with a PROXY protocol header.
    pub fn introduces(&self, peer: SocketAddr) -> bool {
        self.proxy_protocol && self.trusts(peer.ip())
    }

    /// Who asks: the last hop that is none of our proxies. Further ones to the left are hearsay.
    ///
    /// A port of 0 is one that was not told.
    ///
    /// # Errors
    /// What a trusted proxy has handed on cannot be read. The request then counts as the proxy's own.
    pub fn client(&self, peer: SocketAddr, headers: &HeaderMap) -> Result<SocketAddr, Malformed> {
        if self.networks.is_empty() || !self.trusts(peer.ip()) {
            return Ok(peer);
        }
        let (name, read): (_, Reader) = match self.header {
            ForwardedHeader::XForwardedFor => (X_FORWARDED_FOR, forwarded::x_forwarded_for),
            ForwardedHeader::Forwarded => (FORWARDED, forwarded::forwarded),
            ForwardedHeader::None => return Ok(peer),
        };
        let mut client = peer;
        // A header that comes twice is one list (RFC 9110, section 5.3).
        let values: Vec<_> = headers.get_all(name).iter().collect();
        for value in values.into_iter().rev() {
            for hop in read(text(value)?)?.into_iter().rev() {
                match hop {
                    Hop::Address(address) => client = address,
                    // Whoever is behind this hop does not want to be known.
                    Hop::Hidden => return Ok(client),
                }
                if !self.trusts(client.ip()) {
                    return Ok(client);
                }
            }
        }
        Ok(client)
    }
}

fn text(value: &HeaderValue) -> Result<&str, Malformed> {
    value.to_str().map_err(|_| Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(header: ForwardedHeader) -> Proxies {
        let networks = ["10.0.0.0/8", "2001:db8:1::/48"].map(|network| network.parse().unwrap()).to_vec();
        Proxies { networks, header, proxy_protocol: false }
    }

    fn client(proxies: &Proxies, peer: &str, lines: &[(&'static str, &str)]) -> Result<String, Malformed> {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        proxies.client(peer.parse().unwrap(), &headers).map(|client| client.to_string())
    }

    #[test]
    fn the_client_is_the_last_hop_that_is_not_ours() {
        let table: &[(&str, &[&str], Result<&str, Malformed>)] = &[
            ("10.0.0.1:5", &[], Ok("10.0.0.1:5")),
            ("10.0.0.1:5", &["203.0.113.7"], Ok("203.0.113.7:0")),
            ("10.0.0.1:5", &["203.0.113.7:99"], Ok("203.0.113.7:99")),
            ("[::ffff:10.0.0.1]:5", &["203.0.113.7"], Ok("203.0.113.7:0")),
            ("[2001:db8:1::9]:5", &["2001:db8:2::1"], Ok("[2001:db8:2::1]:0")),
            // What stands to the left of it, the client has written itself.
            ("10.0.0.1:5", &["1.1.1.1, 203.0.113.7"], Ok("203.0.113.7:0")),
            ("10.0.0.1:5", &["rubbish, 203.0.113.7, 10.2.2.2"], Err(Malformed)),
            ("10.0.0.1:5", &["1.1.1.1, 203.0.113.7, 10.2.2.2"], Ok("203.0.113.7:0")),
            ("10.0.0.1:5", &["1.1.1.1", "203.0.113.7", "10.2.2.2"], Ok("203.0.113.7:0")),
            ("10.0.0.1:5", &["rubbish", "203.0.113.7"], Ok("203.0.113.7:0")),
            // Nobody but our own: the one who began.
            ("10.0.0.1:5", &["10.3.3.3, 10.2.2.2"], Ok("10.3.3.3:0")),
            ("10.0.0.1:5", &["rubbish"], Err(Malformed)),
            ("10.0.0.1:5", &[""], Err(Malformed)),
            // A stranger says what a proxy might say.
            ("203.0.113.9:5", &["10.0.0.1"], Ok("203.0.113.9:5")),
            ("203.0.113.9:5", &["rubbish"], Ok("203.0.113.9:5")),
        ];
        for (peer, values, expected) in table {
            let lines: Vec<_> = values.iter().map(|value| ("x-forwarded-for", *value)).collect();
            let found = client(&proxies(ForwardedHeader::XForwardedFor), peer, &lines);
            assert_eq!(found.as_deref().map_err(|error| *error), *expected, "{peer} {values:?}");
        }
    }

    #[test]
    fn only_the_header_that_the_proxies_write_is_read() {
        let lines = [("x-forwarded-for", "203.0.113.1"), ("forwarded", "for=203.0.113.2")];
        let table = [
            (ForwardedHeader::XForwardedFor, "203.0.113.1:0"),
            (ForwardedHeader::Forwarded, "203.0.113.2:0"),
            (ForwardedHeader::None, "10.0.0.1:5"),
        ];
        for (header, expected) in table {
            assert_eq!(client(&proxies(header), "10.0.0.1:5", &lines).unwrap(), expected, "{header:?}");
        }
    }

    #[test]
    fn who_hides_is_known_by_the_proxy_that_hides_him() {
        let lines = [("forwarded", "for=203.0.113.2, for=unknown, for=10.9.9.9")];
        let found = client(&proxies(ForwardedHeader::Forwarded), "10.0.0.1:5", &lines);
        assert_eq!(found.as_deref(), Ok("10.9.9.9:0"));
    }
}
