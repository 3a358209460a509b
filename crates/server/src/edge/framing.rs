//! Where one request ends and the next begins, by the strict reading.
//!
//! Servers and proxies that read a request's end differently let a stranger hide a second request in the first one's
//! body: request smuggling (RFC 9112, section 11.2). The parser behind this one is correct by the RFC, but forgives
//! much on the way: a bare LF, a length that is said twice, a length beside a transfer coding. A proxy before us may
//! forgive otherwise. So what two readers could read in two ways is not read at all.

/// The longest part of a line that is looked at; names and values that matter here are shorter.
const KEPT_BYTES: usize = 64;

/// Most digits of a length that always fit.
const DIGITS_MAX: usize = 19;

/// Follows the bytes of a connection from head to head.
#[derive(Debug, Default)]
pub struct Framing {
    place: Place,
    head: Head,
}

/// What the next byte belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// To a head.
    #[default]
    Head,
    /// To a body with so many bytes left.
    Body(u64),
    /// To what is not followed: a body in chunks, or another protocol. There must be no request behind it.
    Beyond,
}

/// What is known of the head that is being read.
#[derive(Debug, Default)]
struct Head {
    /// The request line is complete.
    is_begun: bool,
    line: Line,
    length: Option<u64>,
    has_coding: bool,
    has_host: bool,
    asks_for_upgrade: bool,
}

/// The beginning of the line that is being read.
#[derive(Debug)]
struct Line {
    kept: [u8; KEPT_BYTES],
    len: usize,
    /// A carriage return has come, so that a line feed must.
    has_returned: bool,
}

/// A request that could be read in two ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ambiguity {
    /// A carriage return or a line feed without the other one, or a zero byte (RFC 9112, section 2.2).
    LineEnd,
    /// A header line that goes on in the next one (section 5.2).
    Folded,
    /// White space before a header's colon (section 5.1).
    Space,
    /// A length that is said twice, or is no number (section 6.3).
    Length,
    /// A transfer coding that is said twice, or is not just `chunked` (section 6.1).
    Coding,
    /// A length and a transfer coding (section 6.3).
    LengthAndCoding,
    /// Two hosts (section 3.2).
    Host,
}

impl Framing {
    /// Follows these bytes.
    ///
    /// # Errors
    /// What could be read in two ways, and how many of the bytes came before that could be seen.
    pub fn follow(&mut self, bytes: &[u8]) -> Result<(), (usize, Ambiguity)> {
        let mut at = 0;
        while at < bytes.len() {
            match self.place {
                Place::Head => {
                    self.read(bytes[at]).map_err(|ambiguity| (at, ambiguity))?;
                    at += 1;
                }
                Place::Body(left) => {
                    let here = left.min((bytes.len() - at) as u64);
                    at += here as usize;
                    self.place = if left == here { Place::Head } else { Place::Body(left - here) };
                }
                Place::Beyond => return Ok(()),
            }
        }
        Ok(())
    }

    /// Whether nothing is followed any more.
    pub fn is_beyond(&self) -> bool {
        self.place == Place::Beyond
    }

    fn read(&mut self, byte: u8) -> Result<(), Ambiguity> {
        let line = &mut self.head.line;
        match (line.has_returned, byte) {
            (true, b'\n') => {
                let line = std::mem::take(line);
                self.end_line(&line)
            }
            (true, _) | (false, b'\n' | 0) => Err(Ambiguity::LineEnd),
            (false, b'\r') => {
                line.has_returned = true;
                Ok(())
            }
            (false, byte) => {
                line.push(byte);
                Ok(())
            }
        }
    }

    fn end_line(&mut self, line: &Line) -> Result<(), Ambiguity> {
        if self.head.is_begun && line.len == 0 {
            return self.end_head();
        }
        if self.head.is_begun {
            return self.head.header(line);
        }
        // An empty line before a request is forgiven (RFC 9112, section 2.2).
        self.head.is_begun = line.len > 0;
        Ok(())
    }

    fn end_head(&mut self) -> Result<(), Ambiguity> {
        let head = std::mem::take(&mut self.head);
        self.place = match head.length {
            Some(_) if head.has_coding => return Err(Ambiguity::LengthAndCoding),
            _ if head.has_coding || head.asks_for_upgrade => Place::Beyond,
            None | Some(0) => Place::Head,
            Some(length) => Place::Body(length),
        };
        Ok(())
    }
}

impl Head {
    fn header(&mut self, line: &Line) -> Result<(), Ambiguity> {
        let kept = &line.kept[..line.len.min(KEPT_BYTES)];
        if matches!(kept.first(), Some(b' ' | b'\t')) {
            return Err(Ambiguity::Folded);
        }
        // A name that is longer than what is kept is none of those below; one without a colon is refused later.
        let Some(colon) = kept.iter().position(|byte| *byte == b':') else { return Ok(()) };
        let (name, value) = (&kept[..colon], kept[colon + 1..].trim_ascii());
        if name.iter().any(|byte| matches!(byte, b' ' | b'\t')) {
            return Err(Ambiguity::Space);
        }
        let is_whole = line.len <= KEPT_BYTES;
        if name.eq_ignore_ascii_case(b"content-length") {
            let length = digits(value).filter(|_| is_whole && self.length.is_none());
            self.length = Some(length.ok_or(Ambiguity::Length)?);
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            if self.has_coding || !is_whole || !value.eq_ignore_ascii_case(b"chunked") {
                return Err(Ambiguity::Coding);
            }
            self.has_coding = true;
        } else if name.eq_ignore_ascii_case(b"host") {
            if self.has_host {
                return Err(Ambiguity::Host);
            }
            self.has_host = true;
        } else if name.eq_ignore_ascii_case(b"upgrade") {
            self.asks_for_upgrade = true;
        }
        Ok(())
    }
}

