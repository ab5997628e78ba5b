//! A cache whose entries are authenticated, for caches that others can write to.

use std::sync::Arc;

use async_trait::async_trait;
use time_series_domain::MacKey;
use time_series_domain::ports::{AnswerCache, SecretStore};

/// Context from which the key of the authentication codes is derived.
const CONTEXT: &str = "time-series-backend 2026-11-27 answer cache entries";
/// Version of the entry format.
const FORMAT: u8 = 1;
const TAG: usize = 32;
/// Bytes that are hashed before the task yields: 0.2 ms.
const STEP: usize = 256 << 10;
/// Bytes of an entry after its answer: the format and the code.
const TRAILER: usize = 1 + TAG;

/// Authenticates the entries of another cache.
///
/// An entry is the answer, the format's version, and a keyed BLAKE3 code over version, key and
/// answer. An entry that this service did not store under its key is a miss.
pub struct AuthenticatedCache<C> {
    inner: C,
    secrets: Arc<dyn SecretStore>,
}

impl<C: AnswerCache> AuthenticatedCache<C> {
    /// Authenticates the entries of `inner`.
    pub const fn new(inner: C, secrets: Arc<dyn SecretStore>) -> Self {
        Self { inner, secrets }
    }

    /// Returns the key, or `None` while the secret cannot be loaded. The cache is then bypassed.
    async fn mac_key(&self) -> Option<MacKey> {
        match self.secrets.secret().await {
            Ok(secret) => Some(secret.mac_key(CONTEXT)),
            Err(e) => {
                tracing::warn!(error = %e, "cannot load the service's secret; bypassing the cache");
                None
            }
        }
    }
}

#[async_trait]
impl<C: AnswerCache> AnswerCache for AuthenticatedCache<C> {
    async fn get(&self, key: &str) -> Option<Vec<u8>> {
        let mac_key = self.mac_key().await?;
        let answer = open(&mac_key, key, self.inner.get(key).await?).await;
        if answer.is_none() {
            metrics::counter!("cache_rejected_total").increment(1);
            tracing::debug!(
                "a cache entry was rejected: this service did not store it under its key"
            );
        }
        answer
    }

    async fn put(&self, key: &str, answer: &[u8]) {
        if let Some(mac_key) = self.mac_key().await {
            self.inner
                .put(key, &seal(&mac_key, key, answer).await)
                .await;
        }
    }
}

/// Returns the entry of an answer.
async fn seal(mac_key: &MacKey, key: &str, answer: &[u8]) -> Vec<u8> {
    let mut entry = Vec::with_capacity(answer.len() + TRAILER);
    entry.extend_from_slice(answer);
    entry.push(FORMAT);
    entry.extend_from_slice(tag(mac_key, key, answer).await.as_bytes());
    entry
}

/// Returns the answer of an entry that was sealed under `key`.
async fn open(mac_key: &MacKey, key: &str, mut entry: Vec<u8>) -> Option<Vec<u8>> {
    let trailer = entry.split_off(entry.len().checked_sub(TRAILER)?);
    let (&format, found) = trailer.split_first()?;
    let found: [u8; TAG] = found.try_into().ok()?;
    // Comparing hashes takes constant time.
    (format == FORMAT && tag(mac_key, key, &entry).await == found).then_some(entry)
}

