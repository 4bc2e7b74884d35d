// SPDX-License-Identifier: ISC

//! The Rust driver tokio-postgres, with OpenSSL. What the steps are and what they print:
//! tests/interop/run.

use std::env;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use futures_util::stream::{iter, poll_fn, StreamExt, TryStreamExt};
use futures_util::SinkExt;
use md5::{Digest, Md5};
use openssl::ssl::{SslConnector, SslMethod};
use postgres_openssl::MakeTlsConnector;
use serde_json::{json, Map, Value};
use tokio::sync::mpsc::{unbounded_channel, UnboundedReceiver};
use tokio_postgres::config::{ChannelBinding, SslMode};
use tokio_postgres::error::ErrorPosition;
use tokio_postgres::types::{FromSql, ToSql, Type};
use tokio_postgres::{AsyncMessage, Client, Config, Error, Row, SimpleQueryMessage};

type Any = Box<dyn std::error::Error + Sync + Send>;
type Done<T> = Result<T, Any>;

const MEGA: usize = 1 << 20;
const DDL: &str = "CREATE TABLE interop_refused (id int PRIMARY KEY, note text)";

/// Set by OpenSSL when the keys of a handshake are there.
static HAS_TLS: AtomicBool = AtomicBool::new(false);

fn say(step: &str, result: Value) {
    println!("{}", json!({"step": step, "result": result}));
}

fn md5(data: &[u8]) -> String {
    hex(&Md5::digest(data))
}

fn hex(data: &[u8]) -> String {
    data.iter().map(|b| format!("{b:02x}")).collect()
}

/// A value as it came, whatever its type.
struct Raw(String);

impl<'a> FromSql<'a> for Raw {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Done<Raw> {
        Ok(Raw(hex(raw)))
    }

