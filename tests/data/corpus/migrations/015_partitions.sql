-- Style: numbered SQL.
CREATE TABLE events (
    id      bigint GENERATED ALWAYS AS IDENTITY,
    at      timestamptz NOT NULL,
    payload jsonb NOT NULL,
    PRIMARY KEY (at, id)
) PARTITION BY RANGE (at);
CREATE TABLE events_2026_01 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE events_2026_02 PARTITION OF events FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
CREATE TABLE events_rest PARTITION OF events DEFAULT;
CREATE INDEX events_payload ON events USING gin (payload);
CREATE TABLE metrics_2026_03 PARTITION OF metrics FOR VALUES FROM ('2026-03-01') TO ('2026-04-01'); --! create-partition-of
CREATE TABLE metrics_2026_04 (LIKE metrics INCLUDING ALL);
ALTER TABLE metrics ATTACH PARTITION metrics_2026_04 FOR VALUES FROM ('2026-04-01') TO ('2026-05-01');
ALTER TABLE metrics ATTACH PARTITION metrics_old FOR VALUES FROM ('2020-01-01') TO ('2021-01-01'); --! attach-partition-check
ALTER TABLE metrics DETACH PARTITION metrics_2019; --! detach-partition-concurrently
ALTER TABLE metrics DETACH PARTITION metrics_2018 CONCURRENTLY;
CREATE INDEX metrics_name ON ONLY metrics (name);
CREATE INDEX CONCURRENTLY metrics_2026_03_name ON metrics_2026_03 (name);
ALTER INDEX metrics_name ATTACH PARTITION metrics_2026_03_name;
