//! Logging: one JSON object per line, or text for people.

use std::io::IsTerminal;

use tracing::Level;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::prelude::*;

use crate::config::LogConfig;

/// Prefix of the targets of this workspace.
const OUR_TARGETS: &str = "time_series";

/// Starts logging to standard error. Further calls in one process have no effect.
///
/// # Panics
/// Never: the directive that is parsed is a constant.
pub fn init(config: &LogConfig) {
    let filter = EnvFilter::try_new(&config.directives).unwrap_or_else(|_| EnvFilter::new("info"));
    // It logs each malformed request and each broken connection as an error of its own: log lines for anyone to make.
    let filter = filter.add_directive("actix_http=off".parse().expect("it is a valid directive"));
    let registry = tracing_subscriber::registry().with(filter);
    // At finer levels, other crates write what they send: ids and measured values.
    let is_ours = filter_fn(|metadata| {
        metadata.target().starts_with(OUR_TARGETS) || *metadata.level() <= Level::INFO
    });
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let started = if config.json {
        registry
            .with(
                layer
                    .json()
                    .flatten_event(true)
                    .with_span_list(false)
                    .with_filter(is_ours),
            )
            .try_init()
    } else {
        registry.with(layer.with_filter(is_ours)).try_init()
    };
    started.ok(); // already started: by a test beside this one
}
