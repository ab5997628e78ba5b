//! Declarations of the parameters of raw points.

use time_series_domain::ports::Order;
use time_series_domain::query::points::Method;

use crate::request::{Choice, Id, Number, Text, Texts, TimeParam};

/// Maximum of `limit` and `max_points`.
const MAX_LIMIT: usize = 100_000;

pub(super) static USER_ID: Id = Id::required("user_id", "The user that owns the points.")
    .example("d38834e0-fe46-4bf9-831d-1d5b125bdc9b");

pub(super) static OWNER_ID: Id = Id::optional(
    "user_id",
    "The user that owns the session; needed only if several users have a session with this id.",
);

pub(super) static SESSION_ID: Id = Id::optional("session_id", "Only this session.");

pub(super) static START_TIME: Text<TimeParam> = Text::new(
    "start_time",
    TimeParam::read,
    "Points at or after this: RFC 3339, a date (its midnight in UTC), milliseconds since 1970, \
     `now` or `now-7d` (s, m, h, d, w), from 0001-01-01T00:00:00Z to 9999-12-31T23:59:59.999999Z. \
     By default from the first.",
)
.example("2025-01-01");

pub(super) static END_TIME: Text<TimeParam> = Text::new(
    "end_time",
    TimeParam::read,
    "Points before this: RFC 3339, a date (its midnight in UTC), milliseconds since 1970, `now` \
     or `now-7d` (s, m, h, d, w), from 0001-01-01T00:00:00Z to 9999-12-31T23:59:59.999999Z. By \
     default up to and including the last.",
)
.example("2025-02-01T00:00:00Z");

pub(super) static ORDER: Choice<Order> = Choice::new(
    "order",
    &[("asc", Order::Ascending), ("desc", Order::Descending)],
    "`asc` (default): by time, series, session and arrival; `desc`: the exact reverse.",
)
.example("desc");

pub(super) static LIMIT: Number<usize> = Number::new(
    "limit",
    1,
    MAX_LIMIT,
    "Maximum number of points, 1 to 100000. By default 1000 in JSON, unlimited in the other \
     formats.",
)
.example("1000");

pub(super) static CURSOR: Texts = Texts::one("cursor", "`next_cursor` of the previous page.");

pub(super) static MAX_POINTS: Number<usize> = Number::new(
    "max_points",
    3,
    MAX_LIMIT,
    "Maximum number of points of each series, 3 to 100000: real points that look like all of them \
     in a plot, each with the number of points that it represents.",
);

pub(super) static METHOD: Choice<Method> = Choice::new(
    "method",
    &[("lttb", Method::Lttb), ("minmax", Method::MinMax)],
    "The algorithm of `max_points`: `lttb` (default) or `minmax`.",
)
.example("lttb");
