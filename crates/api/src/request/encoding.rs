//! How a body is packed.

use std::io::{BufRead, Read};

use actix_web::http::header::{CONTENT_ENCODING, HeaderMap};
use time_series_domain::text::echo;

use crate::problem::{Code, Problem};

/// A zstd frame may ask for a window of at most 8 MiB, as RFC 8878 recommends.
const ZSTD_WINDOW_LOG: u32 = 23;

/// What `Content-Encoding` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Identity,
    Gzip,
    Zstd,
}

impl Encoding {
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let Some(value) = headers.get(CONTENT_ENCODING) else { return Ok(Self::Identity) };
        Self::parse(value.to_str().unwrap_or("?"))
    }

    fn parse(text: &str) -> Result<Self, Problem> {
        match text.trim().to_ascii_lowercase().as_str() {
            "identity" => Ok(Self::Identity),
            "gzip" => Ok(Self::Gzip),
            "zstd" => Ok(Self::Zstd),
            other => {
                let detail = format!("Content-Encoding {:?} is not supported; use gzip, zstd or none.", echo(other));
                Err(Problem::new(Code::UnsupportedEncoding, detail))
            }
        }
    }

    /// Unpacks what `packed` gives, as it is read.
    pub(crate) fn unpack<'a>(self, packed: impl BufRead + Send + 'a) -> std::io::Result<Box<dyn Read + Send + 'a>> {
        Ok(match self {
            Self::Identity => Box::new(packed),
            Self::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(packed)),
            Self::Zstd => {
                let mut decoder = zstd::Decoder::with_buffer(packed)?;
                decoder.window_log_max(ZSTD_WINDOW_LOG)?;
                Box::new(decoder)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Encoding;

    #[test]
    fn spelling_does_not_matter_and_others_are_refused() {
        assert_eq!(Encoding::parse(" GZip ").ok(), Some(Encoding::Gzip));
        assert!(Encoding::parse("br").is_err());
    }
}
