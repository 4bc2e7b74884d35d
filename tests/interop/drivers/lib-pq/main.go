// SPDX-License-Identifier: ISC

// The Go driver lib/pq behind database/sql. What the steps are and what they print:
// tests/interop/run.
package main

import (
	"context"
	"crypto/md5"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/lib/pq"
)

const mega = 1 << 20

type object = map[string]any

var background = context.Background()

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
	var e *pq.Error
	if !errors.As(err, &e) {
		return object{"message": err.Error()}
	}
	all := object{}
	for name, value := range map[string]string{"severity": e.Severity,
		"sqlstate": string(e.Code), "message": e.Message, "detail": e.Detail, "hint": e.Hint,
		"position": e.Position, "context": e.Where, "schema": e.Schema, "table": e.Table,
		"column": e.Column, "constraint": e.Constraint, "file": e.File, "line": e.Line,
		"routine": e.Routine} {
		if value != "" {
			all[name] = value
		}
	}
	return all
}

func code(err error) any {
	var e *pq.Error
	if errors.As(err, &e) {
		return string(e.Code)
	}
	return fields(err)
}

func digest(text string) string {
	return fmt.Sprintf("%x", md5.Sum([]byte(text)))
}

// Rows of the current result; each value with the type that it has in Go.
func current(r *sql.Rows) [][]string {
	columns := must(r.Columns())
	var all [][]string
	for r.Next() {
		values, targets := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			targets[i] = &values[i]
		}
		ok(r.Scan(targets...))
		var texts []string
		for _, value := range values {
			if data, is := value.([]byte); is {
				value = fmt.Sprintf("%q", data)
			}
			texts = append(texts, fmt.Sprintf("%T %v", value, value))
		}
		all = append(all, texts)
	}
	ok(r.Err())
	return all
}

func rows(r *sql.Rows, err error) [][]string {
	ok(err)
	all := current(r)
	ok(r.Close())
	return all
}

func exec(c *sql.Conn, text string, arguments ...any) int64 {
	return must(must(c.ExecContext(background, text, arguments...)).RowsAffected())
}

func query(c *sql.Conn, text string, arguments ...any) [][]string {
	return rows(c.QueryContext(background, text, arguments...))
}

// lib/pq doesn't tell whether it speaks TLS: this dialer looks at what it writes.
type dialer struct{ handshakes atomic.Int32 }

type watched struct {
	net.Conn
	d *dialer
}

func (w watched) Write(data []byte) (int, error) {
	const handshake = 22 // the type of a TLS record
	if len(data) > 2 && data[0] == handshake && data[1] == 3 {
		w.d.handshakes.Add(1)
	}
	return w.Conn.Write(data)
}

func (d *dialer) Dial(network, address string) (net.Conn, error) {
	return d.DialTimeout(network, address, 0)
}

func (d *dialer) DialTimeout(network, address string, limit time.Duration) (net.Conn, error) {
	c, err := net.DialTimeout(network, address, limit)
	return watched{c, d}, err
}

// Waits until the backend sleeps in pg_sleep; looks from another session.
func waitAsleep(db *sql.DB, pid int) {
	for asleep := false; !asleep; time.Sleep(20 * time.Millisecond) {
		ok(db.QueryRow("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE"+
			" wait_event = 'PgSleep' AND pid = $1)", pid).Scan(&asleep))
	}
}

func backend(c *sql.Conn) (pid int) {
	ok(c.QueryRowContext(background, "SELECT pg_backend_pid()").Scan(&pid))
	return pid
}

// --- steps -----------------------------------------------------------------------------

func connect(c *sql.Conn, d *dialer) any {
	parameters := object{}
	for _, name := range []string{"server_version", "server_encoding", "client_encoding",
		"DateStyle", "TimeZone", "extra_float_digits", "standard_conforming_strings"} {
		parameters[name] = query(c, "SHOW "+name)[0][0]
	}
	wrong := must(sql.Open("postgres", "password=wrong"))
	defer wrong.Close()
	return object{"tls": d.handshakes.Load() > 0, "user": query(c, "SELECT current_user"),
		"parameters": parameters, "wrong password": code(wrong.Ping())}
}

