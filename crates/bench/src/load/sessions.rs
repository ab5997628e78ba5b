//! Sessions that a load consists of.

use uuid::Uuid;

pub(crate) const MICROS_PER_SECOND: i64 = 1_000_000;

/// Sessions to be posted.
pub(crate) trait Sessions: Send + Sync + 'static {
    /// Returns the number of sessions.
    fn count(&self) -> usize;
    /// Returns the users of the sessions.
    fn users(&self) -> &[Uuid];
    /// Returns session `number` as JSON. The same number gives the same session within one run.
    fn body(&self, number: usize) -> String;
}