async fn tag(mac_key: &MacKey, key: &str, answer: &[u8]) -> blake3::Hash {
    let mut hasher = mac_key.hasher();
    hasher
        .part(1)
        .update(&[FORMAT])
        .part(key.len())
        .update(key.as_bytes())
        .part(answer.len());
    let mut steps = answer.chunks(STEP).peekable();
    while let Some(step) = steps.next() {
        hasher.update(step);
        if steps.peek().is_some() {
            tokio::task::yield_now().await;
        }
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use time_series_domain::RootSecret;
    use time_series_testkit::fuzz;

    use super::*;
    use crate::local::{FixedSecret, MokaCache};

    const KEY: &str = "answer:3:aa";
    const SECRET: &str = "a secret of at least 32 characters";

    fn cache() -> AuthenticatedCache<MokaCache> {
        with_secret(SECRET)
    }

    fn with_secret(text: &str) -> AuthenticatedCache<MokaCache> {
        AuthenticatedCache::new(MokaCache::new(16 << 20), Arc::new(FixedSecret::new(text)))
    }

    fn mac_key() -> MacKey {
        RootSecret::new(SECRET.as_bytes()).mac_key(CONTEXT)
    }

    /// The entry as the inner cache holds it.
    async fn stored(cache: &AuthenticatedCache<MokaCache>, key: &str) -> Vec<u8> {
        cache.inner.get(key).await.expect("an entry")
    }

    #[tokio::test]
    async fn get_returns_the_answer_that_was_put() {
        let cache = cache();
        for bytes in [0, 2, STEP, STEP + 1, 2 * STEP + 1] {
            let answer = vec![b'x'; bytes];
            cache.put(KEY, &answer).await;
            assert!(cache.get(KEY).await == Some(answer), "{bytes} bytes");
            assert_eq!(stored(&cache, KEY).await.len(), bytes + TRAILER);
        }
        assert_eq!(cache.get("answer:3:bb").await, None);
    }

    #[tokio::test]
    async fn an_entry_moved_to_another_key_is_a_miss() {
        let cache = cache();
        cache.put("answer:3:bb", b"another user's").await;
        cache
            .inner
            .put(KEY, &stored(&cache, "answer:3:bb").await)
            .await;
        assert_eq!(cache.get(KEY).await, None);
    }

    #[tokio::test]
    async fn an_entry_of_another_secret_is_a_miss() {
        let (ours, theirs) = (
            cache(),
            with_secret("another secret of 32 characters or so"),
        );
        theirs.put(KEY, b"{}").await;
        ours.inner.put(KEY, &stored(&theirs, KEY).await).await;
        assert_eq!(ours.get(KEY).await, None);
    }

    #[tokio::test]
    async fn an_entry_of_another_format_is_a_miss() {
        let cache = cache();
        cache.put(KEY, b"{}").await;
        let mut entry = stored(&cache, KEY).await;
        entry[2] = FORMAT + 1;
        cache.inner.put(KEY, &entry).await;
        assert_eq!(cache.get(KEY).await, None);
        // Also with a code that is valid for the other format.
        let code = mac_key().tag(&[&[FORMAT + 1], KEY.as_bytes(), b"{}"]);
        entry.splice(3.., *code.as_bytes());
        cache.inner.put(KEY, &entry).await;
        assert_eq!(cache.get(KEY).await, None);
    }

    #[tokio::test]
    async fn a_rejected_entry_is_replaced_by_the_next_put() {
        let cache = cache();
        cache.inner.put(KEY, b"<script>").await;
        assert_eq!(cache.get(KEY).await, None);
        cache.put(KEY, b"{}").await;
        assert_eq!(cache.get(KEY).await.as_deref(), Some(&b"{}"[..]));
    }

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime")
    }

    #[test]
    fn arbitrary_bytes_are_a_miss() {
        let (mac_key, runtime) = (mac_key(), runtime());
        let open = |entry| runtime.block_on(open(&mac_key, KEY, entry));
        fuzz(vec(any::<u8>(), 0..200), |entry| {
            assert_eq!(open(entry), None);
        });
    }

    /// One kind of damage to an entry.
    #[derive(Debug, Clone)]
    enum Damage {
        FlippedBit(prop::sample::Index),
        Cut(prop::sample::Index),
        Inserted(prop::sample::Index, Vec<u8>),
        OtherKey(String),
    }

    fn damage() -> impl Strategy<Value = Damage> {
        prop_oneof![
            any::<prop::sample::Index>().prop_map(Damage::FlippedBit),
            any::<prop::sample::Index>().prop_map(Damage::Cut),
            (any::<prop::sample::Index>(), vec(any::<u8>(), 1..40))
                .prop_map(|(at, bytes)| Damage::Inserted(at, bytes)),
            ".{0,20}".prop_map(Damage::OtherKey),
        ]
    }

    #[test]
    fn a_damaged_entry_is_a_miss() {
        let (mac_key, runtime) = (mac_key(), runtime());
        let open = |key: &str, entry| runtime.block_on(open(&mac_key, key, entry));
        fuzz((vec(any::<u8>(), 0..200), damage()), |(answer, damage)| {
            let mut entry = runtime.block_on(seal(&mac_key, KEY, &answer));
            assert_eq!(open(KEY, entry.clone()), Some(answer));
            let mut key = KEY.to_owned();
            match damage {
                Damage::FlippedBit(at) => {
                    let bit = at.index(entry.len() * 8);
                    entry[bit / 8] ^= 1 << (bit % 8);
                }
                Damage::Cut(at) => entry.truncate(at.index(entry.len())),
                Damage::Inserted(at, bytes) => {
                    let at = at.index(entry.len() + 1);
                    entry.splice(at..at, bytes);
                }
                Damage::OtherKey(other) if other == KEY => return,
                Damage::OtherKey(other) => key = other,
            }
            assert_eq!(open(&key, entry), None);
        });
    }
}
