//! Digests over decoded values, by which sessions are compared.

use super::columnar_series::ColumnarSeries;
use super::shape::Shape;
use crate::{Json, Timestamp};

/// Version of the encoding below, the first byte of every digest.
const VERSION: u8 = 2;
const HASH_BYTES: usize = 16;

/// A version byte and 128 bits of BLAKE3 over points in (series, time, arrival) order.
///
/// Times are hashed in microseconds, numbers as bits (or as digits if a double is not exact), and
/// keys in sorted order. The spelling of a number or a time makes no difference. The digest of a
/// session covers its `start_ts` and the digest of its points, but not its ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; 1 + HASH_BYTES]);

impl Digest {
    /// Returns the digest of the session with these points and this start.
    #[must_use]
    pub fn with_start(self, start_ts: Option<Timestamp>) -> Self {
        let mut hasher = Hasher::new();
        if let Some(start) = start_ts {
            hash_time(&mut hasher, start);
        }
        hasher.update(&self.0);
        hasher.digest()
    }

    /// Reads a stored digest; `None` if the length is wrong.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The 17 bytes to be stored.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Collects small inputs and hashes them together, which takes a fraction of the time.
struct Hasher {
    hasher: blake3::Hasher,
    buffer: Vec<u8>,
}

impl Hasher {
    /// Bytes that are hashed together.
    const BUFFER_BYTES: usize = 64 << 10;

    fn new() -> Self {
        Self {
            hasher: blake3::Hasher::new(),
            buffer: Vec::new(),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= Self::BUFFER_BYTES {
            self.hasher.update(&self.buffer);
            self.buffer.clear();
        }
    }

    fn digest(mut self) -> Digest {
        self.hasher.update(&self.buffer);
        let mut bytes = [VERSION; 1 + HASH_BYTES];
        bytes[1..].copy_from_slice(&self.hasher.finalize().as_bytes()[..HASH_BYTES]);
        Digest(bytes)
    }
}

/// Computes the digest of points that are added by series name, then time, then arrival.
pub(super) struct DigestBuilder(Hasher);

impl DigestBuilder {
    pub(super) fn new() -> Self {
        Self(Hasher::new())
    }

    /// Starts the next series.
    pub(super) fn series(&mut self, name: &str) {
        hash_bytes(&mut self.0, b's', name.as_bytes());
    }

    /// Adds the next point of the series.
    pub(super) fn point(&mut self, time: Timestamp, value: &Json) {
        hash_time(&mut self.0, time);
        hash_json(&mut self.0, value);
    }

    /// Adds all points of the series.
    pub(super) fn numbers(&mut self, series: &ColumnarSeries) {
        hash_numeric(&mut self.0, series);
    }

    pub(super) fn finish(self) -> Digest {
        self.0.digest()
    }
}

/// Hashes columns to the digest of the same points added one by one.
fn hash_numeric(hasher: &mut Hasher, series: &ColumnarSeries) {
    let object_start = match &series.shape {
        Shape::Object(keys) => tagged(b'{', &(keys.len() as u64).to_le_bytes()),
        Shape::Number => Vec::new(),
    };
    let mut leaves: Vec<(Vec<u8>, &[f64])> = Vec::new();
    for (key, leaf) in series.shape.by_key() {
        let key = key.map_or_else(Vec::new, |key| tagged(b'k', key.as_bytes()));
        leaves.push((key, series.column(leaf)));
    }
    for (index, time) in series.times.iter().enumerate() {
        hash_time(hasher, *time);
        hasher.update(&object_start);
        for (key, column) in &leaves {
            hasher.update(key);
            hash_double(hasher, column[index]);
        }
    }
}

fn hash_double(hasher: &mut Hasher, number: f64) {
    hasher.update(b"f");
    hasher.update(&number.to_bits().to_le_bytes());
}

fn hash_time(hasher: &mut Hasher, t: Timestamp) {
    hasher.update(b"t");
    hasher.update(&t.micros().to_le_bytes());
}

/// Returns the bytes that [`hash_bytes`] hashes.
fn tagged(tag: u8, bytes: &[u8]) -> Vec<u8> {
    [&[tag], &(bytes.len() as u64).to_le_bytes()[..], bytes].concat()
}

fn hash_bytes(hasher: &mut Hasher, tag: u8, bytes: &[u8]) {
    hasher.update(&[tag]);
    hasher.update(&(bytes.len() as u64).to_le_bytes());
    hasher.update(bytes);
}

fn hash_json(hasher: &mut Hasher, value: &Json) {
    match value {
        Json::Null => {
            hasher.update(b"0");
        }
        Json::Bool(b) => {
            hasher.update(if *b { b"y" } else { b"n" });
        }
        Json::Number(n) => {
            if let Some(decimal) = n.exact_decimal() {
                hash_bytes(hasher, b'd', decimal.as_bytes());
            } else {
                hash_double(hasher, n.as_f64());
            }
        }
        Json::String(s) => hash_bytes(hasher, b'"', s.as_bytes()),
        Json::Array(items) => {
            hash_bytes(hasher, b'[', &(items.len() as u64).to_le_bytes());
            for item in items {
                hash_json(hasher, item);
            }
        }
        Json::Object(members) => {
            hash_bytes(hasher, b'{', &(members.len() as u64).to_le_bytes());
            for (key, member) in members {
                hash_bytes(hasher, b'k', key.as_bytes());
                hash_json(hasher, member);
            }
        }
    }
}
