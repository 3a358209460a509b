//! `bench chaos`: what can befall a server, done to the release binary for as long as it takes, while a crowd keeps
//! accounts.
//!
//! The scenes are those of `crates/server/tests/e2e/faults`, with more clients and more time, and with figures: who
//! wants to know quickly whether something is broken runs those. Each ends with the crowd's word that the promise
//! was kept and with the server's counters at zero, or the command fails.

mod backend;
mod clock;
mod descriptors;
mod forgery;
mod freeze;
mod full_disk;
mod garbage;
mod kill;
mod memory;
mod metrics;
mod slow_backend;
mod slow_readers;
mod stage;
mod stampede;
mod victim;

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;

use crate::spanwire::Spanwire;
use crate::{settle, soak, table};
use stage::Stage;
pub(crate) use stage::{PATIENCE, nothing_is_left};

/// Minutes of the soak among the scenes; `bench soak` takes longer.
const SOAK_MINUTES: u32 = 1;

/// What is to happen.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Options {
    /// The scenes; all of them, without any.
    scenes: Vec<Scene>,
    /// Print what there is, and what must be true of it.
    #[arg(long)]
    list: bool,
}

/// One thing that can befall a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Scene {
    Kill,
    Freeze,
    Descriptors,
    Memory,
    FullDisk,
    Clock,
    Stampede,
    SlowBackend,
    Garbage,
    Forgery,
    SlowReaders,
    Soak,
}

impl Scene {
    fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// What befalls it, and what must be true.
    fn promise(self) -> (&'static str, &'static str) {
        match self {
            Scene::Kill => kill::PROMISE,
            Scene::Freeze => freeze::PROMISE,
            Scene::Descriptors => descriptors::PROMISE,
            Scene::Memory => memory::PROMISE,
            Scene::FullDisk => full_disk::PROMISE,
            Scene::Clock => clock::PROMISE,
            Scene::Stampede => stampede::PROMISE,
            Scene::SlowBackend => slow_backend::PROMISE,
            Scene::Garbage => garbage::PROMISE,
            Scene::Forgery => forgery::PROMISE,
            Scene::SlowReaders => slow_readers::PROMISE,
            Scene::Soak => soak::PROMISE,
        }
    }

    /// Plays it, and says what was seen.
    async fn play(self, stage: &Stage<'_>) -> Result<String> {
        match self {
            Scene::Kill => kill::play(stage).await,
            Scene::Freeze => freeze::play(stage).await,
            Scene::Descriptors => descriptors::play(stage).await,
            Scene::Memory => memory::play(stage).await,
            Scene::FullDisk => full_disk::play(stage).await,
            Scene::Clock => clock::play(stage).await,
            Scene::Stampede => stampede::play(stage).await,
            Scene::SlowBackend => slow_backend::play(stage).await,
            Scene::Garbage => garbage::play(stage).await,
            Scene::Forgery => forgery::play(stage).await,
            Scene::SlowReaders => slow_readers::play(stage).await,
            Scene::Soak => soak::play(stage.spanwire(), SOAK_MINUTES, |line| stage.say(line)).await,
        }
    }
}

/// Plays the scenes, one after the other, all of them even if one fails.
pub(crate) fn run(options: &Options, spanwire: Option<&std::path::Path>) -> Result<()> {
    if options.list {
        print!("{}", list());
        return Ok(());
    }
    let spanwire = Spanwire::find(spanwire)?;
    settle()?;
    let scenes = if options.scenes.is_empty() { Scene::value_variants() } else { &options.scenes };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the crowd's runtime")?;
    let mut broken = Vec::new();
    for scene in scenes {
        let name = scene.name();
        let stage = Stage::new(&name, &spanwire);
        stage.say(scene.promise().0);
        let began = Instant::now();
        match runtime.block_on(scene.play(&stage)) {
            Ok(seen) => println!("{name}: kept, {:.0} s. {seen}", began.elapsed().as_secs_f64()),
            Err(error) => {
                println!("{name}: BROKEN, {:.0} s. {error:#}", began.elapsed().as_secs_f64());
                broken.push(name);
            }
        }
    }
    ensure!(broken.is_empty(), "broken: {}", broken.join(", "));
    Ok(())
}

fn list() -> String {
    let row = |scene: &Scene| {
        let (what, promise) = scene.promise();
        vec![scene.name(), what.to_owned(), promise.to_owned()]
    };
    let rows: Vec<_> = Scene::value_variants().iter().map(row).collect();
    table::lay_out_text(&["scene", "what befalls the server", "what must be true"], &rows)
}
