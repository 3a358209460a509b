//! Header fields: those that may come once, and those that are lists.

/// A field that must not be repeated, as far as the headers have been read.
///
/// Two values for one question are a sign of tampering, and whichever we took, another hop may take the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Field<'h> {
    #[default]
    Absent,
    Once(&'h [u8]),
    Repeated,
}

impl<'h> Field<'h> {
    /// Takes one more line of this field.
    pub(crate) fn add(&mut self, value: &'h [u8]) {
        *self = match self {
            Self::Absent => Self::Once(value.trim_ascii()),
            Self::Once(_) | Self::Repeated => Self::Repeated,
        };
    }
}

/// The elements of a comma-separated list without the empty ones, which RFC 9110 section 5.6.1 has us ignore.
pub(crate) fn elements(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|element| !element.is_empty())
}

/// Whether a list names `token`, in upper or lower case.
pub(crate) fn names(list: &[u8], token: &str) -> bool {
    elements(list).any(|element| element.eq_ignore_ascii_case(token.as_bytes()))
}

/// The text of a token (RFC 9110 section 5.6.2), or `None` if it is not one.
pub(crate) fn token(bytes: &[u8]) -> Option<&str> {
    let legal = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    if bytes.is_empty() || !bytes.iter().all(legal) {
        return None;
    }
    str::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_elements_of_a_list_are_ignored() {
        let listed: Vec<_> = elements(b" a , ,b,,\tc ").collect();
        assert_eq!(listed, [b"a", b"b", b"c"]);
        assert_eq!(elements(b"").count(), 0);
    }

    #[test]
    fn a_list_names_whole_tokens_only() {
        assert!(names(b"keep-alive, UPGRADE", "upgrade"));
        assert!(!names(b"upgrades", "upgrade"));
        assert!(!names(b"h2c upgrade", "upgrade"));
    }

    #[test]
    fn a_token_has_no_separators() {
        assert_eq!(token(b"centrifuge-json"), Some("centrifuge-json"));
        for wrong in [b"".as_slice(), b"a b", b"a/b", b"\"a\"", b"\xc3\xa9", b"a\r\nb"] {
            assert_eq!(token(wrong), None);
        }
    }
}