func types(c *sql.Conn) any {
	const text = "SELECT 1::int2 AS a, -2::int4 AS b, 3000000000::int8 AS c, 1.5::float8 AS d," +
		" 12345.678::numeric AS e, 'zoë €'::text AS f, '\\xdead'::bytea AS g, true AS h," +
		" '2024-02-29'::date AS i, '2024-02-29 01:02:03.5'::timestamp AS j," +
		" '2024-02-29 01:02:03.5+02'::timestamptz AS k," +
		" '0d9b9f9e-7f3a-4a1c-9f0e-5a0c5c1d2e3f'::uuid AS l, '{\"a\": [1]}'::jsonb AS m," +
		" '{\"b\": 2}'::json AS n, array[1,2,3] AS o, null::text AS p, '1 day 2 hours'::interval AS q"
	r := must(c.QueryContext(background, text))
	var columns []any
	for _, column := range must(r.ColumnTypes()) {
		columns = append(columns, []any{column.Name(), column.DatabaseTypeName()})
	}
	simple := rows(r, nil)
	// With an argument lib/pq takes the extended protocol.
	extended := query(c, text+" WHERE $1", true)
	_, err := c.ExecContext(background, "")
	return object{"columns": columns, "simple": simple, "extended": extended, "empty": code(err)}
}

func parameters(c *sql.Conn) any {
	return query(c, "SELECT $1::int + 1, $2::text || '!', $3::bool, $4::text, $5::date,"+
		" $6::int[], $7::bytea", 41, "it's; DROP TABLE items --", true, nil,
		time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC), pq.Array([]int{1, 2}), []byte{0, 255})
}

func prepared(c *sql.Conn) any {
	s := must(c.PrepareContext(background, "SELECT name, price FROM items WHERE id = $1"))
	var got []any
	for _, id := range []int{1, 500, 1000} {
		got = append(got, rows(s.Query(id)))
	}
	ok(s.Close())
	_, err := c.PrepareContext(background, "SELECT nothing FROM items")
	return object{"rows": got, "unknown column": fields(err)}
}

// Several statements in one simple query are all that lib/pq has of a batch.
func batch(c *sql.Conn) any {
	r := must(c.QueryContext(background, "SELECT 1; SELECT name FROM items WHERE id < 3 ORDER BY id;"+
		" SELECT 'last', 3"))
	got := []any{current(r)}
	for r.NextResultSet() {
		got = append(got, current(r))
	}
	ok(r.Close())
	return got
}

func batchError(c *sql.Conn) any {
	_, err := c.ExecContext(background, "INSERT INTO uniq VALUES (1); INSERT INTO uniq VALUES (1);"+
		" INSERT INTO uniq VALUES (2)")
	left := query(c, "SELECT id FROM uniq ORDER BY id")
	exec(c, "DELETE FROM uniq")
	return object{"error": fields(err), "left": left}
}

func copyIn(c *sql.Conn) any {
	copyRows := func(table string, next func(i int) []any) (int64, error) {
		tx := must(c.BeginTx(background, nil))
		defer tx.Rollback()
		s, err := tx.Prepare(pq.CopyIn(table, "id", "name", "note"))
		if err != nil {
			return 0, err
		}
		for i := 0; next(i) != nil; i++ {
			if _, err := s.Exec(next(i)...); err != nil {
				return 0, err
			}
		}
		result, err := s.Exec()
		if err != nil {
			return 0, err
		}
		ok(s.Close())
		return must(result.RowsAffected()), tx.Commit()
	}
	n := must(copyRows("bulk", func(i int) []any {
		if i == 1000 {
			return nil
		}
		return []any{i, fmt.Sprintf("name\t%d\\ é", i), nil}
	}))
	_, bad := copyRows("bulk", func(i int) []any {
		return [][]any{{1, "x", "y"}, {"no number", "y", "z"}, nil}[i]
	})
	_, unknown := copyRows("nowhere", nil)
	return object{"rows": n, "content": query(c, "SELECT count(*), md5(string_agg(b::text, ','"+
		" ORDER BY id)) FROM bulk b"), "bad row": fields(bad), "unknown table": code(unknown)}
}

// lib/pq has no portals with a row limit: a cursor of SQL.
func cursor(c *sql.Conn) any {
	tx := must(c.BeginTx(background, nil))
	must(tx.Exec("DECLARE part CURSOR FOR SELECT id, name FROM items ORDER BY id"))
	var parts []any
	for {
		part := rows(tx.Query("FETCH 300 FROM part"))
		if len(part) == 0 {
			break
		}
		parts = append(parts, len(part), part[len(part)-1])
	}
	ok(tx.Commit())
	early := must(c.QueryContext(background, "SELECT * FROM items, generate_series(1, 100)"))
	early.Next()
	ok(early.Close())
	return object{"parts": parts, "after closing early": query(c, "SELECT 1")}
}

// lib/pq gives the connection up after it cancelled; the pool makes a new one.
func cancel(db *sql.DB) any {
	result := object{}
	for name, arguments := range map[string][]any{"simple": nil, "extended": {30}} {
		text := "SELECT pg_sleep(30)"
		if arguments != nil {
			text = "SELECT pg_sleep($1)"
		}
		c := must(db.Conn(background))
		pid := backend(c)
		ctx, stop := context.WithCancel(background)
		ended := make(chan error)
		go func() {
			_, err := c.ExecContext(ctx, text, arguments...)
			ended <- err
		}()
		waitAsleep(db, pid)
		stop()
		result[name] = fields(<-ended)
		result["same session, "+name] = fields(c.PingContext(background))
		_ = c.Close()
		result["pool after, "+name] = rows(db.Query("SELECT 1"))
	}
	return result
}

