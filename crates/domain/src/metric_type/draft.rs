//! The JSON Schema draft of a document.

use jsonschema::Draft;
use serde_json::Value;

/// Returns the draft that `$schema` names, or draft 7 without `$schema`; `None` for an unknown
/// draft.
pub(super) fn draft_of(document: &Value) -> Option<Draft> {
    let Some(named) = document.get("$schema") else {
        return Some(Draft::Draft7);
    };
    let uri = named.as_str().unwrap_or_default().trim_end_matches('#');
    let uri = uri
        .strip_prefix("https://")
        .or_else(|| uri.strip_prefix("http://"))?;
    match uri {
        "json-schema.org/draft-04/schema" => Some(Draft::Draft4),
        "json-schema.org/draft-06/schema" => Some(Draft::Draft6),
        "json-schema.org/draft-07/schema" => Some(Draft::Draft7),
        "json-schema.org/draft/2019-09/schema" => Some(Draft::Draft201909),
        "json-schema.org/draft/2020-12/schema" => Some(Draft::Draft202012),
        _ => None,
    }
}

/// Returns whether keywords beside `$ref` are ignored, as in draft 7 and earlier.
pub(super) fn ignores_siblings_of_ref(draft: Draft) -> bool {
    matches!(draft, Draft::Draft4 | Draft::Draft6 | Draft::Draft7)
}
