//! The boundary between what a proxy, or one who would like to be one, says of a client and what we believe.

use std::net::SocketAddr;

use http::{HeaderMap, HeaderValue};
use spanwire::edge::forwarded::{forwarded, x_forwarded_for};
use spanwire::edge::proxy_protocol::{FIXED_BYTES, Progress, REST_BYTES_MAX, parse};
use spanwire::edge::{ForwardedHeader, Proxies};

/// Any bytes: read as a PROXY protocol header, and as the value of each header.
///
/// What must hold: the header's length is bounded, none of its readers asks for bytes that were not sent with it, and
/// it says the same however it is cut; a list of hops has as many as it has elements at most; and nobody who is not
/// trusted changes who he is.
///
/// # Panics
///
/// When one of these does not hold.
pub fn client_address(input: &[u8]) {
    check_proxy_protocol(input);
    let text = String::from_utf8_lossy(input);
    let elements = 1 + text.matches([',', ';']).count();
    for read in [x_forwarded_for, forwarded] {
        if let Ok(hops) = read(&text) {
            assert!(hops.len() <= elements, "{hops:?}");
        }
    }
    if let Ok(value) = HeaderValue::from_bytes(input) {
        check_trust(&value);
    }
}

/// Reads exactly what is asked for, as the edge does.
fn check_proxy_protocol(input: &[u8]) {
    let mut len = 0;
    let complete = loop {
        match parse(&input[..len]) {
            Ok(Progress::More(more)) => {
                assert!(more > 0);
                for cut in len + 1..(len + more).min(input.len() + 1) {
                    assert!(
                        !matches!(parse(&input[..cut]), Ok(Progress::Done(_))),
                        "done before it was there"
                    );
                }
                len += more;
                assert!(len <= FIXED_BYTES + REST_BYTES_MAX);
                if len > input.len() {
                    return;
                }
            }
            Ok(Progress::Done(origin)) => break origin,
            Err(_) => return,
        }
    };
    assert_eq!(parse(&input[..len]), Ok(Progress::Done(complete)));
}

fn check_trust(value: &HeaderValue) {
    let mut headers = HeaderMap::new();
    headers.insert("x-forwarded-for", value.clone());
    headers.insert("forwarded", value.clone());
    let networks = vec!["10.0.0.0/8".parse().expect("a network")];
    for header in [ForwardedHeader::XForwardedFor, ForwardedHeader::Forwarded] {
        let proxies = Proxies { networks: networks.clone(), header, proxy_protocol: true };
        let stranger = SocketAddr::from(([203, 0, 113, 1], 9));
        assert_eq!(proxies.client(stranger, &headers), Ok(stranger));
        let proxy = SocketAddr::from(([10, 0, 0, 1], 9));
        if let Ok(client) = proxies.client(proxy, &headers) {
            assert_eq!(client.ip(), client.ip().to_canonical(), "one address has one name");
        }
    }
}
