//! What one session is told, found in its bytes.

use memchr::memmem;

use super::Errand;
use crate::script::{self, NumberFinder};

/// Longest thing that is looked for, in bytes: this much of what was searched in vain may be the beginning of one.
const NEEDLE_MAX: usize = 32;

/// Listens for the answer that a session waits for, and then for publications. Frames, chunks and events around them are
/// passed over, for none of them ever stands within a number.
pub(super) struct Ear {
    session: usize,
    /// What the answer contains; none when it has come.
    awaited: Option<&'static [u8]>,
    /// What may be the beginning of something.
    rest: Vec<u8>,
}

impl Ear {
    /// The ear of the session with this number.
    pub(super) fn new(session: usize, errand: Errand) -> Ear {
        let awaited: &[u8] = match errand {
            Errand::Connect => br#""id":1,"connect":"#,
            Errand::Subscribe => br#""id":2,"subscribe":"#,
        };
        Ear { session, awaited: Some(awaited), rest: Vec::new() }
    }

    /// Takes the next bytes, and tells each publication in them. Returns whether the awaited answer was there.
    pub(super) fn hear(&mut self, bytes: &[u8], told: &mut impl FnMut(usize, u32)) -> bool {
        self.rest.extend_from_slice(bytes);
        let (mut at, mut seated) = (0, false);
        if let Some(awaited) = self.awaited
            && let Some(found) = memmem::find(&self.rest, awaited)
        {
            at = found + awaited.len();
            self.awaited = None;
            seated = true;
        }
        while self.awaited.is_none()
            && let Some(found) = memmem::find(&self.rest[at..], script::DATA_HEAD.as_bytes())
            && let Some(number) = NumberFinder::new().find(&self.rest[at + found..])
        {
            told(self.session, number);
            at += found + script::DATA_HEAD.len();
        }
        let searched = at.max(self.rest.len().saturating_sub(NEEDLE_MAX));
        self.rest.drain(..searched);
        seated
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An answer and two publications, as an event stream has them.
    fn stream() -> Vec<u8> {
        let (one, other) = (script::data(7, 128), script::data(8, 128));
        let answer = r#"data: {"id":2,"subscribe":{}}"#;
        format!("HTTP/1.1 200 OK\r\n\r\n1f\r\n{answer}\n\n\r\ndata: {one}\n\ndata: {other}\n\n").into_bytes()
    }

    #[test]
    fn what_is_told_is_heard_once_wherever_the_bytes_are_cut() {
        let stream = stream();
        for cut in 0..stream.len() {
            let (mut ear, mut told, mut seated) = (Ear::new(3, Errand::Subscribe), Vec::new(), 0);
            for part in [&stream[..cut], &stream[cut..]] {
                seated += u32::from(ear.hear(part, &mut |session, number| told.push((session, number))));
            }
            assert_eq!((seated, told), (1, vec![(3, 7), (3, 8)]), "cut at {cut}");
        }
    }

    #[test]
    fn nothing_is_told_before_the_answer() {
        let (mut ear, mut told) = (Ear::new(0, Errand::Connect), 0);
        assert!(!ear.hear(&stream(), &mut |_, _| told += 1));
        assert_eq!(told, 0);
    }
}
