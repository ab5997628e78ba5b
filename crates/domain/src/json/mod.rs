//! Lossless JSON: exact numbers, unique keys, and only text that PostgreSQL can store.

mod error;
mod number;
mod number_tokens;
#[cfg(feature = "schema")]
pub(crate) mod numbers;
mod parse;
mod pointer;
mod raw_fields;
mod value;

pub use error::{JsonError, JsonErrorKind};
pub use number::{MAX_MAGNITUDE, Number, NumberError};
pub use parse::{MAX_DEPTH, MAX_VALUE_BYTES};
pub use pointer::{Pointer, PointerError};
pub use raw_fields::RawFields;
pub use value::Json;
