//! How commands end.

use std::fmt;
use std::io::{self, Write as _};
use std::process::ExitCode;

/// The exit codes, those of `sysexits.h` where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// It did not work, for a reason that has no code of its own.
    Failed = 1,
    /// The command line makes no sense.
    Usage = 2,
    /// What was given to be sent makes no sense.
    Data = 65,
    /// A file or directory is not there.
    NoInput = 66,
    /// The server is not there, or went away; trying again later may help.
    Unavailable = 69,
    /// The server has too much to do; trying again does help.
    Temporary = 75,
    /// The server, or the system, does not allow it.
    Denied = 77,
    /// The configuration makes no sense.
    Config = 78,
    /// The server took too long.
    Timeout = 124,
    /// Somebody interrupted it.
    Interrupted = 130,
}

/// Why a command has failed, and the way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// What happened.
    pub trouble: String,
    /// What to do about it.
    pub fix: Option<String>,
}

impl Failure {
    /// A failure without a known way out.
    pub fn new(exit: Exit, trouble: impl fmt::Display) -> Self {
        Self { exit, trouble: trouble.to_string(), fix: None }
    }

    /// The same, with a way out.
    pub fn fix(self, fix: impl fmt::Display) -> Self {
        Self { fix: Some(fix.to_string()), ..self }
    }

    /// Says it on stderr.
    pub(super) fn tell(&self) -> ExitCode {
        // Nobody is left to be told that stderr is closed.
        let _ = writeln!(io::stderr(), "{self}");
        ExitCode::from(self.exit as u8)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.trouble)?;
        match &self.fix {
            Some(fix) => write!(f, "\n  fix: {fix}"),
            None => Ok(()),
        }
    }
}

/// Prints one line of a result.
///
/// # Errors
/// Nobody reads stdout any more, as in `spanwire sub news | head -1`: the command has nothing left to do.
pub(super) fn print(line: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}")
        .and_then(|()| stdout.flush())
        .map_err(|error| Failure::new(Exit::Failed, format!("stdout: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_what_happened_and_what_to_do() {
        let failure = Failure::new(Exit::Unavailable, "port 8000 is taken");
        assert_eq!(failure.to_string(), "error: port 8000 is taken");
        let failure = failure.fix("spanwire --port 8001");
        assert_eq!(failure.to_string(), "error: port 8000 is taken\n  fix: spanwire --port 8001");
    }
}
