-- Style: reporting.
CREATE MATERIALIZED VIEW sales_by_month AS
    SELECT date_trunc('month', created_at) AS month, sum(total) AS total FROM orders GROUP BY 1
    WITH NO DATA;
CREATE UNIQUE INDEX sales_by_month_month ON sales_by_month (month);
REFRESH MATERIALIZED VIEW sales_by_month;
REFRESH MATERIALIZED VIEW CONCURRENTLY sales_by_day;
REFRESH MATERIALIZED VIEW sales_by_year; --! refresh-matview-concurrently
CREATE OR REPLACE VIEW order_totals AS SELECT id, total FROM orders;
CREATE VIEW order_lines AS SELECT o.id, i.line FROM orders o JOIN order_items i ON i.order_id = o.id;
CREATE INDEX ON sales_by_day (day); --! add-index-concurrently
