// SPDX-License-Identifier: ISC

// The Go driver pgx, version 5: the layers pgconn, pgx and pgxpool, and every mode in which
// pgx runs a query. What the steps are and what they print: tests/interop/run.
package main

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

const mega = 1 << 20

type object = map[string]any

var (
	background = context.Background()
	modes      = []pgx.QueryExecMode{pgx.QueryExecModeCacheStatement,
		pgx.QueryExecModeCacheDescribe, pgx.QueryExecModeDescribeExec, pgx.QueryExecModeExec,
		pgx.QueryExecModeSimpleProtocol}
)

func say(step string, result any) {
	line := json.NewEncoder(os.Stdout)
	line.SetEscapeHTML(false)
	ok(line.Encode(object{"step": step, "result": result}))
}

func ok(err error) {
	if err != nil {
		panic(err)
	}
}

func must[T any](value T, err error) T {
	ok(err)
	return value
}

// The fields of a server's error; null for none, the text for an error of the driver's own.
func fields(err error) any {
	if err == nil {
		return nil
	}
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return object{"message": err.Error()}
	}
	all := object{}
	for name, value := range map[string]string{"severity": e.Severity, "sqlstate": e.Code,
		"message": e.Message, "detail": e.Detail, "hint": e.Hint, "context": e.Where,
		"schema": e.SchemaName, "table": e.TableName, "column": e.ColumnName,
		"constraint": e.ConstraintName, "file": e.File, "routine": e.Routine} {
		if value != "" {
			all[name] = value
		}
	}
	if e.Position != 0 {
		all["position"] = strconv.Itoa(int(e.Position))
	}
	if e.Line != 0 {
		all["line"] = strconv.Itoa(int(e.Line))
	}
	return all
}

func code(err error) any {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return fields(err)
}

func digest(text string) string {
	return fmt.Sprintf("%x", md5.Sum([]byte(text)))
}

// All rows; each value with the type that it has in Go.
func rows(r pgx.Rows, err error) [][]string {
	return must(pgx.CollectRows(must(r, err), func(row pgx.CollectableRow) ([]string, error) {
		values, err := row.Values()
		var texts []string
		for _, value := range values {
			texts = append(texts, fmt.Sprintf("%T %v", value, value))
		}
		return texts, err
	}))
}

func exec(c *pgx.Conn, sql string) string {
	return must(c.Exec(background, sql)).String()
}

// Waits until the backend sleeps in pg_sleep; looks from a session of its own.
func waitAsleep(pid uint32) {
	watch := must(pgx.Connect(background, ""))
	defer watch.Close(background)
	for asleep := false; !asleep; time.Sleep(20 * time.Millisecond) {
		ok(watch.QueryRow(background, "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE"+
			" wait_event = 'PgSleep' AND pid = $1::int)", int32(pid)).Scan(&asleep))
	}
}

// --- steps -----------------------------------------------------------------------------

func connect(c *pgx.Conn) any {
	_, isTLS := c.PgConn().Conn().(*tls.Conn)
	var user string
	var pid int32
	ok(c.QueryRow(background, "SELECT current_user, pg_backend_pid()").Scan(&user, &pid))
	parameters := object{}
	for _, name := range []string{"server_version", "server_encoding", "client_encoding",
		"DateStyle", "TimeZone", "integer_datetimes", "standard_conforming_strings",
		"is_superuser", "session_authorization", "in_hot_standby"} {
		parameters[name] = c.PgConn().ParameterStatus(name)
	}
	config := must(pgx.ParseConfig(""))
	config.Password = "wrong"
	_, err := pgx.ConnectConfig(background, config)
	return object{"tls": isTLS, "user": user, "parameters": parameters,
		"pid is the backend's": uint32(pid) == c.PgConn().PID(), "wrong password": code(err)}
}

