//! The body of a request that posts a session.

use std::fmt::{Display, Write};

use time_series_domain::Timestamp;
use uuid::Uuid;

/// A session being written down as JSON.
pub(crate) struct Body {
    text: String,
    points: usize,
}

impl Body {
    /// Session `number` of that user.
    pub(crate) fn new(user: Uuid, number: usize, start: Timestamp) -> Self {
        let session = Uuid::new_v5(&user, &number.to_le_bytes());
        let text = format!(
            r#"{{"user_id":"{user}","session_id":"{session}","start_ts":"{start}","data":["#
        );
        Self { text, points: 0 }
    }

    /// One more point; `value` is JSON already.
    pub(crate) fn point(&mut self, series: &str, time: Timestamp, value: impl Display) {
        let comma = if self.points == 0 { "" } else { "," };
        self.points += 1;
        // Writing to a string never fails.
        write!(
            self.text,
            r#"{comma}{{"series":"{series}","time":"{time}","value":{value}}}"#
        )
        .ok();
    }

    /// Points of a series, one a second; `values` is JSON already.
    pub(crate) fn columns(&mut self, series: &str, start: Timestamp, values: impl Display) {
        let comma = if self.points == 0 { "" } else { "," };
        self.points += 1;
        let times = format_args!(r#"{{"start":"{start}","step":"1s"}}"#);
        write!(
            self.text,
            r#"{comma}{{"series":"{series}","times":{times},"values":{values}}}"#
        )
        .ok();
    }

    /// The whole session.
    pub(crate) fn end(mut self) -> String {
        self.text.push_str("]}");
        self.text
    }
}
