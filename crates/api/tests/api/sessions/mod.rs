//! Sessions: stored once, replaced, deleted and listed.

mod appends;
mod backpressure;
mod bulk;
mod bulk_result;
mod columns;
mod conflicts;
mod csv;
mod deletion;
mod listing;
mod outcomes;
mod pages;
mod races;
mod repeats;
mod versions;
