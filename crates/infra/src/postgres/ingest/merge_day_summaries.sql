-- The arrays are sorted by key, and a key must occur only once.
INSERT INTO day_summary AS kept (user_id, channel_id, day, n, sum, m2, min, max, first_at, first, last_at, last)
SELECT a.user_id, a.channel_id, a.day, a.n, a.sum, a.m2, a.min, a.max, a.first_at, a.first, a.last_at, a.last
FROM unnest(
    $1::uuid[], $2::int[], $3::date[], $4::bigint[], $5::float8[], $6::float8[], $7::float8[], $8::float8[],
    $9::timestamptz[], $10::float8[], $11::timestamptz[], $12::float8[]
) AS a (user_id, channel_id, day, n, sum, m2, min, max, first_at, first, last_at, last)
ON CONFLICT (user_id, channel_id, day) DO UPDATE SET
    n        = kept.n + excluded.n,
    sum      = kept.sum + excluded.sum,
    m2       = (float8_combine(ARRAY[kept.n, kept.sum, kept.m2], ARRAY[excluded.n, excluded.sum, excluded.m2]))[3],
    min      = CASE WHEN precedes(excluded.min, kept.min) THEN excluded.min ELSE kept.min END,
    max      = CASE WHEN precedes(kept.max, excluded.max) THEN excluded.max ELSE kept.max END,
    first_at = LEAST(kept.first_at, excluded.first_at),
    first    = CASE WHEN excluded.first_at < kept.first_at
                      OR excluded.first_at = kept.first_at AND precedes(excluded.first, kept.first)
                    THEN excluded.first ELSE kept.first END,
    last_at  = GREATEST(kept.last_at, excluded.last_at),
    last     = CASE WHEN excluded.last_at > kept.last_at
                      OR excluded.last_at = kept.last_at AND precedes(kept.last, excluded.last)
                    THEN excluded.last ELSE kept.last END
