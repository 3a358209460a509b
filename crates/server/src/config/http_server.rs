//! Where clients come in: address, proxies, HTTP/2, TLS.

use std::net::IpAddr;

use ipnet::IpNet;

use super::reader::Reader;
use super::{HttpTimeouts, Tls, tls};
use crate::edge::limits::STREAMS_MAX;
use crate::edge::{ForwardedHeader, Proxies};

#[derive(Debug)]
pub(crate) struct HttpServer {
    pub(crate) address: Address,
    pub(crate) port: u16,
    pub(crate) proxies: Proxies,
    pub(crate) timeouts: HttpTimeouts,
    pub(crate) http2: Http2,
    /// Without it, clients speak without TLS.
    pub(crate) tls: Option<Tls>,
}

#[derive(Debug)]
pub(crate) struct Http2 {
    pub(crate) enabled: bool,
    pub(crate) max_concurrent_streams: u32,
}

/// Where to listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    /// On every interface.
    Everywhere,
    /// On 127.0.0.1, and on ::1 where there is IPv6.
    Localhost,
    /// On this address only.
    Only(IpAddr),
}

impl Address {
    /// Whether nobody but this machine can come here.
    pub(crate) fn is_loopback(self) -> bool {
        match self {
            Self::Everywhere => false,
            Self::Localhost => true,
            Self::Only(address) => address.is_loopback(),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        match text {
            "" => Some(Self::Everywhere),
            "localhost" => Some(Self::Localhost),
            _ => text.parse().ok().map(Self::Only),
        }
    }
}

pub(super) fn read(reader: &mut Reader<'_>) -> HttpServer {
    let address = reader.read(
        "http_server.address",
        "where to listen; empty is everywhere",
        "an IP address, \"localhost\" or \"\"",
        |value| Address::parse(value.as_str()?),
    );
    let port = reader.count("http_server.port", "where to listen; 0 takes a free port", 8000, 0..=65_535);
    // The range has just been checked, so that the cast loses nothing.
    HttpServer {
        address: address.unwrap_or(Address::Everywhere),
        port: port as u16,
        proxies: proxies(reader),
        timeouts: HttpTimeouts::read(reader),
        http2: http2(reader),
        tls: tls::read(reader),
    }
}

fn proxies(reader: &mut Reader<'_>) -> Proxies {
    let networks = reader.list(
        "http_server.trusted_proxies",
        "which reverse proxies are believed when they say whose request they bring",
        "a list of IP addresses and networks in quotes, such as \"10.0.0.0/8\"",
        network,
    );
    let words = [
        ("x-forwarded-for", ForwardedHeader::XForwardedFor),
        ("forwarded", ForwardedHeader::Forwarded),
        ("none", ForwardedHeader::None),
    ];
    let header = reader.choice(
        "http_server.forwarded_header",
        "the header in which trusted proxies write the client's address",
        ForwardedHeader::XForwardedFor,
        &words,
    );
    let proxy_protocol = reader.flag(
        "http_server.proxy_protocol",
        "whether trusted proxies begin each connection with a PROXY protocol header",
        false,
    );
    if proxy_protocol && networks.is_empty() {
        reader.conflict("http_server.proxy_protocol", "needs http_server.trusted_proxies, which may send it");
    }
    Proxies { networks, header, proxy_protocol }
}

/// A network, or one address as the network of itself.
fn network(text: &str) -> Option<IpNet> {
    let network: Option<IpNet> = text.parse().ok();
    network.or_else(|| text.parse().ok().map(|address: IpAddr| address.to_canonical().into()))
}

fn http2(reader: &mut Reader<'_>) -> Http2 {
    let enabled = reader.flag("http_server.http2.enabled", "whether HTTP/2 is spoken beside HTTP/1.1", true);
    let streams = reader.count(
        "http_server.http2.max_concurrent_streams",
        "how many requests and WebSockets one connection of HTTP/2 may carry at a time",
        256,
        1..=STREAMS_MAX,
    );
    // The range fits, so that the cast loses nothing.
    Http2 { enabled, max_concurrent_streams: streams as u32 }
}
