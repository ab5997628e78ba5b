//! The queries and their goals.

use super::datasets::{Data, Dataset};
use crate::suite::figure::Goal;

/// A query that is measured.
pub(super) struct Query {
    pub(super) number: u8,
    pub(super) name: &'static str,
    pub(super) dataset: Dataset,
    /// The path, with the placeholders `{user}`, `{series}`, `{start}` and `{end}`.
    path: &'static str,
    pub(super) goal: Goal,
    /// The same query on the table of plain rows: users ($1), series ($2), start ($3), end ($4).
    pub(super) sql: Option<&'static str>,
    pub(super) goal_of_sql: Option<f64>,
}

/// All queries except the stream, which is measured differently.
pub(super) const QUERIES: [Query; 6] = [
    Query {
        number: 1,
        name: "p90 per month, small sessions",
        dataset: Dataset::Small,
        path: "/api/timeseries/?user_id={user}&series={series}&interval=month&agg_func=p90\
               &start_time={start}&end_time={end}",
        goal: Goal::AtMost(40.0),
        sql: Some(include_str!("p90_by_month.sql")),
        goal_of_sql: None,
    },
    Query {
        number: 2,
        name: "p50,p90,p99 per week, 1 M values",
        dataset: Dataset::Long,
        path: "/api/timeseries/?user_id={user}&series={series}&interval=week&agg_func=p50,p90,p99\
               &start_time={start}&end_time={end}",
        goal: Goal::AtMost(120.0),
        sql: Some(include_str!("percentiles_by_week.sql")),
        goal_of_sql: Some(0.5),
    },
    Query {
        number: 3,
        name: "avg,min,max per 5 minutes, a week at 1 Hz",
        dataset: Dataset::Week,
        path: "/api/timeseries/?user_id={user}&series={series}&interval=5m&agg_func=avg,min,max\
               &start_time={start}&end_time={end}",
        goal: Goal::AtMost(60.0),
        sql: Some(include_str!("five_minutes.sql")),
        goal_of_sql: None,
    },
    Query {
        number: 4,
        name: "latest points of a user with 250,000 points",
        dataset: Dataset::Small,
        path: "/api/latest/?user_id={user}",
        goal: Goal::AtMost(2.0),
        sql: None,
        goal_of_sql: None,
    },
    Query {
        number: 5,
        name: "1 M points downsampled to 2,000 (LTTB)",
        dataset: Dataset::Long,
        path: "/api/points/?user_id={user}&series={series}&max_points=2000",
        goal: Goal::AtMost(150.0),
        sql: None,
        goal_of_sql: None,
    },
    Query {
        number: 7,
        name: "avg per week of 1,000 users over a year",
        dataset: Dataset::Cohort,
        path: "/api/timeseries/?user_id={user}&series={series}&interval=week&agg_func=avg\
               &start_time={start}&end_time={end}",
        goal: Goal::AtMost(300.0),
        sql: Some(include_str!("cohort_by_week.sql")),
        goal_of_sql: None,
    },
];

impl Query {
    /// Returns the URL of the query for a dataset.
    pub(super) fn url(&self, service: &str, data: &Data) -> String {
        let users: Vec<String> = data.users.iter().map(ToString::to_string).collect();
        let path = self
            .path
            .replace("{user}", &users.join(","))
            .replace("{series}", data.series);
        let path = path
            .replace("{start}", &data.start.to_string())
            .replace("{end}", &data.end.to_string());
        format!("{service}{path}")
    }
}
