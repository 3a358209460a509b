//! The boundary between the bytes of an HTTP connection and the requests in them.

use spanwire::edge::framing::Framing;

/// Any bytes, followed as a connection's.
///
/// What must hold: the same is said however they are cut; and what is found to be sound has, in its first head, no line
/// end that two readers could see at two places, and no length that is said twice.
///
/// # Panics
///
/// When one of these does not hold.
pub fn framing(input: &[u8]) {
    let mut whole = Framing::default();
    let said = whole.follow(input);
    let mut pieces = Framing::default();
    let in_pieces = input
        .iter()
        .enumerate()
        .try_for_each(|(at, byte)| pieces.follow(&[*byte]).map_err(|(_, ambiguity)| (at, ambiguity)));
    assert_eq!(said, in_pieces);
    let Some(end) = input.windows(4).position(|four| four == b"\r\n\r\n").filter(|_| said.is_ok()) else {
        return;
    };
    let head = &input[..end];
    for (at, byte) in head.iter().enumerate() {
        match byte {
            b'\n' => assert_eq!(head[..at].last(), Some(&b'\r')),
            b'\r' => assert_eq!(head.get(at + 1), Some(&b'\n')),
            _ => assert_ne!(*byte, 0),
        }
    }
    let is_length = |line: &&[u8]| {
        let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
        name.eq_ignore_ascii_case(b"content-length") && line.contains(&b':')
    };
    let lines = head.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    // The first line that is not empty is the request's.
    let headers = lines.skip_while(|line| line.is_empty()).skip(1);
    assert!(headers.filter(is_length).count() <= 1, "a length was said twice");
}
