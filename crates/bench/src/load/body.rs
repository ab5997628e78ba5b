//! Request bodies that store a session.

use std::fmt::{Display, Write};

use time_series_domain::Timestamp;
use uuid::Uuid;

/// A builder of a session in JSON.
pub(crate) struct Body {
    text: String,
    entries: usize,
}

impl Body {
    /// Begins session `number` of `user`.
    pub(crate) fn new(user: Uuid, number: usize, start: Timestamp) -> Self {
        let session = session_id(user, number);
        let text = format!(
            r#"{{"user_id":"{user}","session_id":"{session}","start_ts":"{start}","data":["#
        );
        Self { text, entries: 0 }
    }

    /// Adds a point; `value` is JSON.
    pub(crate) fn point(&mut self, series: &str, time: Timestamp, value: impl Display) {
        self.entry(format_args!(
            r#"{{"series":"{series}","time":"{time}","value":{value}}}"#
        ));
    }

    /// Adds the columns of a series with one point per second; `values` is JSON.
    pub(crate) fn columns(&mut self, series: &str, start: Timestamp, values: impl Display) {
        let times = format_args!(r#"{{"start":"{start}","step":"1s"}}"#);
        self.entry(format_args!(
            r#"{{"series":"{series}","times":{times},"values":{values}}}"#
        ));
    }

    fn entry(&mut self, entry: impl Display) {
        let comma = if self.entries == 0 { "" } else { "," };
        self.entries += 1;
        // Writing to a string never fails.
        write!(self.text, "{comma}{entry}").ok();
    }

    /// Returns the complete session.
    pub(crate) fn end(mut self) -> String {
        self.text.push_str("]}");
        self.text
    }
}

/// Returns the id of session `number` of `user`.
pub(crate) fn session_id(user: Uuid, number: usize) -> Uuid {
    Uuid::new_v5(&user, &number.to_le_bytes())
}
