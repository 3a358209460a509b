//! The PROXY protocol, versions 1 and 2: how a TCP proxy says for whom it connects, before the first byte of that.
//!
//! The specification is HAProxy's `proxy-protocol.txt`. A header comes once, at the very beginning, and only from
//! trusted peers, who must send one: guessing whether there is one would let a stranger decide.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

/// Longest header of version 1, its line end included (section 2.1).
pub const LINE_BYTES_MAX: usize = 107;

/// Most bytes of a header of version 2 behind its fixed part: the addresses, and what is told besides (TLVs), which
/// is skipped. Proxies that end TLS tell about a kilobyte.
pub const REST_BYTES_MAX: usize = 4096;

/// What version 2 begins with (section 2.2).
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";

/// The fixed part of version 2: signature, command, family, length.
pub const FIXED_BYTES: usize = 16;

/// The shortest header there is, `PROXY UNKNOWN\r\n`.
const BYTES_MIN: usize = 15;

/// How far a header has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// At least so many bytes more belong to it.
    More(usize),
    /// It is complete.
    Done(Origin),
}

/// Where a connection comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// From this client.
    Client(SocketAddr),
    /// From the proxy itself, as for a health check; or from somebody who has no address of the Internet.
    Proxy,
}

/// What is wrong with a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProxyError {
    /// It is none.
    #[error("a trusted proxy must begin with a PROXY protocol header")]
    Missing,
    /// It is of neither version, or not in its form.
    #[error("the PROXY protocol header cannot be read")]
    Malformed,
    /// It is longer than [`REST_BYTES_MAX`].
    #[error("the PROXY protocol header is too long")]
    TooLong,
}

/// Reads a header of either version. `bytes` are all that came so far, and never more than earlier calls asked for;
/// the first call has none.
///
/// # Errors
/// What is wrong with it, as soon as that can be seen.
pub fn parse(bytes: &[u8]) -> Result<Progress, ProxyError> {
    if bytes.starts_with(SIGNATURE) {
        return version_2(bytes);
    }
    if bytes.starts_with(b"PROXY ") {
        return version_1(bytes);
    }
    let begins = |magic: &[u8]| magic.starts_with(bytes);
    match begins(SIGNATURE) || begins(b"PROXY ") {
        true => Ok(Progress::More(BYTES_MIN - bytes.len())),
        false => Err(ProxyError::Missing),
    }
}

/// `PROXY TCP4 192.0.2.1 192.0.2.2 51000 443\r\n` (section 2.1).
fn version_1(bytes: &[u8]) -> Result<Progress, ProxyError> {
    let Some(line) = bytes.strip_suffix(b"\r\n") else {
        return match bytes.len() {
            len if len < BYTES_MIN => Ok(Progress::More(BYTES_MIN - len)),
            // The end of the line may be one byte away, and what is behind it is not ours to read.
            len if len < LINE_BYTES_MAX => Ok(Progress::More(if bytes.ends_with(b"\r") { 1 } else { 2 })),
            _ => Err(ProxyError::TooLong),
        };
    };
    if line.iter().any(|byte| !(b' '..=b'~').contains(byte)) {
        return Err(ProxyError::Malformed);
    }
    let line = std::str::from_utf8(line).map_err(|_| ProxyError::Malformed)?;
    let mut words = line.split(' ').skip(1);
    let (family, rest) = (words.next().unwrap_or_default(), words.collect::<Vec<_>>());
    let found = match (family, rest.as_slice()) {
        // Whatever follows is to be ignored.
        ("UNKNOWN", _) => Some(Origin::Proxy),
        ("TCP4", [from, to, from_port, to_port]) => {
            let (from, _): (Ipv4Addr, Ipv4Addr) = (parsed(from)?, parsed(to)?);
            client(from, from_port, to_port)
        }
        ("TCP6", [from, to, from_port, to_port]) => {
            let (from, _): (Ipv6Addr, Ipv6Addr) = (parsed(from)?, parsed(to)?);
            client(from, from_port, to_port)
        }
        _ => None,
    };
    found.map(Progress::Done).ok_or(ProxyError::Malformed)
}

fn parsed<T: std::str::FromStr>(text: &str) -> Result<T, ProxyError> {
    text.parse().map_err(|_| ProxyError::Malformed)
}

