//! A broken promise, so that a person can see it.

use std::fmt;

/// How the promise was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sin {
    /// Something came twice, or was published twice in one life of its stream.
    Duplicate,
    /// Something is missing, and nobody said so.
    Lost,
    /// Something came after what follows on it.
    OutOfOrder,
    /// Two statements that cannot both be true, or one that makes no sense.
    Contradiction,
}

/// One broken promise: to whom, where, and what happened instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// How.
    pub sin: Sin,
    /// The subscriber, by its number in the crowd; `None` if it concerns everybody.
    pub who: Option<usize>,
    /// Where.
    pub channel: String,
    /// What was promised.
    pub expected: String,
    /// What came.
    pub got: String,
    /// What that subscriber heard there before, the latest last.
    pub before: Vec<String>,
}

impl fmt::Display for Sin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Duplicate => "duplicate",
            Self::Lost => "lost in silence",
            Self::OutOfOrder => "out of order",
            Self::Contradiction => "contradiction",
        })
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.sin)?;
        match self.who {
            Some(who) => write!(f, "client {who}, in {}", self.channel)?,
            None => write!(f, "in {}", self.channel)?,
        }
        for line in &self.before {
            write!(f, "\n    heard     {line}")?;
        }
        write!(f, "\n    expected  {}\n    got       {}", self.expected, self.got)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_violation_says_who_expected_what_and_got_what() {
        let violation = Violation {
            sin: Sin::Lost,
            who: Some(7),
            channel: "news".to_owned(),
            expected: "offset 5".to_owned(),
            got: "offset 6".to_owned(),
            before: vec!["offset 4: number 9".to_owned()],
        };
        assert_eq!(
            violation.to_string(),
            "lost in silence: client 7, in news\n    heard     offset 4: number 9\n    expected  offset 5\n    got       offset 6"
        );
    }
}
