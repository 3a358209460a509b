//! Headers of a client's request that a backend wants to see.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue};

/// Most bytes of one header that a client only claims to have sent; longer ones are not forwarded.
const EMULATED_BYTES_MAX: usize = 8 << 10;

/// What is kept of a client's headers, for as long as it is connected: those that a proxy names, and no others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forwarded {
    /// From its HTTP request.
    real: Vec<(HeaderName, HeaderValue)>,
    /// From its connect command, where it may claim anything.
    emulated: Vec<(HeaderName, HeaderValue)>,
}

/// The headers that any proxy wants to see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Names in `http_headers`.
    pub real: Vec<HeaderName>,
    /// Names in `emulated_headers`.
    pub emulated: Vec<HeaderName>,
}

impl Wanted {
    /// What is wanted of a request; `None`, which costs nothing, if that is nothing.
    pub fn of_request(&self, headers: &HeaderMap) -> Option<Box<Forwarded>> {
        let mut real = Vec::new();
        for name in &self.real {
            // A copy: the value itself would keep the whole request in memory.
            let values = headers.get_all(name).iter().filter_map(|value| copied(value.as_bytes()));
            real.extend(values.map(|value| (name.clone(), value)));
        }
        (!real.is_empty()).then(|| Box::new(Forwarded { real, emulated: Vec::new() }))
    }

    /// Adds what is wanted of a connect command's `headers`.
    pub(crate) fn add_emulated(&self, kept: &mut Option<Box<Forwarded>>, said: &BTreeMap<String, String>) {
        let wanted = |(name, value): (&String, &String)| {
            let name = HeaderName::try_from(name.as_str()).ok()?;
            let short = value.len() <= EMULATED_BYTES_MAX && self.emulated.contains(&name);
            Some((name, copied(value.as_bytes()).filter(|_| short)?))
        };
        let emulated: Vec<_> = said.iter().filter_map(wanted).collect();
        if !emulated.is_empty() {
            kept.get_or_insert_default().emulated = emulated;
        }
    }
}

impl Forwarded {
    /// The first value of a header that the client really sent.
    pub fn get(&self, name: &str) -> Option<&HeaderValue> {
        self.real.iter().find(|(real, _)| real.as_str().eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Adds to a request what its proxy wants. What the client really sent wins over what it claims.
    pub(super) fn add_to(&self, request: &mut HeaderMap, wanted: &Wanted) {
        for (name, value) in self.emulated.iter().filter(|(name, _)| wanted.emulated.contains(name)) {
            request.insert(name.clone(), value.clone());
        }
        let real = || self.real.iter().filter(|(name, _)| wanted.real.contains(name));
        for (name, _) in real() {
            request.remove(name);
        }
        for (name, value) in real() {
            request.append(name.clone(), value.clone());
        }
    }
}

fn copied(value: &[u8]) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_bytes(value).ok()?;
    // Cookies and tokens are among them.
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted() -> Wanted {
        Wanted {
            real: vec![HeaderName::from_static("cookie")],
            emulated: vec![HeaderName::from_static("cookie"), HeaderName::from_static("authorization")],
        }
    }

    fn request(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        pairs.collect()
    }

    #[test]
    fn only_what_a_proxy_names_is_kept_and_nothing_costs_nothing() {
        let wanted = wanted();
        assert_eq!(wanted.of_request(&request(&[("user-agent", "x"), ("accept", "y")])), None);
        let kept = wanted.of_request(&request(&[("user-agent", "x"), ("cookie", "a=1")])).unwrap();
        assert_eq!(kept.real, [(HeaderName::from_static("cookie"), HeaderValue::from_static("a=1"))]);
        assert!(!format!("{kept:?}").contains("a=1"), "nor is it ever printed");
        let mut none = None;
        wanted.add_emulated(&mut none, &BTreeMap::from([("X-Other".to_owned(), "1".to_owned())]));
        assert_eq!(none, None);
    }

    #[test]
    fn what_was_really_sent_wins_over_claims_and_claims_over_what_is_fixed() {
        let wanted = wanted();
        let said = [("Authorization", "claimed"), ("Cookie", "forged"), ("bad name", "x"), ("x-y", "z")];
        let said = said.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let mut kept = wanted.of_request(&request(&[("cookie", "a=1"), ("authorization", "unwanted")]));
        wanted.add_emulated(&mut kept, &said);
        let mut headers = request(&[("authorization", "fixed"), ("x-api", "key")]);
        kept.unwrap().add_to(&mut headers, &wanted);
        let expected = request(&[("authorization", "claimed"), ("cookie", "a=1"), ("x-api", "key")]);
        assert_eq!(headers, expected);
    }

    #[test]
    fn a_claim_that_is_too_long_or_no_header_is_not_kept() {
        for value in ["x".repeat(EMULATED_BYTES_MAX + 1), "a\r\nb: c".to_owned()] {
            let mut kept = None;
            wanted().add_emulated(&mut kept, &BTreeMap::from([("cookie".to_owned(), value)]));
            assert_eq!(kept, None);
        }
    }
}
