//! Comparison of the metadata of an aggregate answer with the query.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::model::aggregate::{GroupBy, Query};
use crate::query::aggregate_spec::AggregateSpec;
use crate::runner::{Outcome, ensure};

/// Checks that the metadata repeat the parameters of the query.
pub(crate) fn expect_metadata(
    spec: &AggregateSpec,
    query: &Query<'_>,
    metadata: &Value,
) -> Outcome {
    let check = |holds: bool, name: &str| ensure(holds, name, metadata);
    let users: BTreeSet<String> = query.users.iter().map(|u| u.user.to_string()).collect();
    check(returned_users(metadata, users.len()) == users, "user_id")?;
    let is_aligned = query.is_aligned();
    let align = if is_aligned { "session" } else { "calendar" };
    check(metadata["align"] == align, "align")?;
    for name in ["tz", "week_start"] {
        check(metadata.get(name).is_none() == is_aligned, name)?;
    }
    // `over` without `group_by` groups by session.
    let is_free = query.group_by == GroupBy::Nothing && !spec.over.is_empty();
    let group_by = query.group_by.text().map_or(Value::Null, Value::from);
    check(is_free || metadata["group_by"] == group_by, "group_by")?;
    check(metadata["fill"] == query.fill.text(), "fill")?;
    let is_null = |name: &str| metadata[name].is_null();
    check(
        is_null("fill_lookback") == spec.lookback.is_none(),
        "fill_lookback",
    )?;
    check(is_null("over") == spec.over.is_empty(), "over")?;
    check(is_null("where") == spec.conditions.is_empty(), "where")?;
    let accuracy = spec.accuracy.unwrap_or("exact");
    check(metadata["accuracy"] == accuracy, "accuracy")?;
    check(metadata.get("approximate").is_none(), "approximate")?;
    check(metadata["explain"].is_object() == spec.explain, "explain")?;
    check(metadata["version"].is_u64(), "version")
}

/// The users of the metadata: a string for one user, a list without duplicates for several.
fn returned_users(metadata: &Value, count: usize) -> BTreeSet<String> {
    match &metadata["user_id"] {
        Value::String(id) if count == 1 => BTreeSet::from([id.clone()]),
        Value::Array(ids) if ids.len() == count && count > 1 => ids
            .iter()
            .filter_map(|id| id.as_str().map(str::to_owned))
            .collect(),
        _ => BTreeSet::new(),
    }
}
