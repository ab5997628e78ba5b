//! JSON that keeps what was sent: exact numbers, no duplicate keys, nothing PostgreSQL would refuse later.

mod number;
pub(crate) mod numbers;
mod parse;
mod value;

pub use number::{MAX_MAGNITUDE, Number, NumberError};
pub use parse::{JsonError, JsonErrorKind, MAX_DEPTH, MAX_VALUE_BYTES, RawFields};
pub use value::Json;
