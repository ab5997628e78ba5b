//! How a body is packed.

use std::io::{self, BufRead, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use actix_web::http::header::{CONTENT_ENCODING, HeaderMap};
use time_series_domain::text::echo;

use crate::problem::{Code, Problem};

/// A zstd frame may ask for a window of at most 8 MiB, as RFC 8878 recommends.
const ZSTD_WINDOW_LOG: u32 = 23;
/// Packed bytes that may give nothing at all: headers, empty members.
const FREE_BYTES: u64 = 64 << 10;
/// A body that has unpacked to more than this may not be more than [`BOMB_RATIO`] times as long as it was packed.
const BOMB_BYTES: u64 = 16 << 20;
/// Deflate reaches 1,032, zstd far more. Sessions that differ in times and values stay below 60.
const BOMB_RATIO: u64 = 400;

/// What `Content-Encoding` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Identity,
    Gzip,
    Zstd,
}

/// The bytes that went into unpacking, and those that came out.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    packed: AtomicU64,
    unpacked: AtomicU64,
}

impl Encoding {
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let Some(value) = headers.get(CONTENT_ENCODING) else {
            return Ok(Self::Identity);
        };
        Self::parse(value.to_str().unwrap_or("?"))
    }

    fn parse(text: &str) -> Result<Self, Problem> {
        match text.trim().to_ascii_lowercase().as_str() {
            "identity" => Ok(Self::Identity),
            "gzip" => Ok(Self::Gzip),
            "zstd" => Ok(Self::Zstd),
            other => {
                let detail = format!(
                    "Content-Encoding {:?} is not supported; use gzip, zstd or none.",
                    echo(other)
                );
                Err(Problem::new(Code::UnsupportedEncoding, detail))
            }
        }
    }

    /// Returns whether the body is compressed.
    pub(crate) const fn is_packed(self) -> bool {
        !matches!(self, Self::Identity)
    }

    /// Unpacks what `packed` gives, as it is read. Fails on what is packed so that unpacking is all work and no bytes, or all
    /// bytes and no work.
    pub(crate) fn unpack<'a>(
        self,
        packed: impl BufRead + Send + 'a,
    ) -> io::Result<Box<dyn Read + Send + 'a>> {
        let meter = Arc::<Meter>::default();
        let metered = Metered {
            inner: packed,
            meter: meter.clone(),
        };
        let unpacked: Box<dyn Read + Send + 'a> = match self {
            Self::Identity => return Ok(Box::new(metered.inner)),
            Self::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(metered)),
            Self::Zstd => {
                let mut decoder = zstd::Decoder::with_buffer(metered)?;
                decoder.window_log_max(ZSTD_WINDOW_LOG)?;
                Box::new(decoder)
            }
        };
        Ok(Box::new(Unpacked {
            inner: unpacked,
            meter,
        }))
    }
}

impl Meter {
    /// Refuses input that gives nothing: two million empty gzip members take eleven seconds.
    fn check_packed(&self) -> io::Result<()> {
        let (packed, unpacked) = (
            self.packed.load(Ordering::Relaxed),
            self.unpacked.load(Ordering::Relaxed),
        );
        if packed <= FREE_BYTES + unpacked + unpacked / 8 {
            return Ok(());
        }
        Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "it is packed into more bytes than it unpacks to; pack it as one gzip member or zstd frame, or send it plain",
        ))
    }

    fn check_unpacked(&self) -> io::Result<()> {
        let (packed, unpacked) = (
            self.packed.load(Ordering::Relaxed),
            self.unpacked.load(Ordering::Relaxed),
        );
        if unpacked <= BOMB_BYTES || unpacked / BOMB_RATIO <= packed {
            return Ok(());
        }
        Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!(
                "it unpacks to more than {BOMB_RATIO} times its length; send it packed less, or plain"
            ),
        ))
    }
}

/// Counts the packed bytes.
struct Metered<R> {
    inner: R,
    meter: Arc<Meter>,
}

impl<R: BufRead> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.meter.check_packed()?;
        let read = self.inner.read(buffer)?;
        self.meter.packed.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Metered<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.meter.check_packed()?;
        // In small bites: the check comes before each.
        let bytes = self.inner.fill_buf()?;
        Ok(&bytes[..bytes.len().min(4 << 10)])
    }

    fn consume(&mut self, bytes: usize) {
        self.meter.packed.fetch_add(bytes as u64, Ordering::Relaxed);
        self.inner.consume(bytes);
    }
}

/// Counts the unpacked bytes.
struct Unpacked<R> {
    inner: R,
    meter: Arc<Meter>,
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.meter
            .unpacked
            .fetch_add(read as u64, Ordering::Relaxed);
        self.meter.check_unpacked()?;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).expect("packs");
        encoder.finish().expect("packs")
    }

    fn unpack(encoding: Encoding, packed: &[u8]) -> io::Result<u64> {
        io::copy(&mut encoding.unpack(packed)?, &mut io::sink())
    }

    #[test]
    fn spelling_does_not_matter_and_others_are_refused() {
        assert_eq!(Encoding::parse(" GZip ").ok(), Some(Encoding::Gzip));
        assert!(Encoding::parse("br").is_err());
    }

    #[test]
    fn members_and_frames_follow_each_other() {
        let text = b"some bytes of a body, again and again and again".repeat(100);
        let gzipped = gzip(&text).repeat(50);
        assert_eq!(
            unpack(Encoding::Gzip, &gzipped).ok(),
            Some(50 * text.len() as u64)
        );
        let frames = zstd::encode_all(text.as_slice(), 3)
            .expect("packs")
            .repeat(50);
        assert_eq!(
            unpack(Encoding::Zstd, &frames).ok(),
            Some(50 * text.len() as u64)
        );
    }

    #[test]
    fn empty_and_tiny_members_and_frames_are_refused() {
        for content in ["", "1", "12345678"] {
            let members = gzip(content.as_bytes()).repeat(100_000);
            assert_eq!(
                unpack(Encoding::Gzip, &members).map_err(|e| e.kind()),
                Err(io::ErrorKind::InvalidData),
                "{content}"
            );
            let frames = zstd::encode_all(content.as_bytes(), 3)
                .expect("packs")
                .repeat(100_000);
            assert_eq!(
                unpack(Encoding::Zstd, &frames).map_err(|e| e.kind()),
                Err(io::ErrorKind::InvalidData),
                "{content}"
            );
        }
    }

    #[test]
    fn a_bomb_is_refused_soon() {
        let zeros = vec![0; 64 << 20];
        assert_eq!(
            unpack(Encoding::Gzip, &gzip(&zeros)).map_err(|e| e.kind()),
            Err(io::ErrorKind::FileTooLarge)
        );
        let zstd = zstd::encode_all(zeros.as_slice(), 3).expect("packs");
        assert_eq!(
            unpack(Encoding::Zstd, &zstd).map_err(|e| e.kind()),
            Err(io::ErrorKind::FileTooLarge)
        );
    }
}