func transaction(c *sql.Conn) any {
	tx := must(c.BeginTx(background, nil))
	_, first := tx.Exec("SELECT 1 / 0")
	_, then := tx.Exec("SELECT 1")
	ok(tx.Rollback())
	tx = must(c.BeginTx(background, nil))
	_, _ = tx.Exec("SELECT 1 / 0")
	commit := tx.Commit()
	return object{"first": fields(first), "then": fields(then),
		"a failed one's COMMIT": fields(commit), "after": query(c, "SELECT 1")}
}

func savepoint(c *sql.Conn) any {
	tx := must(c.BeginTx(background, nil))
	must(tx.Exec("INSERT INTO uniq VALUES ($1)", 1))
	must(tx.Exec("SAVEPOINT one"))
	_, err := tx.Exec("INSERT INTO uniq VALUES ($1)", 1)
	must(tx.Exec("ROLLBACK TO one"))
	must(tx.Exec("INSERT INTO uniq VALUES ($1)", 2))
	ok(tx.Commit())
	left := query(c, "SELECT id FROM uniq ORDER BY id")
	exec(c, "DELETE FROM uniq")
	return object{"error": fields(err), "left": left}
}

func notify(c *sql.Conn) any {
	l := pq.NewListener("", time.Second, time.Second, nil)
	defer l.Close()
	ok(l.Listen("interop"))
	sent := make(chan int)
	go func() {
		time.Sleep(300 * time.Millisecond)
		exec(c, "SELECT pg_notify('interop', 'while idle, é')")
		sent <- backend(c)
	}()
	n := <-l.Notify
	ok(l.Ping())
	return object{"channel": n.Channel, "payload": n.Extra, "pid is the sender's": n.BePid == <-sent}
}

func bigResult(c *sql.Conn) any {
	var text string
	ok(c.QueryRowContext(background, "SELECT repeat('0123456789abcdef', $1)", mega/16).Scan(&text))
	return object{"bytes": len(text), "md5": digest(text)}
}

func bigParam(c *sql.Conn) any {
	return query(c, "SELECT length($1::text), md5($1::text)", strings.Repeat("fedcba9876543210", mega/16))
}

const ddl = "CREATE TABLE interop_refused (id int PRIMARY KEY, note text)"

func refused(c *sql.Conn) (any, bool) {
	_, err := c.ExecContext(background, ddl)
	if err != nil {
		return object{"refused": true, "fields": fields(err), "text": err.Error()}, true
	}
	exec(c, "DROP TABLE interop_refused")
	return object{"refused": false}, false
}

// The other ways to send it have the same end, and leave the session as usable.
func usable(c *sql.Conn, wasRefused bool) any {
	expected := func(err error) bool {
		if wasRefused {
			return code(err) == "42501"
		}
		return err == nil
	}
	s, err := c.PrepareContext(background, ddl)
	if err == nil {
		if _, err = s.Exec(); err == nil {
			exec(c, "DROP TABLE interop_refused")
		}
		ok(s.Close())
	}
	extended := expected(err)
	tx := must(c.BeginTx(background, nil))
	_, err = tx.Exec(ddl)
	_, then := tx.Exec("SELECT 1")
	inTransaction := expected(err) && wasRefused == (code(then) == "25P02")
	ok(tx.Rollback())
	return object{"extended": extended, "in a transaction": inTransaction,
		"query": query(c, "SELECT 42"), "parameter": query(c, "SELECT $1::text", "usable")}
}

func main() {
	// proc.environment() sets it to nowhere for libpq; lib/pq refuses to start with it.
	ok(os.Unsetenv("PGSYSCONFDIR"))
	d := &dialer{}
	connector := must(pq.NewConnector(""))
	connector.Dialer(d)
	db := sql.OpenDB(connector)
	c := must(db.Conn(background))
	say("connect", connect(c, d))
	say("types", types(c))
	say("parameters", parameters(c))
	say("prepared", prepared(c))
	say("batch", batch(c))
	say("batch_error", batchError(c))
	say("copy_in", copyIn(c))
	say("cursor", cursor(c))
	say("cancel", cancel(db))
	say("transaction", transaction(c))
	say("savepoint", savepoint(c))
	say("notify", notify(c))
	say("big_result", bigResult(c))
	say("big_param", bigParam(c))
	result, wasRefused := refused(c)
	say("refused", result)
	say("usable", usable(c, wasRefused))
	ok(c.Close())
	ok(db.Close())
}
