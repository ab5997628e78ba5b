//! Sessions as values: ids, stored records, and the rules for the times of their points.

mod ids;
mod session_record;
mod session_window;
mod time_rules;

pub use ids::{IdError, SessionId, UserId};
pub use session_record::{SeriesPoints, SessionPage, SessionPosition, SessionRecord};
pub use session_window::{AppendTarget, SessionExtent, SessionWindow};
#[cfg(feature = "schema")]
pub(crate) use session_window::{check_in_window, window_of_new_session};
pub use time_rules::{TimeRuleError, TimeRules};
