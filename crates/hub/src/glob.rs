//! Patterns such as `chat:*`, for channels and for whatever else has names.

/// Whether `text` fits `pattern`, in which `*` stands for any characters, also none, and `?` for exactly one byte.
///
/// Takes at most pattern × text steps, whatever a stranger sends: it goes back to the last star only.
pub fn fits(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut at, mut read) = (0, 0);
    let mut star = None;
    while read < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, read));
                at += 1;
            }
            Some(&byte) if byte == b'?' || byte == text[read] => {
                at += 1;
                read += 1;
            }
            _ => match &mut star {
                // Let the last star swallow one byte more, and go on behind it.
                Some((place, swallowed)) => {
                    *swallowed += 1;
                    (at, read) = (*place + 1, *swallowed);
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|&byte| byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn stars_and_question_marks_stand_for_what_they_say() {
        let table = [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("*", "anything", true),
            ("chat:*", "chat:lobby", true),
            ("chat:*", "chat:", true),
            ("chat:*", "news", false),
            ("*:lobby", "chat:lobby", true),
            ("a*b*c", "a--b--b--c", true),
            ("a*b*c", "a--b--b--", false),
            ("a**", "a", true),
            ("?at", "cat", true),
            ("?at", "at", false),
            ("https://*.example.org", "https://app.example.org", true),
            ("https://*.example.org", "https://example.org", false),
        ];
        for (pattern, text, expected) in table {
            assert_eq!(fits(pattern, text), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn many_stars_do_not_take_forever() {
        assert!(!fits(&format!("{}c", "a*".repeat(100)), &"a".repeat(10_000)));
    }
}
