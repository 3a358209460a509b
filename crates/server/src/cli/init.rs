//! `spanwire init`: a first configuration, with keys that nobody else has.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use clap::Args;

use super::exit::print;
use super::{Exit, Failure};
use crate::chance::Chance;

/// What is written; the keys are drawn at the places of the braces.
const TEMPLATE: &str = include_str!("init.toml");

#[derive(Debug, Args)]
pub(super) struct InitOptions {
    /// The file to write. One that is there already stays as it is.
    #[arg(default_value = "spanwire.toml")]
    file: PathBuf,
    /// Without the comments.
    #[arg(long)]
    minimal: bool,
}

pub(super) fn run(options: &InitOptions) -> Result<(), Failure> {
    let mut chance = Chance::from_system().map_err(|error| Failure::new(Exit::Failed, error))?;
    let text = text(&mut chance, options.minimal);
    let path = options.file.display();
    // It holds keys: nobody but its owner may read it.
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&options.file);
    let written = opened.and_then(|mut file| file.write_all(text.as_bytes()));
    match written {
        Ok(()) => print(&format!(
            "{path} is written, with keys of your own in it; only you may read it.\n\
             look at it, then:  spanwire serve -c {path}"
        )),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Err(Failure::new(Exit::Failed, format!("{path} is there already"))
                .fix("name another file, or move this one away"))
        }
        Err(error) => Err(Failure::new(Exit::Failed, format!("{path}: {error}"))),
    }
}

fn text(chance: &mut Chance, minimal: bool) -> String {
    let text = TEMPLATE.replace("{token}", &chance.text()).replace("{api}", &chance.text());
    if !minimal {
        return text;
    }
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines.flat_map(|line| [line, "\n"]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Profile;
    use crate::config::{Layer, Settings};

    #[test]
    fn what_is_written_is_a_configuration_with_keys_of_its_own() {
        let mut chance = Chance::seeded([7; 32]);
        for minimal in [false, true] {
            let (one, other) = (text(&mut chance, minimal), text(&mut chance, minimal));
            assert_ne!(one, other);
            assert!(!one.contains('{') && one.contains('#') != minimal, "{one}");
            let layer = Layer::from_toml("spanwire.toml", &one).unwrap();
            let settings = Settings::read(Profile::Secure, &[layer]).unwrap();
            assert!(settings.warnings().is_empty(), "{:?}", settings.warnings());
        }
    }
}