    fn from_sql_null(_: &Type) -> Done<Raw> {
        Ok(Raw("null".into()))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

fn value(row: &Row, i: usize) -> Value {
    match *row.columns()[i].type_() {
        Type::INT2 => json!(row.get::<_, Option<i16>>(i)),
        Type::INT4 => json!(row.get::<_, Option<i32>>(i)),
        Type::INT8 => json!(row.get::<_, Option<i64>>(i)),
        Type::FLOAT8 => json!(row.get::<_, Option<f64>>(i)),
        Type::TEXT => json!(row.get::<_, Option<String>>(i)),
        Type::BOOL => json!(row.get::<_, Option<bool>>(i)),
        Type::JSON | Type::JSONB => json!(row.get::<_, Option<Value>>(i)),
        Type::INT4_ARRAY => json!(row.get::<_, Option<Vec<i32>>>(i)),
        _ => json!(format!("{} {}", row.columns()[i].type_(), row.get::<_, Raw>(i).0)),
    }
}

fn rows(all: Vec<Row>) -> Value {
    all.iter().map(|r| (0..r.len()).map(|i| value(r, i)).collect::<Value>()).collect()
}

fn simple(all: &[SimpleQueryMessage]) -> Value {
    all.iter()
        .filter_map(|m| match m {
            SimpleQueryMessage::Row(r) => {
                Some((0..r.len()).map(|i| json!([r.columns()[i].name(), r.get(i)])).collect())
            }
            SimpleQueryMessage::CommandComplete(n) => Some(json!(n)),
            _ => None,
        })
        .collect()
}

/// The fields of a server's error, or the text of one of the driver's own.
fn fields(e: &Error) -> Value {
    let d = match e.as_db_error() {
        Some(d) => d,
        None => return json!({"message": e.to_string()}),
    };
    let position = match d.position() {
        Some(ErrorPosition::Original(n)) => Some(n.to_string()),
        _ => None,
    };
    let line = d.line().map(|n| n.to_string());
    let mut all = Map::new();
    for (name, value) in [
        ("severity", Some(d.severity())),
        ("sqlstate", Some(d.code().code())),
        ("message", Some(d.message())),
        ("detail", d.detail()),
        ("hint", d.hint()),
        ("position", position.as_deref()),
        ("context", d.where_()),
        ("schema", d.schema()),
        ("table", d.table()),
        ("column", d.column()),
        ("constraint", d.constraint()),
        ("file", d.file()),
        ("line", line.as_deref()),
        ("routine", d.routine()),
    ] {
        if let Some(text) = value {
            all.insert(name.into(), text.into());
        }
    }
    Value::Object(all)
}

/// The fields of the error; null for none.
fn error<T>(result: Result<T, Error>) -> Value {
    result.err().map_or(Value::Null, |e| fields(&e))
}

fn code<T>(result: Result<T, Error>) -> Value {
    match result {
        Ok(_) => Value::Null,
        Err(e) => e.code().map_or_else(|| fields(&e), |c| json!(c.code())),
    }
}

// --- sessions ----------------------------------------------------------------------------

fn is_tls() -> bool {
    env::var("PGSSLMODE").map_or(false, |m| m != "disable")
}

fn connector() -> Done<MakeTlsConnector> {
    let mut builder = SslConnector::builder(SslMethod::tls())?;
    if is_tls() {
        builder.set_ca_file(env::var("PGSSLROOTCERT")?)?;
    }
    builder.set_keylog_callback(|_, _| HAS_TLS.store(true, Ordering::Relaxed));
    Ok(MakeTlsConnector::new(builder.build()))
}

struct Session {
    client: Client,
    parameters: Value,
    messages: UnboundedReceiver<AsyncMessage>,
    pid: i32,
}

async fn login(password: Option<&str>) -> Result<Session, Error> {
    let get = |name| env::var(name).unwrap_or_default();
    let mut config = Config::new();
    config
        .host(&get("PGHOST"))
        .port(get("PGPORT").parse().unwrap_or(0))
        .dbname(&get("PGDATABASE"))
        .user(&get("PGUSER"))
        .password(password.unwrap_or(&get("PGPASSWORD")))
        .ssl_mode(if is_tls() { SslMode::Require } else { SslMode::Disable })
        .channel_binding(if is_tls() { ChannelBinding::Require } else { ChannelBinding::Prefer });
    let (client, mut connection) = config.connect(connector().expect("TLS")).await?;
    let parameters = ["server_version", "server_encoding", "client_encoding", "DateStyle",
        "TimeZone", "integer_datetimes", "standard_conforming_strings", "is_superuser"]
        .iter()
        .map(|name| (name.to_string(), json!(connection.parameter(name))))
        .collect();
    let (sender, messages) = unbounded_channel();
    tokio::spawn(async move {
        let mut stream = poll_fn(move |cx| connection.poll_message(cx));
        while let Some(Ok(message)) = stream.next().await {
            if sender.send(message).is_err() {
                // Nobody listens any more, but queries need the loop to go on.
                continue;
            }
        }
    });
    let pid = client.query_one("SELECT pg_backend_pid()", &[]).await?.get(0);
    Ok(Session { client, parameters: Value::Object(parameters), messages, pid })
}

async fn query(c: &Client, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> Done<Value> {
    Ok(rows(c.query(sql, parameters).await?))
}

async fn uniq(c: &Client) -> Done<Value> {
    let left = query(c, "SELECT id FROM uniq ORDER BY id", &[]).await?;
    c.execute("DELETE FROM uniq", &[]).await?;
    Ok(left)
}

/// Waits until the backend sleeps in pg_sleep; looks from another session.
async fn wait_asleep(watch: &Client, pid: i32) -> Done<()> {
    const ASLEEP: &str =
        "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND pid = $1";
    while watch.query(ASLEEP, &[&pid]).await?.is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

// --- steps -------------------------------------------------------------------------------

async fn connect(s: &Session) -> Done<Value> {
    let wrong = login(Some("wrong")).await.map(|_| ());
    Ok(json!({"tls": HAS_TLS.load(Ordering::Relaxed), "parameters": s.parameters,
        "user": query(&s.client, "SELECT current_user::text", &[]).await?,
        "wrong password": code(wrong)}))
}

const TYPES: &str = "SELECT 1::int2 AS a, -2::int4 AS b, 3000000000::int8 AS c, 1.5::float8 AS d,
    12345.678::numeric AS e, 'zoë €'::text AS f, '\\xdead'::bytea AS g, true AS h,
    '2024-02-29'::date AS i, '2024-02-29 01:02:03.5'::timestamp AS j,
    '2024-02-29 01:02:03.5+02'::timestamptz AS k,
    '0d9b9f9e-7f3a-4a1c-9f0e-5a0c5c1d2e3f'::uuid AS l, '{\"a\": [1]}'::jsonb AS m,
    '{\"b\": 2}'::json AS n, array[1,2,3] AS o, null::text AS p, '1 day 2 hours'::interval AS q";

async fn types(c: &Client) -> Done<Value> {
    let text = c.simple_query(TYPES).await?;
    let binary = c.query(TYPES, &[]).await?;
    let columns: Value = binary[0]
        .columns()
        .iter()
        .map(|x| json!([x.name(), x.type_().name(), x.type_().oid()]))
        .collect();
    Ok(json!({"simple": simple(&text), "columns": columns, "binary": rows(binary),
        "empty": simple(&c.simple_query("").await?), "two in a Parse": code(c.query("SELECT 1; SELECT 2",
        &[]).await)}))
}

async fn parameters(c: &Client) -> Done<Value> {
    query(c, "SELECT $1::int + 1, $2::text || '!', $3::bool, $4::text, $5::int[], $6::bytea, $7::jsonb",
        &[&41, &"it's; DROP TABLE items --", &true, &None::<&str>, &vec![1, 2], &vec![0u8, 255],
        &json!({"a": 1})]).await
}

async fn prepared(c: &Client) -> Done<Value> {
    let s = c.prepare("SELECT name, price::text FROM items WHERE id = $1").await?;
    let mut got = Vec::new();
    for id in [1, 500, 1000] {
        got.push(rows(c.query(&s, &[&id]).await?));
    }
    Ok(json!({"rows": got, "parameter": s.params()[0].name(), "unknown column":
        error(c.prepare("SELECT nothing FROM items").await)}))
}

/// Queries that don't wait for each other's replies; each is a part with a Sync of its own.
async fn batch(c: &Client) -> Done<Value> {
    let s = c.prepare("SELECT name FROM items WHERE id = $1").await?;
    let piped = join_all([1, 2, 3].iter().map(|id| {
        let s = &s;
        async move { c.query(s, &[id]).await.map(rows) }
    }));
    let piped = piped.await.into_iter().collect::<Result<Vec<Value>, Error>>()?;
    let several = c.simple_query("SELECT 1 AS a; SELECT name FROM items WHERE id < 3 ORDER BY id;
        SELECT 'last' AS a, 3 AS b").await?;
    Ok(json!({"piped": piped, "several": simple(&several)}))
}

async fn batch_error(c: &Client) -> Done<Value> {
    let s = c.prepare("INSERT INTO uniq VALUES ($1)").await?;
    let piped = join_all([1, 1, 2].iter().map(|id| {
        let s = &s;
        async move { code(c.execute(s, &[id]).await) }
    }));
    let piped: Vec<Value> = piped.await;
    let left = uniq(c).await?;
    let several = c.batch_execute("INSERT INTO uniq VALUES (1); INSERT INTO uniq VALUES (1);
        INSERT INTO uniq VALUES (2)").await;
    Ok(json!({"piped": piped, "left": left, "several": error(several), "left of several":
        uniq(c).await?}))
}

async fn copy(c: &Client, sql: &str, lines: Vec<String>) -> Result<u64, Error> {
    let sink = c.copy_in(sql).await?;
    let mut sink: Pin<Box<_>> = Box::pin(sink);
    let mut parts = iter(lines.into_iter().map(|l| Ok(Bytes::from(l))));
    sink.send_all(&mut parts).await?;
    sink.as_mut().finish().await
}

async fn copy_in(c: &Client) -> Done<Value> {
    let lines = (0..1000).map(|i| format!("{i}\tname\\t{i} é\t\\N\n")).collect();
    let n = copy(c, "COPY bulk FROM STDIN", lines).await?;
    let content = query(c, "SELECT count(*), md5(string_agg(b::text, ',' ORDER BY id)) FROM bulk b",
        &[]).await?;
    let bad = copy(c, "COPY bulk FROM STDIN", vec!["1\tx\ty\n".into(), "no number\ty\tz\n".into()]);
    let bad = error(bad.await);
    // On a session of its own: after this error the driver is one reply behind, whoever the
    // server is, because it sends a Sync too many.
    let own = login(None).await?.client;
    let unknown = code(copy(&own, "COPY nowhere FROM STDIN", vec!["1\n".into()]).await);
    // Dropped before its end: the driver sends CopyFail.
    let given = c.copy_in::<_, Bytes>("COPY bulk FROM STDIN").await?;
    let mut given = Box::pin(given);
    given.send(Bytes::from("1\tx\ty\n")).await?;
    drop(given);
    Ok(json!({"rows": n, "content": content, "bad row": bad, "unknown table": unknown,
        "after giving up": query(c, "SELECT count(*) FROM bulk", &[]).await?}))
}

async fn copy_out(c: &Client) -> Done<Value> {
    let parts = c.copy_out("COPY (SELECT * FROM items ORDER BY id) TO STDOUT").await?;
    let all: Vec<Bytes> = parts.try_collect().await?;
    let all = all.concat();
    let broken = c.copy_out("COPY (SELECT 1 / (1000 - id) FROM items ORDER BY id) TO STDOUT");
    let broken: Result<Vec<Bytes>, Error> = broken.await?.try_collect().await;
    Ok(json!({"bytes": all.len(), "md5": md5(&all), "error in the middle": code(broken),
        "after": query(c, "SELECT 1", &[]).await?}))
}

/// Portals with a row limit.
async fn cursor(c: &mut Client) -> Done<Value> {
    let t = c.transaction().await?;
    let portal = t.bind("SELECT id, name FROM items WHERE id > $1 ORDER BY id", &[&0]).await?;
    let mut parts = Vec::new();
    loop {
        let part = t.query_portal(&portal, 300).await?;
        match part.last() {
            Some(last) => parts.push(json!([part.len(), value(last, 0), value(last, 1)])),
            None => break,
        }
    }
    let early = t.bind("SELECT * FROM items, generate_series(1, 100)", &[]).await?;
    let n = t.query_portal(&early, 3).await?.len();
    drop(early);
    let failing = t.bind("SELECT 1 / (5 - g) FROM generate_series(1, 9) g", &[]).await?;
    let before = t.query_portal(&failing, 3).await?.len();
    let failed = code(t.query_portal(&failing, 3).await);
    drop(failing);
    t.rollback().await?;
    Ok(json!({"parts": parts, "closed early": n, "before an error": before, "error": failed,
        "after": query(c, "SELECT 1", &[]).await?}))
}

async fn cancel(s: &Session, other: &Session) -> Done<Value> {
    let c = &s.client;
    let mut result = Map::new();
    let sleeps: [(&str, Pin<Box<dyn Future<Output = Result<(), Error>>>>); 2] = [
        ("simple", Box::pin(c.batch_execute("SELECT pg_sleep(30)"))),
        ("extended", Box::pin(async { c.query("SELECT pg_sleep(30)", &[]).await.map(|_| ()) })),
    ];
    for (name, sleep) in sleeps {
        let killer = async {
            wait_asleep(&other.client, s.pid).await?;
            // The server hangs up as soon as it has read the request; the driver takes that for
            // an error when it comes before its own end. Whether it worked, the query tells.
            let _ = c.cancel_token().cancel_query(connector()?).await;
            Ok::<(), Any>(())
        };
        let (ended, cancelled) = futures_util::future::join(sleep, killer).await;
        cancelled?;
        result.insert(name.into(), error(ended));
        result.insert(format!("after {name}"), query(c, "SELECT 1", &[]).await?);
    }
    Ok(Value::Object(result))
}

async fn transaction(c: &mut Client) -> Done<Value> {
    let t = c.transaction().await?;
    let first = error(t.query("SELECT 1 / 0", &[]).await);
    let then = error(t.query("SELECT 1", &[]).await);
    let then_simple = code(t.batch_execute("SELECT 1").await);
    t.rollback().await?;
    let t = c.transaction().await?;
    let _ = t.query("SELECT 1 / 0", &[]).await;
    let commit = error(t.commit().await);
    Ok(json!({"first": first, "then": then, "then, simple": then_simple,
        "a failed one's COMMIT": commit, "after": query(c, "SELECT 1", &[]).await?}))
}

async fn savepoint(c: &mut Client) -> Done<Value> {
    let insert = "INSERT INTO uniq VALUES ($1)";
    let mut t = c.transaction().await?;
    t.execute(insert, &[&1]).await?;
    let inner = t.savepoint("one").await?;
    let failed = error(inner.execute(insert, &[&1]).await);
    inner.rollback().await?;
    t.execute(insert, &[&2]).await?;
    t.commit().await?;
    Ok(json!({"error": failed, "left": uniq(c).await?}))
}

async fn notify(s: &mut Session, other: &Session) -> Done<Value> {
    s.client.batch_execute("LISTEN interop").await?;
    tokio::time::sleep(Duration::from_millis(300)).await;
    other.client.query("SELECT pg_notify('interop', 'while idle, é')", &[]).await?;
    let heard = s.messages.recv().await;
    s.client.batch_execute("UNLISTEN *; DO $$ BEGIN RAISE WARNING 'heard'; END $$").await?;
    let notice = s.messages.recv().await;
    match (heard, notice) {
        (Some(AsyncMessage::Notification(n)), Some(AsyncMessage::Notice(w))) => {
            Ok(json!({"channel": n.channel(), "payload": n.payload(), "pid is the sender's":
                n.process_id() == other.pid, "notice": [w.severity(), w.code().code(), w.message()]}))
        }
        _ => Err("something else came than a notification and a notice".into()),
    }
}

async fn big_result(c: &Client) -> Done<Value> {
    let n = (MEGA / 16) as i32;
    let text: String = c.query_one("SELECT repeat('0123456789abcdef', $1)", &[&n]).await?.get(0);
    Ok(json!({"bytes": text.len(), "md5": md5(text.as_bytes())}))
}

async fn big_param(c: &Client) -> Done<Value> {
    let text = "fedcba9876543210".repeat(MEGA / 16);
    query(c, "SELECT length($1), md5($1)", &[&text]).await
}

async fn refused(c: &Client) -> Done<(Value, bool)> {
    match c.batch_execute(DDL).await {
        Ok(()) => {
            c.batch_execute("DROP TABLE interop_refused").await?;
            Ok((json!({"refused": false}), false))
        }
        Err(e) => Ok((json!({"refused": true, "fields": fields(&e), "text": e.to_string()}), true)),
    }
}

/// The other ways to send it have the same end, and leave the session as usable.
async fn usable(c: &mut Client, was_refused: bool) -> Done<Value> {
    let wanted = if was_refused { json!("42501") } else { Value::Null };
    let extended = code(c.execute(DDL, &[]).await);
    if extended.is_null() {
        c.batch_execute("DROP TABLE interop_refused").await?;
    }
    let (before, piped, behind) = futures_util::future::join3(c.query("SELECT $1::int", &[&1]),
        c.execute(DDL, &[]), c.query("SELECT $1::int", &[&2])).await;
    let piped = code(piped);
    if piped.is_null() {
        c.batch_execute("DROP TABLE interop_refused").await?;
    }
    let t = c.transaction().await?;
    let inside = code(t.batch_execute(DDL).await);
    let then = code(t.query("SELECT 1", &[]).await);
    t.rollback().await?;
    Ok(json!({"extended": extended == wanted, "piped": [rows(before?), piped == wanted, rows(behind?)],
        "in a transaction": inside == wanted && (then == json!("25P02")) == was_refused,
        "query": query(c, "SELECT 42", &[]).await?,
        "parameter": query(c, "SELECT $1::text", &[&"usable"]).await?}))
}

async fn run() -> Done<()> {
    let mut s = login(None).await?;
    let other = login(None).await?;
    say("connect", connect(&s).await?);
    say("types", types(&s.client).await?);
    say("parameters", parameters(&s.client).await?);
    say("prepared", prepared(&s.client).await?);
    say("batch", batch(&s.client).await?);
    say("batch_error", batch_error(&s.client).await?);
    say("copy_in", copy_in(&s.client).await?);
    say("copy_out", copy_out(&s.client).await?);
    say("cursor", cursor(&mut s.client).await?);
    say("cancel", cancel(&s, &other).await?);
    say("transaction", transaction(&mut s.client).await?);
    say("savepoint", savepoint(&mut s.client).await?);
    say("notify", notify(&mut s, &other).await?);
    say("big_result", big_result(&s.client).await?);
    say("big_param", big_param(&s.client).await?);
    let (result, was_refused) = refused(&s.client).await?;
    say("refused", result);
    say("usable", usable(&mut s.client, was_refused).await?);
    Ok(())
}

fn main() -> Done<()> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(run())
}
