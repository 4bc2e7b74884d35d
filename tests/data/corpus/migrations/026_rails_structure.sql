-- Style: Rails, structure.sql of a fresh database.
SET client_min_messages = warning;
CREATE TABLE public.schema_info (version integer NOT NULL);
CREATE TABLE public.articles (
    id bigint NOT NULL,
    title character varying NOT NULL,
    body text,
    created_at timestamp(6) without time zone NOT NULL,
    updated_at timestamp(6) without time zone NOT NULL
);
CREATE SEQUENCE public.articles_id_seq START WITH 1 INCREMENT BY 1 NO MINVALUE NO MAXVALUE CACHE 1;
ALTER SEQUENCE public.articles_id_seq OWNED BY public.articles.id;
ALTER TABLE ONLY public.articles ALTER COLUMN id SET DEFAULT nextval('public.articles_id_seq'::regclass);
ALTER TABLE ONLY public.articles ADD CONSTRAINT articles_pkey PRIMARY KEY (id);
CREATE INDEX index_articles_on_created_at ON public.articles USING btree (created_at);
CREATE UNIQUE INDEX index_articles_on_title ON public.articles USING btree (title);
CREATE TABLE public.comments (id bigserial PRIMARY KEY, article_id bigint NOT NULL, body text);
CREATE INDEX index_comments_on_article_id ON public.comments USING btree (article_id);
ALTER TABLE ONLY public.comments ADD CONSTRAINT fk_rails_3bf61a60d3 FOREIGN KEY (article_id) REFERENCES public.articles(id);
INSERT INTO public.schema_info (version) VALUES (20260712093000);
