//! Sessions: one recording of one user.

mod extent;
mod ids;
mod record;
mod time_rules;

pub use extent::{Join, SessionExtent};
pub use ids::{IdError, SessionId, UserId};
pub use record::{SeriesPoints, SessionPage, SessionPosition, SessionRecord};
pub use time_rules::{TimeRuleError, TimeRules};
