//! Logging: one JSON object per line, or human-readable text.

use std::io::IsTerminal;

use tracing::Level;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::prelude::*;

use crate::config::LogConfig;

/// Prefix of the log targets of this workspace.
const WORKSPACE_TARGETS: &str = "time_series";

/// Starts logging to standard error. Repeated calls have no effect.
///
/// # Panics
/// Never: the parsed directive is a constant.
pub fn init(config: &LogConfig) {
    let filter = EnvFilter::try_new(&config.directives).unwrap_or_else(|_| EnvFilter::new("info"));
    // actix_http logs each malformed request and broken connection as an error, so that any client
    // could fill the log.
    let filter = filter.add_directive("actix_http=off".parse().expect("valid directive"));
    let registry = tracing_subscriber::registry().with(filter);
    // At debug and trace level, other crates log what they send, such as ids and measured values.
    let is_permitted = filter_fn(|metadata| {
        metadata.target().starts_with(WORKSPACE_TARGETS) || *metadata.level() <= Level::INFO
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
                    .with_filter(is_permitted),
            )
            .try_init()
    } else {
        registry.with(layer.with_filter(is_permitted)).try_init()
    };
    started.ok(); // another test may have started logging
}
