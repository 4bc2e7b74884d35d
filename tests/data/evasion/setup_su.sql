-- What only a superuser can make.
CREATE FOREIGN DATA WRAPPER ev_fdw;
CREATE SERVER ev_srv FOREIGN DATA WRAPPER ev_fdw;
CREATE FOREIGN TABLE ev_ft (a int) SERVER ev_srv;
CREATE USER MAPPING FOR app SERVER ev_srv;
CREATE EXTENSION dblink;
CREATE EXTENSION hstore;
CREATE OPERATOR FAMILY ev_fam USING btree;
CREATE OPERATOR CLASS ev_oc FOR TYPE ev_enum USING btree FAMILY ev_fam
  AS OPERATOR 1 < (anyenum, anyenum), FUNCTION 1 enum_cmp(anyenum, anyenum);
CREATE CONVERSION ev_conv FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
CREATE FUNCTION ev_evt() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER ev_et ON sql_drop EXECUTE FUNCTION ev_evt();
CREATE TEXT SEARCH TEMPLATE ev_tt (LEXIZE = dsimple_lexize);
CREATE TEXT SEARCH PARSER ev_tp (START = prsd_start, GETTOKEN = prsd_nexttoken,
  END = prsd_end, LEXTYPES = prsd_lextype);
CREATE ACCESS METHOD ev_am TYPE INDEX HANDLER bthandler;
CREATE LANGUAGE ev_lang HANDLER plpgsql_call_handler;
CREATE TRANSFORM FOR hstore LANGUAGE ev_lang (FROM SQL WITH FUNCTION prsd_lextype(internal));