func types(c *pgx.Conn) any {
	const sql = "SELECT 1::int2 AS a, -2::int4 AS b, 3000000000::int8 AS c, 1.5::float8 AS d," +
		" 12345.678::numeric AS e, 'zoë €'::text AS f, '\\xdead'::bytea AS g, true AS h," +
		" '2024-02-29'::date AS i, '2024-02-29 01:02:03.5'::timestamp AS j," +
		" '2024-02-29 01:02:03.5+02'::timestamptz AT TIME ZONE 'UTC' AS k," +
		" '0d9b9f9e-7f3a-4a1c-9f0e-5a0c5c1d2e3f'::uuid AS l, '{\"a\": [1]}'::jsonb AS m," +
		" '{\"b\": 2}'::json AS n, array[1,2,3] AS o, null::text AS p, '1 day 2 hours'::interval AS q"
	var texts []any
	for _, result := range must(c.PgConn().Exec(background, sql+"; SELECT 'second'").ReadAll()) {
		for i, f := range result.FieldDescriptions {
			var value any
			if result.Rows[0][i] != nil {
				value = string(result.Rows[0][i])
			}
			texts = append(texts, []any{f.Name, f.DataTypeOID, f.Format, value})
		}
		texts = append(texts, result.CommandTag.String())
	}
	each := object{}
	for _, mode := range modes {
		each[mode.String()] = rows(c.Query(background, sql, mode))[0]
	}
	_, err := c.PgConn().ExecParams(background, "SELECT 1; SELECT 2", nil, nil, nil, nil).Close()
	return object{"simple": texts, "modes": each, "two statements in a Parse": code(err),
		"empty": exec(c, "")}
}

func parameters(c *pgx.Conn) any {
	each := object{}
	for _, mode := range modes {
		each[mode.String()] = rows(c.Query(background, "SELECT $1::int + 1, $2::text || '!',"+
			" $3::bool, $4::text, $5::date, $6::int[], $7::bytea", mode, 41,
			"it's; DROP TABLE items --", true, nil, time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC),
			[]int32{1, 2}, []byte{0, 255}))[0]
	}
	return each
}

func prepared(c *pgx.Conn) any {
	s := must(c.Prepare(background, "price", "SELECT name, price::text FROM items WHERE id = $1"))
	var got []any
	for _, id := range []int{1, 500, 1000} {
		got = append(got, rows(c.Query(background, "price", id)))
	}
	ok(c.Deallocate(background, "price"))
	_, err := c.PgConn().ExecPrepared(background, "price", [][]byte{[]byte("1")}, nil, nil).Close()
	return object{"rows": got, "parameter types": s.ParamOIDs, "after Deallocate": code(err)}
}

func batch(c *pgx.Conn) any {
	each := object{}
	for _, mode := range modes {
		b := &pgx.Batch{}
		for i := 1; i <= 3; i++ {
			b.Queue("SELECT name FROM items WHERE id = $1", i)
		}
		config := c.Config()
		config.DefaultQueryExecMode = mode
		other := must(pgx.ConnectConfig(background, config))
		results := other.SendBatch(background, b)
		var got []any
		for i := 0; i < 3; i++ {
			got = append(got, rows(results.Query()))
		}
		ok(results.Close())
		ok(other.Close(background))
		each[mode.String()] = got
	}
	return each
}

func batchError(c *pgx.Conn) any {
	b := &pgx.Batch{}
	for _, id := range []int{1, 1, 2} {
		b.Queue("INSERT INTO uniq VALUES ($1)", id)
	}
	results := c.SendBatch(background, b)
	var got []any
	for i := 0; i < 3; i++ {
		tag, err := results.Exec()
		got = append(got, []any{tag.String(), code(err)})
	}
	closed := code(results.Close())
	left := rows(c.Query(background, "SELECT id FROM uniq ORDER BY id"))
	exec(c, "DELETE FROM uniq")
	return object{"parts": got, "close": closed, "left": left, "pipeline": pipeline(c)}
}

// Three parts with a Sync each; the middle one fails and the last one runs all the same.
func pipeline(c *pgx.Conn) any {
	insert := func(p *pgconn.Pipeline, id string) {
		p.SendQueryParams("INSERT INTO uniq VALUES ($1) RETURNING id", [][]byte{[]byte(id)},
			[]uint32{23}, nil, nil)
	}
	p := c.PgConn().StartPipeline(background)
	p.SendPrepare("piped", "SELECT $1::int", nil)
	insert(p, "1")
	ok(p.Sync())
	insert(p, "2")
	insert(p, "1")
	insert(p, "3")
	ok(p.Sync())
	p.SendQueryPrepared("piped", [][]byte{[]byte("7")}, nil, nil)
	insert(p, "4")
	ok(p.Sync())
	var got []any
	for syncs := 0; syncs < 3; {
		results, err := p.GetResults()
		if err != nil {
			got = append(got, code(err))
			continue
		}
		switch r := results.(type) {
		case *pgconn.StatementDescription:
			got = append(got, "prepared")
		case *pgconn.ResultReader:
			read := r.Read()
			for _, row := range read.Rows {
				got = append(got, string(row[0]))
			}
			got = append(got, read.CommandTag.String(), code(read.Err))
		case *pgconn.PipelineSync:
			got = append(got, "sync")
			syncs++
		}
	}
	ok(p.Close())
	left := rows(c.Query(background, "SELECT id FROM uniq ORDER BY id"))
	exec(c, "DELETE FROM uniq")
	return object{"replies": got, "left": left}
}

