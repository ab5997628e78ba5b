//! Declarations of the parameters that several endpoints share.

use time_series_domain::SeriesMode;
use time_series_domain::query::ValueFilter;

use super::parameter::{Choice, Number, Text, Texts};

pub(crate) static SERIES: Texts = Texts::many(
    "series",
    "The series; all by default. Comma-separated and repeatable. A name is exact; a part with `*` \
     is a glob over the whole name; anything else (`^session\\.`) is one regular expression, \
     searched in the name.",
)
.example(r#"["session.gut_health_score","session.urine.*"]"#);

pub(crate) static SERIES_MODE: Choice<SeriesMode> = Choice::new(
    "series_mode",
    &[
        ("exact", SeriesMode::Exact),
        ("glob", SeriesMode::Glob),
        ("regex", SeriesMode::Regex),
    ],
    "How `series` is parsed: `exact`, `glob` or `regex` (commas belong to the expression). By \
     default its characters decide.",
);

pub(crate) static WHERE: Text<ValueFilter> = Text::new(
    "where",
    |text| ValueFilter::parse(text).map_err(|e| e.to_string()),
    "Only points whose numeric leaves meet these conditions: leaf, one of `= != < <= > >=`, \
     number; a comma means and. The leaf of a bare number is `value`.",
)
.example("value>=20");

pub(crate) static MIN_VERSION: Number<u64> = Number::new(
    "min_version",
    0,
    u64::MAX,
    "Waits up to 5 seconds until the user's data has reached this version, otherwise returns 412.",
);

pub(crate) static IS_FLAT: Choice<bool> = Choice::new(
    "shape",
    &[("nested", false), ("flat", true)],
    "`flat`: one row per leaf (always so in csv, arrow and parquet). `nested` by default.",
)
.example("flat");

pub(crate) static IS_COLUMNS: Choice<bool> = Choice::new(
    "layout",
    &[("rows", false), ("columns", true)],
    "`columns`: arrays by series and leaf, as plotting libraries expect (JSON only). `rows` by \
     default.",
)
.example("rows");
