//! Did you mean?

/// The known word that is nearest to a mistyped one, if any is near enough to be meant.
pub(super) fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A third of the letters may be wrong; beyond that a suggestion confuses more than it helps.
    let tolerated = 1 + typed.chars().count() / 3;
    let scored = known.into_iter().map(|word| (strsim::damerau_levenshtein(typed, word), word));
    scored
        .filter(|(distance, _)| *distance <= tolerated)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_is_understood_and_another_word_is_not() {
        let known = ["client.ping_interval", "client.pong_timeout", "http_api.key"];
        let table = [
            ("client.ping_intervall", Some("client.ping_interval")),
            ("client.pingInterval", Some("client.ping_interval")),
            ("clients.pong_timeout", Some("client.pong_timeout")),
            ("http_api.keys", Some("http_api.key")),
            ("key", None),
            ("redis.address", None),
        ];
        for (typed, expected) in table {
            assert_eq!(nearest(typed, known), expected, "{typed}");
        }
    }
}