fn client(from: impl Into<std::net::IpAddr>, from_port: &str, to_port: &str) -> Option<Origin> {
    // No sign and no leading zeros, which is how the specification prints them.
    let port = |text: &str| text.parse::<u16>().ok().filter(|port| port.to_string() == text);
    port(to_port)?;
    Some(Origin::Client(SocketAddr::new(from.into().to_canonical(), port(from_port)?)))
}

/// Sixteen fixed bytes, then addresses by family, then TLVs (section 2.2).
fn version_2(bytes: &[u8]) -> Result<Progress, ProxyError> {
    let Some((fixed, rest)) = bytes.split_first_chunk::<FIXED_BYTES>() else {
        return Ok(Progress::More(FIXED_BYTES - bytes.len()));
    };
    let (command, family) = (fixed[12], fixed[13]);
    let announced = usize::from(u16::from_be_bytes([fixed[14], fixed[15]]));
    if !matches!(command, 0x20 | 0x21) {
        return Err(ProxyError::Malformed);
    }
    if announced > REST_BYTES_MAX {
        return Err(ProxyError::TooLong);
    }
    if rest.len() < announced {
        return Ok(Progress::More(announced - rest.len()));
    }
    if command == 0x20 {
        // LOCAL: the addresses, if there are any, are to be ignored.
        return Ok(Progress::Done(Origin::Proxy));
    }
    Ok(Progress::Done(match family {
        0x11 => {
            let [a, b, c, d, _, _, _, _, high, low, ..] = *rest else { return Err(ProxyError::Malformed) };
            origin(rest, 12, Ipv4Addr::new(a, b, c, d).into(), [high, low])?
        }
        0x21 => {
            let address = rest.first_chunk::<16>().ok_or(ProxyError::Malformed)?;
            let port = rest.get(32..34).ok_or(ProxyError::Malformed)?;
            origin(rest, 36, Ipv6Addr::from(*address).to_canonical(), [port[0], port[1]])?
        }
        // Unspecified; UDP, which does not come here; and UNIX sockets, which have names and no addresses.
        0x00 | 0x12 | 0x22 | 0x31 | 0x32 => Origin::Proxy,
        _ => return Err(ProxyError::Malformed),
    }))
}

