//! A command that was meant. What stands where a command could is the directory of the dev profile otherwise, and to be
//! told that there is no such directory helps nobody.

use std::ffi::OsString;
use std::path::Path;

use clap::CommandFactory as _;

use super::{Cli, Exit, Failure};

/// # Errors
/// The first argument is no command and nothing that is there, and much like a command.
pub(super) fn check(first: Option<&OsString>) -> Result<(), Failure> {
    let Some(word) = first.and_then(|word| word.to_str()) else { return Ok(()) };
    match meant(word).filter(|_| !Path::new(word).exists()) {
        Some(command) => Err(Failure::new(Exit::Usage, format!("there is no command {word}"))
            .fix(format!("did you mean spanwire {command}? a directory is written ./{word}"))),
        None => Ok(()),
    }
}

/// The command that is most like this word, unless the word is one, or a path.
fn meant(word: &str) -> Option<String> {
    let cli = Cli::command();
    let names: Vec<_> = cli.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    if word.contains('/') || names.iter().any(|name| name == word) {
        return None;
    }
    // A third of the letters may be wrong; more, and it is another word.
    let tolerated = word.chars().count() / 3;
    let distant = |name: &String| strsim::damerau_levenshtein(name, word);
    names.into_iter().filter(|name| distant(name) <= tolerated).min_by_key(distant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_understood_and_a_directory_is_left_alone() {
        let table = [
            ("histroy", Some("history")),
            ("discconect", Some("disconnect")),
            ("serv", Some("serve")),
            ("history", None),
            ("public", None),
            ("web", None),
            ("./histroy", None),
            ("--port", None),
        ];
        for (word, expected) in table {
            assert_eq!(meant(word).as_deref(), expected, "{word}");
        }
    }
}