func copyIn(c *pgx.Conn) any {
	var lines [][]any
	for i := 0; i < 1000; i++ {
		lines = append(lines, []any{i, fmt.Sprintf("name\t%d\\", i), nil})
	}
	binary := must(c.CopyFrom(background, pgx.Identifier{"bulk"}, []string{"id", "name", "note"},
		pgx.CopyFromRows(lines)))
	text := must(c.PgConn().CopyFrom(background, strings.NewReader("1001\tone\t\\N\n1002\t\\N\té\n"),
		"COPY bulk FROM STDIN")).String()
	content := rows(c.Query(background, "SELECT count(*), md5(string_agg(b::text, ',' ORDER BY id))"+
		" FROM bulk b"))
	_, bad := c.PgConn().CopyFrom(background, strings.NewReader("1\tx\ty\nno number\ty\tz\n"),
		"COPY bulk FROM STDIN")
	_, unknown := c.PgConn().CopyFrom(background, strings.NewReader("1\n"), "COPY nowhere FROM STDIN")
	_, own := c.CopyFrom(background, pgx.Identifier{"bulk"}, []string{"id"},
		pgx.CopyFromFunc(func() ([]any, error) { return nil, errors.New("the client gave up") }))
	return object{"binary": binary, "text": text, "content": content, "bad row": fields(bad),
		"unknown table": code(unknown), "the client's own error": fields(own)}
}

func copyOut(c *pgx.Conn) any {
	var out, broken bytes.Buffer
	tag := must(c.PgConn().CopyTo(background, &out,
		"COPY (SELECT * FROM items ORDER BY id) TO STDOUT")).String()
	_, err := c.PgConn().CopyTo(background, &broken,
		"COPY (SELECT 1 / (1000 - id) FROM items ORDER BY id) TO STDOUT")
	return object{"tag": tag, "bytes": out.Len(), "md5": digest(out.String()),
		"error in the middle": code(err)}
}

// pgx gives Execute no row limit; it reads in parts through a cursor of SQL.
func cursor(c *pgx.Conn) any {
	tx := must(c.Begin(background))
	must(tx.Exec(background, "DECLARE part CURSOR FOR SELECT id, name FROM items ORDER BY id"))
	var parts []any
	for {
		part := rows(tx.Query(background, "FETCH 300 FROM part"))
		if len(part) == 0 {
			break
		}
		parts = append(parts, len(part), part[len(part)-1])
	}
	ok(tx.Commit(background))
	early := must(c.Query(background, "SELECT * FROM items, generate_series(1, 100)"))
	for i := 0; i < 3; i++ {
		early.Next()
	}
	early.Close()
	return object{"parts": parts, "closed early": []any{code(early.Err()),
		early.CommandTag().String()}}
}

func cancel(c *pgx.Conn, pool *pgxpool.Pool) any {
	ended := make(chan error)
	go func() {
		_, err := c.Exec(background, "SELECT pg_sleep(30)")
		ended <- err
	}()
	waitAsleep(c.PgConn().PID())
	ok(c.PgConn().CancelRequest(background))
	byRequest := fields(<-ended)
	after := rows(c.Query(background, "SELECT 1"))

	// By a context: pgx cancels the query and gives the connection up, the pool replaces it.
	p := must(pool.Acquire(background))
	pid := p.Conn().PgConn().PID()
	ctx, stop := context.WithCancel(background)
	go func() {
		_, err := p.Exec(ctx, "SELECT pg_sleep(30)")
		ended <- err
	}()
	waitAsleep(pid)
	stop()
	err := <-ended
	p.Release()
	inPool := rows(pool.Query(background, "SELECT 2"))
	for sleeps := true; sleeps; {
		ok(pool.QueryRow(background, "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE"+
			" state = 'active' AND pid = $1::int)", int32(pid)).Scan(&sleeps))
	}
	return object{"request": byRequest, "after": after, "pool after": inPool,
		"context": errors.Is(err, context.Canceled)}
}

func transaction(c *pgx.Conn) any {
	tx := must(c.Begin(background))
	_, first := tx.Exec(background, "SELECT 1 / 0")
	_, then := tx.Exec(background, "SELECT 1")
	inside := string(c.PgConn().TxStatus())
	ok(tx.Rollback(background))
	tx = must(c.Begin(background))
	_, _ = tx.Exec(background, "SELECT 1 / 0")
	commit := tx.Commit(background)
	return object{"first": fields(first), "then": fields(then), "status": inside,
		"status after": string(c.PgConn().TxStatus()), "a failed one's COMMIT": fields(commit),
		"after": rows(c.Query(background, "SELECT 1"))}
}

