//! Shows what is being done, also where there is no terminal.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A step under way; prints how long it took when it is done.
pub(crate) struct Step {
    what: String,
    started: Instant,
    bar: ProgressBar,
}

impl Step {
    /// A step of unknown length.
    pub(crate) fn start(what: impl Into<String>) -> Self {
        let what = what.into();
        let bar = ProgressBar::new_spinner().with_message(what.clone());
        bar.enable_steady_tick(Duration::from_millis(120));
        Self::with(bar, what)
    }

    /// A step of `total` pieces.
    pub(crate) fn counted(what: impl Into<String>, total: u64) -> Self {
        let what = what.into();
        let bar = ProgressBar::new(total).with_message(what.clone());
        if let Ok(style) =
            ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {per_sec} {eta}")
        {
            bar.set_style(style);
        }
        Self::with(bar, what)
    }

    fn with(bar: ProgressBar, what: String) -> Self {
        if bar.is_hidden() {
            // No terminal: a line at the start and one at the end.
            bar.set_draw_target(ProgressDrawTarget::hidden());
            say(format!("{what} …"));
        }
        Self {
            what,
            started: Instant::now(),
            bar,
        }
    }

    /// One piece is done.
    pub(crate) fn tick(&self) {
        self.bar.inc(1);
    }

    /// The whole step is done.
    pub(crate) fn done(self, result: impl AsRef<str>) {
        self.bar.finish_and_clear();
        let seconds = self.started.elapsed().as_secs_f64();
        let result = result.as_ref();
        let colon = if result.is_empty() { "" } else { ": " };
        say(format!("{}{colon}{result} ({seconds:.1} s)", self.what));
    }
}

/// A line for whoever runs this.
#[expect(
    clippy::print_stdout,
    reason = "the one place where this program speaks"
)]
pub(crate) fn say(line: impl AsRef<str>) {
    println!("{}", line.as_ref());
}
