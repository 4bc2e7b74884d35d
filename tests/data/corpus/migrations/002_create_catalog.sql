-- Style: numbered SQL, one transaction.
BEGIN;
CREATE SCHEMA IF NOT EXISTS catalog;
CREATE TYPE catalog.product_state AS ENUM ('draft', 'listed', 'retired');
CREATE TABLE catalog.categories (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    parent_id bigint REFERENCES catalog.categories (id),
    name      text NOT NULL UNIQUE
);
CREATE INDEX categories_parent_id ON catalog.categories (parent_id);
CREATE TABLE catalog.products (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    category_id bigint NOT NULL REFERENCES catalog.categories (id),
    sku         text NOT NULL CONSTRAINT products_sku_key UNIQUE,
    title       text NOT NULL,
    price       numeric(12, 2) NOT NULL CHECK (price >= 0),
    state       catalog.product_state NOT NULL DEFAULT 'draft',
    tags        text[] NOT NULL DEFAULT '{}',
    attributes  jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX products_category_id ON catalog.products (category_id);
CREATE INDEX products_attributes ON catalog.products USING gin (attributes jsonb_path_ops);
CREATE INDEX products_listed ON catalog.products (title) WHERE state = 'listed';
INSERT INTO catalog.categories (name) VALUES ('Books'), ('Music'), ('Films');
INSERT INTO schema_migrations (version, name) VALUES ('002', 'create_catalog');
COMMIT;
