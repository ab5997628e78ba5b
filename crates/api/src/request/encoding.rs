//! Content encodings of request bodies, and protection against decompression bombs.

use std::io::{self, BufRead, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use actix_web::http::header::{CONTENT_ENCODING, HeaderMap};
use time_series_domain::text::echo;

use crate::problem::{Code, Problem};

/// Maximum window of a zstd frame, as a power of two: 8 MiB, as RFC 8878 recommends.
const ZSTD_WINDOW_LOG: u32 = 23;
/// Compressed bytes that are accepted without any output: headers, empty members.
const ALLOWED_OVERHEAD_BYTES: u64 = 64 << 10;
/// Decompressed length above which a body must not exceed [`MAX_RATIO`].
const RATIO_CHECK_BYTES: u64 = 16 << 20;
/// Maximum ratio of decompressed to compressed length. Deflate reaches 1,032, zstd far more;
/// sessions that differ in times and values stay below 60.
const MAX_RATIO: u64 = 400;

/// The encoding that `Content-Encoding` names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Identity,
    Gzip,
    Zstd,
}

/// Counts the bytes into and out of the decompression.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    compressed: AtomicU64,
    decompressed: AtomicU64,
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
                    "Content-Encoding {:?} is not supported. Use gzip, zstd or no encoding.",
                    echo(other)
                );
                Err(Problem::new(Code::UnsupportedEncoding, detail))
            }
        }
    }

    /// Returns whether the body is compressed.
    pub(crate) const fn is_compressed(self) -> bool {
        !matches!(self, Self::Identity)
    }

    /// Returns a reader that decompresses `compressed` as it is read. Reading fails on input that
    /// costs much work for little output, and on input that expands too much.
    pub(crate) fn decompress<'a>(
        self,
        compressed: impl BufRead + Send + 'a,
    ) -> io::Result<Box<dyn Read + Send + 'a>> {
        let meter = Arc::<Meter>::default();
        let metered = MeteredInput {
            inner: compressed,
            meter: meter.clone(),
        };
        let decompressed: Box<dyn Read + Send + 'a> = match self {
            Self::Identity => return Ok(Box::new(metered.inner)),
            Self::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(metered)),
            Self::Zstd => {
                let mut decoder = zstd::Decoder::with_buffer(metered)?;
                decoder.window_log_max(ZSTD_WINDOW_LOG)?;
                Box::new(decoder)
            }
        };
        Ok(Box::new(MeteredOutput {
            inner: decompressed,
            meter,
        }))
    }
}

impl Meter {
    /// Rejects input without output: two million empty gzip members take eleven seconds.
    fn check_input(&self) -> io::Result<()> {
        let compressed = self.compressed.load(Ordering::Relaxed);
        let decompressed = self.decompressed.load(Ordering::Relaxed);
        if compressed <= ALLOWED_OVERHEAD_BYTES + decompressed + decompressed / 8 {
            return Ok(());
        }
        Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "it is longer compressed than decompressed; compress it as one gzip member or zstd \
             frame, or send it uncompressed",
        ))
    }

    fn check_output(&self) -> io::Result<()> {
        let compressed = self.compressed.load(Ordering::Relaxed);
        let decompressed = self.decompressed.load(Ordering::Relaxed);
        if decompressed <= RATIO_CHECK_BYTES || decompressed / MAX_RATIO <= compressed {
            return Ok(());
        }
        Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!(
                "it decompresses to more than {MAX_RATIO} times its length; send it uncompressed"
            ),
        ))
    }
}

/// Counts the compressed bytes.
struct MeteredInput<R> {
    inner: R,
    meter: Arc<Meter>,
}

impl<R: BufRead> Read for MeteredInput<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.meter.check_input()?;
        let read = self.inner.read(buffer)?;
        self.meter
            .compressed
            .fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

impl<R: BufRead> BufRead for MeteredInput<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.meter.check_input()?;
        // Small slices make the check frequent.
        let bytes = self.inner.fill_buf()?;
        Ok(&bytes[..bytes.len().min(4 << 10)])
    }

    fn consume(&mut self, bytes: usize) {
        self.meter
            .compressed
            .fetch_add(bytes as u64, Ordering::Relaxed);
        self.inner.consume(bytes);
    }
}

/// Counts the decompressed bytes.
struct MeteredOutput<R> {
    inner: R,
    meter: Arc<Meter>,
}

impl<R: Read> Read for MeteredOutput<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.meter
            .decompressed
            .fetch_add(read as u64, Ordering::Relaxed);
        self.meter.check_output()?;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).expect("gzip succeeds");
        encoder.finish().expect("gzip succeeds")
    }

    fn decompressed_length(encoding: Encoding, compressed: &[u8]) -> io::Result<u64> {
        io::copy(&mut encoding.decompress(compressed)?, &mut io::sink())
    }

    #[test]
    fn names_are_case_insensitive_and_other_encodings_are_rejected() {
        assert_eq!(Encoding::parse(" GZip ").ok(), Some(Encoding::Gzip));
        assert!(Encoding::parse("br").is_err());
    }

    #[test]
    fn several_members_and_frames_are_concatenated() {
        let text = b"some bytes of a body, again and again and again".repeat(100);
        let gzipped = gzip(&text).repeat(50);
        assert_eq!(
            decompressed_length(Encoding::Gzip, &gzipped).ok(),
            Some(50 * text.len() as u64)
        );
        let frames = zstd::encode_all(text.as_slice(), 3)
            .expect("zstd succeeds")
            .repeat(50);
        assert_eq!(
            decompressed_length(Encoding::Zstd, &frames).ok(),
            Some(50 * text.len() as u64)
        );
    }

    #[test]
    fn empty_and_tiny_members_and_frames_are_rejected() {
        for content in ["", "1", "12345678"] {
            let members = gzip(content.as_bytes()).repeat(100_000);
            assert_eq!(
                decompressed_length(Encoding::Gzip, &members).map_err(|e| e.kind()),
                Err(io::ErrorKind::InvalidData),
                "{content}"
            );
            let frames = zstd::encode_all(content.as_bytes(), 3)
                .expect("zstd succeeds")
                .repeat(100_000);
            assert_eq!(
                decompressed_length(Encoding::Zstd, &frames).map_err(|e| e.kind()),
                Err(io::ErrorKind::InvalidData),
                "{content}"
            );
        }
    }

    #[test]
    fn a_decompression_bomb_is_rejected() {
        let zeros = vec![0; 64 << 20];
        assert_eq!(
            decompressed_length(Encoding::Gzip, &gzip(&zeros)).map_err(|e| e.kind()),
            Err(io::ErrorKind::FileTooLarge)
        );
        let zstd = zstd::encode_all(zeros.as_slice(), 3).expect("zstd succeeds");
        assert_eq!(
            decompressed_length(Encoding::Zstd, &zstd).map_err(|e| e.kind()),
            Err(io::ErrorKind::FileTooLarge)
        );
    }
}
