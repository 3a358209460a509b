//! The two headers in which proxies say for whom they ask: `X-Forwarded-For`, and `Forwarded` (RFC 7239).

use std::net::{IpAddr, SocketAddr};

/// One step on a request's way to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hop {
    /// It came from here; port 0 if that was not told.
    Address(SocketAddr),
    /// It came from somebody who is not to be known: `unknown`, or a name that means something to the proxy only
    /// (RFC 7239, sections 6.2 and 6.3).
    Hidden,
}

/// A header that does not say what it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// The hops of one `X-Forwarded-For` line, the first one first.
///
/// # Errors
/// An element is no address, with or without a port.
pub fn x_forwarded_for(value: &str) -> Result<Vec<Hop>, Malformed> {
    value.split(',').map(|element| node(element.trim_ascii()).ok_or(Malformed)).collect()
}

/// The hops of one `Forwarded` line, the first one first. Elements that do not say `for` are no hops to us.
///
/// # Errors
/// The line is not of the form of RFC 7239, section 4, or a node is not of the form of section 6.
pub fn forwarded(value: &str) -> Result<Vec<Hop>, Malformed> {
    let mut hops = Vec::new();
    for element in unquoted_parts(value, b',')? {
        for pair in unquoted_parts(element, b';')? {
            let pair = pair.trim_ascii();
            if pair.is_empty() {
                continue;
            }
            let (name, value) = pair.split_once('=').ok_or(Malformed)?;
            let value = unquote(value)?;
            if name.eq_ignore_ascii_case("for") {
                hops.push(hop(&value)?);
            }
        }
    }
    Ok(hops)
}

fn hop(text: &str) -> Result<Hop, Malformed> {
    // A name may have a port of its own, also one that is hidden.
    let name = text.split(':').next().unwrap_or_default();
    if name.eq_ignore_ascii_case("unknown") || name.starts_with('_') {
        return Ok(Hop::Hidden);
    }
    node(text).ok_or(Malformed)
}

/// An address with or without a port; one of IPv6 with a port stands in brackets.
fn node(text: &str) -> Option<Hop> {
    let without_port = |text: &str| text.parse().ok().map(|address: IpAddr| SocketAddr::new(address, 0));
    let in_brackets = || without_port(text.strip_prefix('[')?.strip_suffix(']')?).filter(SocketAddr::is_ipv6);
    let address = text.parse().ok().or_else(|| without_port(text)).or_else(in_brackets)?;
    Some(Hop::Address(SocketAddr::new(address.ip().to_canonical(), address.port())))
}

/// What stands between separators that are in no quotes.
fn unquoted_parts(text: &str, separator: u8) -> Result<Vec<&str>, Malformed> {
    let (mut parts, mut start) = (Vec::new(), 0);
    let (mut quoted, mut escaped) = (false, false);
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if byte == separator && !quoted => {
                // A separator is ASCII, so that it never is a part of another character.
                parts.push(&text[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    if quoted { Err(Malformed) } else { Ok(parts) }
}

/// A token as it is, a quoted string without quotes and escapes (RFC 9110, section 5.6.4).
fn unquote(value: &str) -> Result<String, Malformed> {
    let Some(inner) = value.strip_prefix('"') else {
        let is_token = |byte: u8| byte.is_ascii_graphic() && !b"\"(),/:;<=>?@[\\]{}".contains(&byte);
        let is_one = !value.is_empty() && value.bytes().all(is_token);
        return if is_one { Ok(value.to_owned()) } else { Err(Malformed) };
    };
    let inner = inner.strip_suffix('"').ok_or(Malformed)?;
    let mut text = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => text.push(characters.next().ok_or(Malformed)?),
            '"' => return Err(Malformed),
            other => text.push(other),
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(hops: Result<Vec<Hop>, Malformed>) -> Option<Vec<String>> {
        let tell = |hop: &Hop| match hop {
            Hop::Address(address) => address.to_string(),
            Hop::Hidden => "hidden".to_owned(),
        };
        hops.ok().map(|hops| hops.iter().map(tell).collect())
    }

    #[test]
    fn addresses_are_read_with_and_without_ports() {
        let table: &[(&str, Option<&[&str]>)] = &[
            ("192.0.2.1", Some(&["192.0.2.1:0"])),
            ("192.0.2.1:80", Some(&["192.0.2.1:80"])),
            ("2001:db8::1", Some(&["[2001:db8::1]:0"])),
            ("[2001:db8::1]", Some(&["[2001:db8::1]:0"])),
            ("[2001:db8::1]:80", Some(&["[2001:db8::1]:80"])),
            ("::ffff:192.0.2.1", Some(&["192.0.2.1:0"])),
            (" 192.0.2.1 ,\t192.0.2.2", Some(&["192.0.2.1:0", "192.0.2.2:0"])),
            ("", None),
            ("192.0.2.1,", None),
            ("[192.0.2.1]", None),
            ("192.0.2.1:", None),
            ("192.0.2.1:65536", None),
            ("192.0.2.256", None),
            ("example.org", None),
            ("unknown", None),
            ("\"192.0.2.1\"", None),
        ];
        for (value, expected) in table {
            let expected = expected.map(|hops| hops.iter().map(|hop| (*hop).to_owned()).collect::<Vec<_>>());
            assert_eq!(told(x_forwarded_for(value)), expected, "{value:?}");
        }
    }

    #[test]
    fn forwarded_is_read_as_the_rfc_writes_it() {
        let table: &[(&str, Option<&[&str]>)] = &[
            ("for=192.0.2.60;proto=http;by=203.0.113.43", Some(&["192.0.2.60:0"])),
            ("For=\"[2001:db8:cafe::17]:4711\"", Some(&["[2001:db8:cafe::17]:4711"])),
            ("for=192.0.2.43, for=198.51.100.17", Some(&["192.0.2.43:0", "198.51.100.17:0"])),
            ("for=192.0.2.43,for=\"192.0.2.44:99\"", Some(&["192.0.2.43:0", "192.0.2.44:99"])),
            ("for=\"_gazonk\"", Some(&["hidden"])),
            ("for=unknown, for=\"unknown:_port\"", Some(&["hidden", "hidden"])),
            ("host=\"a,b;c=\\\"d\";for=192.0.2.1", Some(&["192.0.2.1:0"])),
            ("proto=https", Some(&[])),
            ("for=192.0.2.1;", Some(&["192.0.2.1:0"])),
            ("for=\"\\1\\9\\2.0.2.1\"", Some(&["192.0.2.1:0"])),
            ("for=[2001:db8::1]", None),
            ("for=192.0.2.1:80", None),
            ("for=", None),
            ("for", None),
            ("for=\"192.0.2.1", None),
            ("for=\"192.0.2.1\"x", None),
            ("for=example", None),
        ];
        for (value, expected) in table {
            let expected = expected.map(|hops| hops.iter().map(|hop| (*hop).to_owned()).collect::<Vec<_>>());
            assert_eq!(told(forwarded(value)), expected, "{value:?}");
        }
    }
}