fn digits(value: &[u8]) -> Option<u64> {
    let all = !value.is_empty() && value.len() <= DIGITS_MAX && value.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(value).ok().filter(|_| all)?.parse().ok()
}

impl Line {
    fn push(&mut self, byte: u8) {
        if let Some(place) = self.kept.get_mut(self.len) {
            *place = byte;
        }
        self.len += 1;
    }
}

impl Default for Line {
    fn default() -> Self {
        Self { kept: [0; KEPT_BYTES], len: 0, has_returned: false }
    }
}

impl Ambiguity {
    /// Its name in the metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::LineEnd => "line_end",
            Self::Folded => "folded_header",
            Self::Space => "space_before_colon",
            Self::Length => "content_length",
            Self::Coding => "transfer_encoding",
            Self::LengthAndCoding => "length_and_encoding",
            Self::Host => "two_hosts",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Follows a connection, and again cut at every byte, which must come to the same.
    fn follow(bytes: &[u8]) -> Result<bool, (usize, Ambiguity)> {
        let mut whole = Framing::default();
        let said = whole.follow(bytes).map(|()| whole.is_beyond());
        for cut in 0..=bytes.len() {
            let mut pieces = Framing::default();
            let first = pieces.follow(&bytes[..cut]);
            let both = first
                .and_then(|()| pieces.follow(&bytes[cut..]).map_err(|(at, ambiguity)| (at + cut, ambiguity)));
            assert_eq!(both.map(|()| pieces.is_beyond()), said, "cut at {cut}");
        }
        said
    }

    #[test]
    fn requests_follow_each_other_where_each_one_ends() {
        let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        let post = |length: &str, body: &str| {
            format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n{body}")
        };
        // A body may look like anything.
        let odd = "GET / HTTP/1.1\nContent-Length: 1\r";
        let table = [
            (get.repeat(3), Ok(false)),
            (format!("\r\n{get}"), Ok(false)),
            (format!("{}{get}", post("0", "")), Ok(false)),
            (format!("{}{get}", post(&odd.len().to_string(), odd)), Ok(false)),
            (format!("{}{get}", post("  005\t", "hello")), Ok(false)),
            ("GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n\x01\n\n".to_owned(), Ok(true)),
            ("POST / HTTP/1.1\r\ntransfer-encoding:Chunked\r\n\r\n0\n".to_owned(), Ok(true)),
            (format!("GET / HTTP/1.1\r\n{}: b\r\n\r\n", "a".repeat(200)), Ok(false)),
            (format!("{}x", post("0", "")), Ok(false)),
        ];
        for (bytes, expected) in table {
            assert_eq!(follow(bytes.as_bytes()), expected, "{bytes:?}");
        }
        // What is behind a body is a head again.
        assert!(follow(post("5", "hello\n").as_bytes()).is_err());
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_seen_at_the_byte_that_makes_it_so() {
        let long = "1".repeat(DIGITS_MAX + 1);
        let (length, coding) = (Ambiguity::Length, Ambiguity::Coding);
        let table: &[(&str, Ambiguity)] = &[
            ("Content-Length: 5\r\nContent-Length: 5\r\n", length),
            ("Content-Length: 5\r\nContent-Length: 6\r\n", length),
            ("Content-Length: 5, 5\r\n", length),
            ("Content-Length: +5\r\n", length),
            ("Content-Length: -0\r\n", length),
            ("Content-Length: 0x5\r\n", length),
            ("Content-Length: 5 5\r\n", length),
            ("Content-Length:\r\n", length),
            (&format!("Content-Length: {long}\r\n"), length),
            (&format!("Content-Length: {}5\r\n", " ".repeat(KEPT_BYTES)), length),
            ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", Ambiguity::LengthAndCoding),
            ("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", Ambiguity::LengthAndCoding),
            ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", coding),
            ("Transfer-Encoding: gzip, chunked\r\n", coding),
            ("Transfer-Encoding: chunked, identity\r\n", coding),
            ("Transfer-Encoding: xchunked\r\n", coding),
            ("Transfer-Encoding: \x0bchunked\r\n", coding),
            ("Transfer-Encoding:\r\n", coding),
            ("Transfer-Encoding : chunked\r\n", Ambiguity::Space),
            ("Transfer-Encoding\t: chunked\r\n", Ambiguity::Space),
            ("X Y: z\r\n", Ambiguity::Space),
            ("X: y\r\n z\r\n", Ambiguity::Folded),
            ("X: y\r\n\tContent-Length: 5\r\n", Ambiguity::Folded),
            ("X: y\n", Ambiguity::LineEnd),
            ("X: y\rZ", Ambiguity::LineEnd),
            ("X: y\r\r", Ambiguity::LineEnd),
            ("X: y\0", Ambiguity::LineEnd),
            ("\n", Ambiguity::LineEnd),
            ("Host: a\r\nHost: a\r\n", Ambiguity::Host),
        ];
        for (lines, expected) in table {
            let bytes = format!("POST / HTTP/1.1\r\n{lines}");
            assert_eq!(follow(bytes.as_bytes()), Err((bytes.len() - 1, *expected)), "{lines:?}");
        }
    }
}
