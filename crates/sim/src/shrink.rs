//! From a plot that fails to a shorter one that fails too.

use crate::{Act, Bug, Plot, run};

/// Most runs that shrinking takes.
const RUNS_MAX: usize = 600;

/// A shorter plot that still breaks a promise: first without whole people, then without stretches of what happens,
/// halving their length until single acts are tried. A plot that breaks nothing is returned as it is.
pub fn shrink(plot: &Plot, bug: Option<Bug>) -> Plot {
    let mut shrinker = Shrinker { best: plot.clone(), bug, runs: 0 };
    if !shrinker.fails(plot) {
        return plot.clone();
    }
    for person in (0..plot.people).rev() {
        shrinker.try_without(|act| act.doing.person() == Some(person));
    }
    let mut stretch = shrinker.best.acts.len().div_ceil(2);
    while stretch > 0 {
        let shorter = shrinker.drop_stretches(stretch);
        if !shorter || stretch > 1 {
            stretch /= 2;
        }
    }
    shrinker.best
}

struct Shrinker {
    best: Plot,
    bug: Option<Bug>,
    runs: usize,
}

impl Shrinker {
    fn fails(&mut self, plot: &Plot) -> bool {
        self.runs += 1;
        run(plot, self.bug, false).violation.is_some()
    }

    fn try_without(&mut self, unwanted: impl Fn(&Act) -> bool) -> bool {
        let mut acts = self.best.acts.clone();
        acts.retain(|act| !unwanted(act));
        self.try_acts(acts)
    }

    fn try_acts(&mut self, acts: Vec<Act>) -> bool {
        if acts.len() == self.best.acts.len() || self.runs >= RUNS_MAX {
            return false;
        }
        let shorter = Plot { acts, ..self.best.clone() };
        let fails = self.fails(&shorter);
        if fails {
            self.best = shorter;
        }
        fails
    }

    /// Leaves out every stretch of this many acts that is not needed. Whether one was.
    fn drop_stretches(&mut self, stretch: usize) -> bool {
        let (mut begin, mut dropped) = (0, false);
        while begin < self.best.acts.len() {
            let mut acts = self.best.acts.clone();
            acts.drain(begin..(begin + stretch).min(acts.len()));
            if self.try_acts(acts) {
                dropped = true;
            } else {
                begin += stretch;
            }
        }
        dropped
    }
}