func savepoint(c *pgx.Conn) any {
	tx := must(c.Begin(background))
	must(tx.Exec(background, "INSERT INTO uniq VALUES (1)"))
	inner := must(tx.Begin(background))
	_, err := inner.Exec(background, "INSERT INTO uniq VALUES (1)")
	ok(inner.Rollback(background))
	must(tx.Exec(background, "INSERT INTO uniq VALUES (2)"))
	ok(tx.Commit(background))
	left := rows(c.Query(background, "SELECT id FROM uniq ORDER BY id"))
	exec(c, "DELETE FROM uniq")
	return object{"error": fields(err), "left": left}
}

func notify(c *pgx.Conn, pool *pgxpool.Pool) any {
	exec(c, "LISTEN interop")
	p := must(pool.Acquire(background))
	defer p.Release()
	sent := make(chan error)
	go func() {
		time.Sleep(300 * time.Millisecond)
		_, err := p.Exec(background, "SELECT pg_notify('interop', 'while idle, é')")
		sent <- err
	}()
	got := must(c.WaitForNotification(background))
	ok(<-sent)
	exec(c, "UNLISTEN *")
	return object{"channel": got.Channel, "payload": got.Payload,
		"pid is the sender's": got.PID == p.Conn().PgConn().PID()}
}

func bigResult(c *pgx.Conn) any {
	var text string
	ok(c.QueryRow(background, "SELECT repeat('0123456789abcdef', $1::int)", mega/16).Scan(&text))
	return object{"bytes": len(text), "md5": digest(text)}
}

func bigParam(c *pgx.Conn) any {
	text := strings.Repeat("fedcba9876543210", mega/16)
	return rows(c.Query(background, "SELECT length($1::text), md5($1::text)", text))
}

const ddl = "CREATE TABLE interop_refused (id int PRIMARY KEY, note text)"

func refused(c *pgx.Conn) (any, bool) {
	_, err := c.Exec(background, ddl)
	if err != nil {
		return object{"refused": true, "fields": fields(err), "text": err.Error()}, true
	}
	exec(c, "DROP TABLE interop_refused")
	return object{"refused": false}, false
}

// The other ways to send it have the same end, and leave the session as usable.
func usable(c *pgx.Conn, wasRefused bool) any {
	expected := func(err error) bool {
		if wasRefused {
			return code(err) == "42501"
		}
		return err == nil
	}
	each := object{}
	for _, mode := range modes {
		_, err := c.Exec(background, ddl, mode)
		if err == nil {
			exec(c, "DROP TABLE interop_refused")
		}
		each[mode.String()] = expected(err)
	}
	b := &pgx.Batch{}
	for _, sql := range []string{"INSERT INTO uniq VALUES (1)", ddl, "DELETE FROM uniq",
		"DROP TABLE interop_refused"} {
		b.Queue(sql)
	}
	inBatch := expected(c.SendBatch(background, b).Close())
	tx := must(c.Begin(background))
	_, err := tx.Exec(background, ddl)
	_, then := tx.Exec(background, "SELECT 1")
	inTransaction := expected(err) && wasRefused == (code(then) == "25P02")
	ok(tx.Rollback(background))
	return object{"modes": each, "in a batch": inBatch, "in a transaction": inTransaction,
		"uniq":      rows(c.Query(background, "SELECT count(*) FROM uniq")),
		"query":     rows(c.Query(background, "SELECT 42")),
		"parameter": rows(c.Query(background, "SELECT $1::text", "usable"))}
}

func main() {
	c := must(pgx.Connect(background, ""))
	pool := must(pgxpool.New(background, "pool_max_conns=3"))
	say("connect", connect(c))
	say("types", types(c))
	say("parameters", parameters(c))
	say("prepared", prepared(c))
	say("batch", batch(c))
	say("batch_error", batchError(c))
	say("copy_in", copyIn(c))
	say("copy_out", copyOut(c))
	say("cursor", cursor(c))
	say("cancel", cancel(c, pool))
	say("transaction", transaction(c))
	say("savepoint", savepoint(c))
	say("notify", notify(c, pool))
	say("big_result", bigResult(c))
	say("big_param", bigParam(c))
	result, wasRefused := refused(c)
	say("refused", result)
	say("usable", usable(c, wasRefused))
	pool.Close()
	ok(c.Close(background))
}
