//! Compares the service with a naive model, on random sessions and random queries.
//!
//! `ORACLE_SEED` selects other random cases, and `ORACLE_TIMES` multiplies their number.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "numbers are small, or rounded on purpose"
)]
#![expect(
    clippy::float_cmp,
    reason = "exact results are compared to the last bit"
)]

mod compare;
mod fixture;
mod generate;
mod model;
mod properties;
mod query;
mod regressions;
mod runner;
