//! What is wrong with a configuration, all of it at once.

use std::fmt;

/// One mistake: where, what, and the way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The layer that has it: a file's name, the command line.
    pub layer: String,
    /// The key with its value, or the key alone if the value is a secret.
    pub setting: String,
    /// What is wrong, and what would be right.
    pub trouble: String,
}

/// A configuration with which the server does not start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// Everything wrong with it, in the order of the options. Never empty.
    pub problems: Vec<Problem>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.layer, self.setting, self.trouble)
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, problem) in self.problems.iter().enumerate() {
            if number > 0 {
                writeln!(f)?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}
