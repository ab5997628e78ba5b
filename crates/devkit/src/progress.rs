//! Progress output, with and without a terminal.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A step in progress. Prints its duration when it is done.
pub struct Step {
    name: String,
    started: Instant,
    bar: ProgressBar,
}

impl Step {
    /// Starts a step of unknown length.
    #[must_use]
    pub fn start(name: impl Into<String>) -> Self {
        let name = name.into();
        let bar = ProgressBar::new_spinner().with_message(name.clone());
        bar.enable_steady_tick(Duration::from_millis(120));
        Self::with(bar, name)
    }

    /// Starts a step of `total` units.
    #[must_use]
    pub fn counted(name: impl Into<String>, total: u64) -> Self {
        let name = name.into();
        let bar = ProgressBar::new(total).with_message(name.clone());
        if let Ok(style) =
            ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {per_sec} {eta}")
        {
            bar.set_style(style);
        }
        Self::with(bar, name)
    }

    fn with(bar: ProgressBar, name: String) -> Self {
        if bar.is_hidden() {
            // No terminal: one line at the start and one at the end.
            bar.set_draw_target(ProgressDrawTarget::hidden());
            say(format!("{name} …"));
        }
        Self {
            name,
            started: Instant::now(),
            bar,
        }
    }

    /// Counts one finished unit.
    pub fn tick(&self) {
        self.bar.inc(1);
    }

    /// Ends the step and prints its result and duration.
    pub fn done(self, result: impl AsRef<str>) {
        self.bar.finish_and_clear();
        let seconds = self.started.elapsed().as_secs_f64();
        let result = result.as_ref();
        let colon = if result.is_empty() { "" } else { ": " };
        say(format!("{}{colon}{result} ({seconds:.1} s)", self.name));
    }
}

/// Prints a line to standard output.
#[expect(
    clippy::print_stdout,
    reason = "the only place where the development tools print"
)]
pub fn say(line: impl AsRef<str>) {
    println!("{}", line.as_ref());
}
