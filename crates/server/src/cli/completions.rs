//! `spanwire completions` and `spanwire man`: what shells and manuals make of the definition of the command line.

use std::io::{self, Write as _};
use std::path::PathBuf;

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::{Cli, Exit, Failure};

#[derive(Debug, Args)]
pub(super) struct CompletionsOptions {
    /// The shell.
    shell: Shell,
}

#[derive(Debug, Args)]
pub(super) struct ManOptions {
    /// A directory for one page a command, such as ~/.local/share/man/man1; without it, spanwire(1) is printed.
    directory: Option<PathBuf>,
}

impl CompletionsOptions {
    pub(super) fn run(&self) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "spanwire", &mut script);
        print(&script)
    }
}

impl ManOptions {
    pub(super) fn run(&self) -> Result<(), Failure> {
        let command = Cli::command();
        match &self.directory {
            Some(directory) => clap_mangen::generate_to(command, directory).map_err(|error| {
                Failure::new(Exit::NoInput, format!("{}: {error}", directory.display()))
                    .fix("name a directory that is there and may be written to")
            }),
            None => {
                let mut page = Vec::new();
                // Writing into memory does not fail.
                let _ = clap_mangen::Man::new(command).render(&mut page);
                print(&page)
            }
        }
    }
}

fn print(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    stdout
        .write_all(bytes)
        .and_then(|()| stdout.flush())
        .map_err(|error| Failure::new(Exit::Failed, format!("stdout: {error}")))
}
