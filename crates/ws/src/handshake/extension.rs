//! The elements of `Sec-WebSocket-Extensions` (RFC 6455 section 9.1).

use super::field::token;

/// The elements of a line, without the empty ones.
pub(crate) fn elements(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    split(line, b',').filter(|element| !element.is_empty())
}

/// The name of an extension, and behind it its parameters.
pub(crate) fn parts(element: &[u8]) -> impl Iterator<Item = &[u8]> {
    split(element, b';')
}

/// The name of a parameter and its value, which may be quoted; `None` if it is malformed.
pub(crate) fn parameter(part: &[u8]) -> Option<(&str, Option<&str>)> {
    let Some(equals) = part.iter().position(|byte| *byte == b'=') else { return Some((token(part)?, None)) };
    let (name, value) = (part[..equals].trim_ascii(), part[equals + 1..].trim_ascii());
    // What is quoted must be a token too, and no token that we know needs the backslash of a quoted string.
    let value = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value);
    Some((token(name)?, Some(token(value)?)))
}

/// Cuts at each separator that is not in quotes.
fn split(list: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let (mut quoted, mut escaped) = (false, false);
    let is_end = move |byte: &u8| {
        let ends = *byte == separator && !quoted;
        quoted ^= *byte == b'"' && !escaped;
        escaped = quoted && *byte == b'\\' && !escaped;
        ends
    };
    list.split(is_end).map(<[u8]>::trim_ascii)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_in_quotes_separate_nothing() {
        let line = br#"a; x="1,2;3", b;y = "q\",;\\" ,, c"#;
        let found: Vec<_> = elements(line).collect();
        assert_eq!(found, [&br#"a; x="1,2;3""#[..], br#"b;y = "q\",;\\""#, b"c"]);
        assert_eq!(parts(found[0]).collect::<Vec<_>>(), [&b"a"[..], br#"x="1,2;3""#]);
    }

    #[test]
    fn a_value_is_a_token_quoted_or_not() {
        assert_eq!(parameter(b"bits"), Some(("bits", None)));
        assert_eq!(parameter(b"bits = 10"), Some(("bits", Some("10"))));
        assert_eq!(parameter(b"bits=\"10\""), Some(("bits", Some("10"))));
        for malformed in
            [&b""[..], b"=10", b"bits=", b"bits=\"\"", b"bits=\"1", b"bits=1=0", b"bi ts", b"b=\"\\1\""]
        {
            assert_eq!(parameter(malformed), None, "{}", malformed.escape_ascii());
        }
    }
}
