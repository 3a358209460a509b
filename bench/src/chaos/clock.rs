//! A wall clock that jumps by hours.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use spanwire::cli::torture::{Plan, Storm};

use super::stage::{PATIENCE, Stage};
use super::victim::Setting;

pub(super) const PROMISE: (&str, &str) = (
    "the wall clock jumps by six hours, forward and back, under load and accidents",
    "nobody is let go for it, and history is as old as before: no gap",
);

/// Where the clock jumps, one after the other, as libfaketime reads it.
const JUMPS: [&str; 4] = ["+6h", "-6h", "+6h", "+0h"];
/// How long each lasts.
const SPELL: Duration = Duration::from_secs(5);

pub(super) async fn play(stage: &Stage<'_>) -> Result<String> {
    let library = library().context("libfaketime is missing: apt-get install faketime")?;
    let clock = Clock::new()?;
    let server = stage.server(Setting::with(|setting| {
        let variables = [
            ("LD_PRELOAD", library.display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", clock.file.display().to_string()),
            // The file is read anew at each look at the clock.
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            ("DONT_FAKE_MONOTONIC", "1".to_owned()),
        ];
        setting.environment = variables.map(|(name, value)| (name.to_owned(), value)).to_vec();
    }))?;
    let crowd = stage.crowd(&server, &Plan::new(200, 20, "clock ")).await?;
    crowd
        .during(Storm::new(5, 200.0, 20.0), async {
            for jump in JUMPS {
                clock.jump(jump)?;
                stage.say(&format!("the wall clock is off by {jump}"));
                tokio::time::sleep(SPELL).await;
                crowd.acknowledged(100, PATIENCE).await?;
            }
            Ok::<_, anyhow::Error>(())
        })
        .await?;
    let tally = stage.close(&server, crowd).await?;
    ensure!(tally.gaps == 0, "{} gaps were told, and the history was there all the time", tally.gaps);
    Ok(format!("{} recovered over {} jumps, no gap, 0 lost, 0 twice", tally.recovered, JUMPS.len()))
}

/// The library that lies about the wall clock, where Debian puts it.
fn library() -> Option<PathBuf> {
    let rooms = fs::read_dir("/usr/lib").ok()?.flatten();
    rooms.map(|room| room.path().join("faketime/libfaketimeMT.so.1")).find(|path| path.is_file())
}

/// The file by which a server is told what time it is.
struct Clock {
    file: PathBuf,
}

impl Clock {
    fn new() -> Result<Clock> {
        let file = std::env::temp_dir().join(format!("spanwire-clock-{}", std::process::id()));
        let clock = Clock { file };
        clock.jump("+0h")?;
        Ok(clock)
    }

    /// In one step, so that nobody reads half of it.
    fn jump(&self, offset: &str) -> Result<()> {
        let draft: &Path = &self.file.with_extension("draft");
        fs::write(draft, offset).context("cannot write the clock's file")?;
        fs::rename(draft, &self.file).context("cannot set the clock's file")
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        // A file that is gone already needs no removal.
        let _ = fs::remove_file(&self.file);
    }
}
