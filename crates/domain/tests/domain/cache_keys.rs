//! Keys of cached results and of tags: every field of a query counts, and nothing else.

use proptest::prelude::*;
use time_series_domain::fingerprint::{Fingerprint, FingerprintHasher, Fingerprinted};
use time_series_domain::ports::DataVersion;
use time_series_domain::query::{
    Accuracy, AggFunction, AggregateSpec, Axis, Fill, GroupBy, Lookback, Offsets, ValueFilter,
    cache_key,
};
use time_series_domain::{
    Calendar, Interval, SeriesMode, SeriesSelector, SessionId, Timestamp, UserId, Weekday,
};
use uuid::Uuid;

const HEAD: DataVersion = DataVersion {
    version: 7,
    generation: 3,
};

fn render(text: &str) -> Fingerprint {
    FingerprintHasher::new("test")
        .field("render", text)
        .finish()
}

fn key(query: &AggregateSpec) -> String {
    cache_key(query, &render("json"), HEAD)
}

pub(super) fn fingerprint<T: Fingerprinted>(value: &T) -> Fingerprint {
    FingerprintHasher::new("test")
        .field("value", value)
        .finish()
}

pub(super) fn user(number: u128) -> UserId {
    UserId(Uuid::from_u128(number))
}

pub(super) fn session(number: u128) -> SessionId {
    SessionId(Uuid::from_u128(number))
}

fn calendar(interval: Interval, zone: &str, week_start: Weekday) -> Axis {
    Axis::Calendar(Calendar::new(interval, zone, week_start).expect("a zone"))
}

fn offsets(interval: &str) -> Axis {
    Axis::SinceStart(Offsets::new(Interval::parse(interval).expect("an interval")).expect("a step"))
}

pub(super) fn selector(text: &str, mode: SeriesMode) -> SeriesSelector {
    SeriesSelector::parse(&[text], mode).expect("a selector")
}

pub(super) fn filter(text: &str) -> ValueFilter {
    ValueFilter::parse(text).expect("a filter")
}

fn lookback(text: &str) -> Lookback {
    Lookback::parse(text).expect("a length of time")
}

fn function(text: &str) -> AggFunction {
    AggFunction::parse(text).expect("a function")
}

/// A query that has every optional part.
fn query() -> AggregateSpec {
    AggregateSpec {
        users: vec![user(1), user(2)],
        session_id: Some(session(1)),
        selector: selector("a,b", SeriesMode::Auto),
        range: Timestamp::from_micros(1_000)..Timestamp::from_micros(2_000),
        filter: Some(filter("r>1,g<2")),
        axis: calendar(Interval::Days(1), "Europe/Berlin", Weekday::Monday),
        functions: vec![AggFunction::Avg, function("p90")],
        group_by: GroupBy::Session,
        over: vec![AggFunction::Max],
        fill: Fill::Previous,
        lookback: Some(lookback("7d")),
        accuracy: Accuracy::Exact,
        explain: false,
    }
}

