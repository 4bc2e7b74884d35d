-- Style: copied and pasted.
CREATE TABLE reviews ( --! duplicate-column
    id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    rating int NOT NULL,
    body   text,
    body   text
);
CREATE INDEX reviews_rating ON reviews (rating); --! duplicate-index
CREATE INDEX reviews_rating_body ON reviews (rating, body);
CREATE INDEX reviews_id ON reviews (id); --! duplicate-index
CREATE TABLE ratings (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), review_id int NOT NULL REFERENCES reviews (id)); --! fk-type-match
CREATE INDEX ratings_review_id ON ratings (review_id);
ALTER TABLE customers ADD COLUMN a_very_long_name_for_a_column_that_somebody_thought_would_explain_everything text; --! identifier-too-long
