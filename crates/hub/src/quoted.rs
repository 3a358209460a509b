//! Texts that strangers chose, where the operator reads them.

use std::fmt;

/// Longest text of a client's that is told, in bytes: a name that is too long is among what is told.
const BYTES_MAX: usize = 255;

/// A text as a line of the log may have it: in quotes, escaped, and no longer than 255 bytes before that.
///
/// ```
/// # use spanwire_hub::Quoted;
/// assert_eq!(Quoted("news\nof 1").to_string(), r#""news\nof 1""#);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Quoted<'a>(pub &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &self.0[..self.0.floor_char_boundary(BYTES_MAX)])
    }
}