pub(super) type Change<T> = (&'static str, fn(&mut T));

const CHANGES: &[Change<AggregateSpec>] = &[
    ("another user", |q| q.users[0] = user(3)),
    ("one user fewer", |q| q.users.truncate(1)),
    ("another session", |q| q.session_id = Some(session(2))),
    ("no session", |q| q.session_id = None),
    ("one series", |q| {
        q.selector = selector("a", SeriesMode::Auto);
    }),
    ("every series", |q| q.selector = SeriesSelector::all()),
    ("the series as an expression", |q| {
        q.selector = selector("a,b", SeriesMode::Regex);
    }),
    ("the series as globs", |q| {
        q.selector = selector("a*,b", SeriesMode::Glob);
    }),
    ("an earlier start", |q| {
        q.range.start = Timestamp::from_micros(999);
    }),
    ("a later end", |q| {
        q.range.end = Timestamp::from_micros(2_001);
    }),
    ("no filter", |q| q.filter = None),
    ("another leaf", |q| q.filter = Some(filter("rr>1,g<2"))),
    ("another operator", |q| q.filter = Some(filter("r>=1,g<2"))),
    ("another number", |q| q.filter = Some(filter("r>1.5,g<2"))),
    ("one condition", |q| q.filter = Some(filter("r>1"))),
    ("another interval", |q| {
        q.axis = calendar(Interval::Days(2), "Europe/Berlin", Weekday::Monday);
    }),
    ("another unit of interval", |q| {
        q.axis = calendar(Interval::Weeks(1), "Europe/Berlin", Weekday::Monday);
    }),
    ("months", |q| {
        q.axis = calendar(Interval::Months(1), "Europe/Berlin", Weekday::Monday);
    }),
    ("seconds", |q| {
        q.axis = calendar(Interval::Seconds(1), "Europe/Berlin", Weekday::Monday);
    }),
    ("one bucket", |q| {
        q.axis = calendar(Interval::All, "Europe/Berlin", Weekday::Monday);
    }),
    ("another zone", |q| {
        q.axis = calendar(Interval::Days(1), "Europe/Paris", Weekday::Monday);
    }),
    ("another start of the week", |q| {
        q.axis = calendar(Interval::Days(1), "Europe/Berlin", Weekday::Sunday);
    }),
    ("the session's axis", |q| q.axis = offsets("1m")),
    ("the session's axis in other steps", |q| {
        q.axis = offsets("2m");
    }),
    ("another function", |q| q.functions[0] = AggFunction::Min),
    ("functions in another order", |q| q.functions.reverse()),
    ("one function", |q| q.functions.truncate(1)),
    ("another percentile", |q| q.functions[1] = function("p90.1")),
    ("groups of users", |q| q.group_by = GroupBy::User),
    ("no groups", |q| q.group_by = GroupBy::Nothing),
    ("another function over groups", |q| {
        q.over[0] = AggFunction::Min;
    }),
    ("nothing over groups", |q| q.over.clear()),
    ("functions moved to over", |q| {
        q.over.insert(0, AggFunction::Avg);
    }),
    ("another fill", |q| q.fill = Fill::Linear),
    ("no lookback", |q| q.lookback = None),
    ("another lookback", |q| q.lookback = Some(lookback("8d"))),
    ("the same lookback in another unit, as it is shown", |q| {
        q.lookback = Some(lookback("1w"));
    }),
    ("approximate percentiles", |q| q.accuracy = Accuracy::Approx),
    ("an explanation", |q| q.explain = true),
];

#[test]
fn every_change_of_a_query_changes_its_key() {
    let mut keys = vec![("no change", key(&query()))];
    for (label, change) in CHANGES {
        let mut changed = query();
        change(&mut changed);
        keys.push((label, key(&changed)));
    }
    assert_all_differ(&keys);
}

#[test]
fn every_keyword_has_its_own_key() {
    let mut keys = Vec::new();
    for f in
        AggFunction::NAMED
            .into_iter()
            .chain([function("p50"), function("p0"), function("p100")])
    {
        keys.push((
            f.to_string(),
            key(&AggregateSpec {
                functions: vec![f],
                ..query()
            }),
        ));
    }
    for fill in Fill::ALL {
        keys.push((
            fill.name().to_owned(),
            key(&AggregateSpec {
                fill,
                functions: Vec::new(),
                ..query()
            }),
        ));
    }
    for operator in ["=", "!=", "<", "<=", ">", ">="] {
        let filter = Some(filter(&format!("r{operator}1")));
        keys.push((
            operator.to_owned(),
            key(&AggregateSpec { filter, ..query() }),
        ));
    }
    assert_all_differ(&keys);
}

#[test]
fn keys_depend_on_rendering_and_data_version() {
    let other = |version, generation| {
        cache_key(
            &query(),
            &render("json"),
            DataVersion {
                version,
                generation,
            },
        )
    };
    assert_all_differ(&[
        ("no change", key(&query())),
        (
            "another rendering",
            cache_key(&query(), &render("csv"), HEAD),
        ),
        ("another version", other(8, 3)),
        ("another generation", other(7, 4)),
        ("version and generation exchanged", other(3, 7)),
    ]);
}

#[track_caller]
pub(super) fn assert_all_differ<N: std::fmt::Display, K: PartialEq + std::fmt::Debug>(
    keys: &[(N, K)],
) {
    for (i, (one, key)) in keys.iter().enumerate() {
        for (two, other) in &keys[..i] {
            assert_ne!(key, other, "{one} and {two} have the same key");
        }
    }
}

prop_compose! {
    /// A query with few possible parts, so that two are often equal in most of them.
    fn queries()(
        (users, session_id) in (prop::collection::vec((1..3_u128).prop_map(user), 1..3), prop::option::of((1..3_u128).prop_map(session))),
        selector in prop::sample::select(vec!["a", "a,b", "a*", "^a", "b"]).prop_map(|text| selector(text, SeriesMode::Auto)),
        range in (0..2_i64, 2..4_i64).prop_map(|(from, to)| Timestamp::from_micros(from)..Timestamp::from_micros(to)),
        filter in prop::option::of(prop::sample::select(vec!["a<1", "a<2", "a<=1", "b<1", "a<1,b<1"])).prop_map(|text| text.map(filter)),
        axis in prop_oneof![
            (
                prop::sample::select(vec![Interval::Days(1), Interval::Weeks(1), Interval::Seconds(60), Interval::All]),
                prop::sample::select(vec!["UTC", "Europe/Berlin"]),
                prop::sample::select(vec![Weekday::Monday, Weekday::Sunday]),
            ).prop_map(|(interval, zone, week_start)| calendar(interval, zone, week_start)),
            prop::sample::select(vec!["1s", "1m"]).prop_map(offsets),
        ],
        (functions, over) in (
            prop::collection::vec(prop::sample::select(AggFunction::NAMED.to_vec()), 1..3),
            prop::collection::vec(prop::sample::select(AggFunction::NAMED.to_vec()), 0..3),
        ),
        group_by in prop::sample::select(vec![GroupBy::Nothing, GroupBy::User, GroupBy::Session]),
        fill in prop::sample::select(Fill::ALL.to_vec()),
        lookback in prop::option::of(prop::sample::select(vec!["7d", "1w"])).prop_map(|text| text.map(lookback)),
        accuracy in prop::sample::select(vec![Accuracy::Exact, Accuracy::Approx]),
        explain in any::<bool>(),
    ) -> AggregateSpec {
        AggregateSpec {
            users, session_id, selector, range, filter, axis, functions, group_by, over, fill, lookback, accuracy, explain,
        }
    }
}

/// `one` with those parts of `two` whose bits are set in `parts`.
fn mixed(one: &AggregateSpec, two: &AggregateSpec, parts: u16) -> AggregateSpec {
    let from = |part: u16| if parts >> part & 1 == 1 { two } else { one };
    AggregateSpec {
        users: from(0).users.clone(),
        session_id: from(1).session_id,
        selector: from(2).selector.clone(),
        range: from(3).range.clone(),
        filter: from(4).filter.clone(),
        axis: from(5).axis.clone(),
        functions: from(6).functions.clone(),
        group_by: from(7).group_by,
        over: from(8).over.clone(),
        fill: from(9).fill,
        lookback: from(10).lookback,
        accuracy: from(11).accuracy,
        explain: from(12).explain,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// `Debug` shows every part of a query and does not affect its key.
    #[test]
    fn keys_are_equal_if_and_only_if_queries_are(
        one in queries(),
        two in queries(),
        parts in prop_oneof![any::<u16>(), (0..13_u32).prop_map(|part| 1_u16 << part)],
    ) {
        let other = mixed(&one, &two, parts);
        prop_assert_eq!(key(&one) == key(&other), format!("{one:?}") == format!("{other:?}"), "{:?}\n{:?}", one, other);
        prop_assert_eq!(key(&one), key(&one.clone()));
    }
}