fn origin(rest: &[u8], least: usize, from: std::net::IpAddr, port: [u8; 2]) -> Result<Origin, ProxyError> {
    if rest.len() < least {
        return Err(ProxyError::Malformed);
    }
    Ok(Origin::Client(SocketAddr::new(from, u16::from_be_bytes(port))))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a header as from a socket: exactly what is asked for, and no byte of what follows.
    fn read(bytes: &[u8]) -> Result<(Origin, usize), ProxyError> {
        let mut len = 0;
        loop {
            match parse(&bytes[..len])? {
                Progress::Done(origin) => return Ok((origin, len)),
                Progress::More(more) => {
                    assert!(more > 0);
                    len += more;
                    assert!(
                        len <= bytes.len(),
                        "asked for more than there is: {:?}",
                        String::from_utf8_lossy(bytes)
                    );
                }
            }
        }
    }

    fn version_2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
        [SIGNATURE.as_slice(), &[command, family], &length, rest].concat()
    }

    fn tcp4(tlvs: &[u8]) -> Vec<u8> {
        version_2(0x21, 0x11, &[&[192, 0, 2, 1, 10, 0, 0, 1, 0xc7, 0x38, 1, 187], tlvs].concat())
    }

    fn tcp6() -> Vec<u8> {
        let addresses = [Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).octets(), [0; 16]].concat();
        version_2(0x21, 0x21, &[&addresses, &[0xc7, 0x38, 1, 187][..]].concat())
    }

    fn from(address: &str) -> Result<Origin, ProxyError> {
        Ok(Origin::Client(address.parse().unwrap()))
    }

    fn headers() -> Vec<(Vec<u8>, Result<Origin, ProxyError>)> {
        let line = |text: &str| format!("{text}\r\n").into_bytes();
        let nobody = Ok(Origin::Proxy);
        let v6 = "2001:db8::1";
        let longest_v6 = "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255";
        vec![
            (line("PROXY TCP4 192.0.2.1 10.0.0.1 51000 443"), from("192.0.2.1:51000")),
            (line(&format!("PROXY TCP6 {v6} ::1 51000 443")), from("[2001:db8::1]:51000")),
            (
                line(&format!("PROXY TCP6 {longest_v6} {v6} 65535 65535")),
                from("[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"),
            ),
            (line("PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2"), from("192.0.2.1:1")),
            (line("PROXY UNKNOWN"), nobody),
            (line("PROXY UNKNOWN ffff::1 ffff::2 65535 65535"), nobody),
            (tcp4(b""), from("192.0.2.1:51000")),
            (tcp4(b"\x04\x00\x03abc\x20\x00\x05\x01\0\0\0\0"), from("192.0.2.1:51000")),
            (tcp6(), from("[2001:db8::1]:51000")),
            (version_2(0x20, 0x00, b""), nobody),
            (version_2(0x20, 0x11, b"anything"), nobody),
            (version_2(0x21, 0x00, b"anything"), nobody),
            (version_2(0x21, 0x31, &[b'/'; 216]), nobody),
        ]
    }

    #[test]
    fn each_version_and_family_says_who_is_there_and_not_a_byte_more_is_read() {
        for (bytes, expected) in headers() {
            let followed = [&bytes, &b"GET / HTTP/1.1\r\n\r\n"[..]].concat();
            assert_eq!(read(&followed), expected.map(|origin| (origin, bytes.len())), "{bytes:?}");
        }
    }

    #[test]
    fn a_header_cut_at_any_byte_is_waited_for() {
        for (bytes, _) in headers() {
            for len in 0..bytes.len() {
                match parse(&bytes[..len]) {
                    Ok(Progress::More(more)) => assert!(len + more <= bytes.len(), "{len} of {bytes:?}"),
                    other => panic!("{other:?} after {len} bytes of {bytes:?}"),
                }
            }
        }
    }

    #[test]
    fn what_is_no_header_is_refused_as_soon_as_that_can_be_seen() {
        let line = |text: &str| format!("{text}\r\n").into_bytes();
        let table: Vec<(Vec<u8>, ProxyError)> = vec![
            (b"GET / HTTP/1.1\r\n".to_vec(), ProxyError::Missing),
            (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03aaaaaaaa".to_vec(), ProxyError::Missing),
            (b"\r\n\r\n\0\r\nQUIX\n\x21\x11\0\0".to_vec(), ProxyError::Missing),
            (line("PROXY TCP4 192.0.2.1 10.0.0.1 51000"), ProxyError::Malformed),
            (line("PROXY TCP4 192.0.2.1 10.0.0.1 51000 443 9"), ProxyError::Malformed),
            (line("PROXY TCP4 192.0.2.1 10.0.0.1 51000 65536"), ProxyError::Malformed),
            (line("PROXY TCP4 192.0.2.1 10.0.0.1 051000 443"), ProxyError::Malformed),
            (line("PROXY TCP4 192.0.2.1 10.0.0.1 +1 443"), ProxyError::Malformed),
            (line("PROXY TCP4 192.0.2.1  10.0.0.1 1 443"), ProxyError::Malformed),
            (line("PROXY TCP4 ::1 ::1 1 443"), ProxyError::Malformed),
            (line("PROXY TCP6 192.0.2.1 10.0.0.1 1 443"), ProxyError::Malformed),
            (line("PROXY UDP4 192.0.2.1 10.0.0.1 1 443"), ProxyError::Malformed),
            (b"PROXY TCP4 192.0.2.1\n10.0.0.1 1 443\r\n".to_vec(), ProxyError::Malformed),
            (line(&format!("PROXY UNKNOWN {}", "x".repeat(LINE_BYTES_MAX))), ProxyError::TooLong),
            (version_2(0x11, 0x11, &[0; 12]), ProxyError::Malformed),
            (version_2(0x22, 0x11, &[0; 12]), ProxyError::Malformed),
            (version_2(0x21, 0x11, &[0; 11]), ProxyError::Malformed),
            (version_2(0x21, 0x21, &[0; 35]), ProxyError::Malformed),
            (version_2(0x21, 0x44, &[0; 12]), ProxyError::Malformed),
            (version_2(0x21, 0x11, &vec![0; REST_BYTES_MAX + 1]), ProxyError::TooLong),
        ];
        for (bytes, expected) in table {
            assert_eq!(read(&bytes).unwrap_err(), expected, "{:?}", String::from_utf8_lossy(&bytes));
        }
    }
}
