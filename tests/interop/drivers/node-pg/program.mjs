// SPDX-License-Identifier: ISC

// The driver node-pg (`pg`) with pg-cursor and pg-copy-streams. What the steps are and what
// they print: tests/interop/run.
import {createHash} from 'node:crypto'
import {readFileSync} from 'node:fs'
import {Readable} from 'node:stream'
import {pipeline} from 'node:stream/promises'
import {setTimeout as pause} from 'node:timers/promises'
import {inspect} from 'node:util'

import pg from 'pg'
import copyStreams from 'pg-copy-streams'
import Cursor from 'pg-cursor'

const {from: copyFrom, to: copyTo} = copyStreams
const MEGA = 1 << 20
const DDL = 'CREATE TABLE interop_refused (id int PRIMARY KEY, note text)'

const say = (step, result) => process.stdout.write(JSON.stringify({step, result}) + '\n')
const md5 = data => createHash('md5').update(data).digest('hex')

// node-pg takes all but the certificates from libpq's environment variables.
const isTLS = process.env.PGSSLMODE !== 'disable'
const config = {ssl: isTLS && {ca: readFileSync(process.env.PGSSLROOTCERT, 'utf8')}}

async function login(more) {
  const client = new pg.Client({...config, ...more})
  await client.connect()
  return client
}

// The fields of a server's error, or the text of one of the driver's own.
function fields(e) {
  if (!e)
    return null
  if (!e.code || !e.severity)
    return {message: e.message}
  const names = {severity: e.severity, sqlstate: e.code, message: e.message, detail: e.detail,
    hint: e.hint, position: e.position, context: e.where, schema: e.schema, table: e.table,
    column: e.column, constraint: e.constraint, file: e.file, line: e.line, routine: e.routine}
  for (const name in names)
    if (names[name] === undefined)
      delete names[name]
  return names
}

const code = e => e && e.severity ? e.code : fields(e)
// What a promise was rejected with; null when it was not.
const failure = promise => promise.then(() => null, e => e)

function value(v) {
  if (v === null)
    return 'null'
  if (Buffer.isBuffer(v))
    return 'Buffer ' + v.toString('hex')
  if (v instanceof Date)
    return 'Date ' + v.toISOString()
  return `${typeof v} ${JSON.stringify(v)}`
}

const rows = result => result.rows.map(row => Object.values(row).map(value))
const query = async (client, ...more) => rows(await client.query(...more))

// Waits until the backend sleeps in pg_sleep; looks from another session.
async function waitAsleep(watch, pid) {
  for (let asleep = false; !asleep; await pause(20))
    asleep = (await watch.query("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE" +
      " wait_event = 'PgSleep' AND pid = $1) AS is", [pid])).rows[0].is
}

// --- steps -----------------------------------------------------------------------------

async function connect(client, parameters) {
  const stream = client.connection.stream
  const own = await client.query('SELECT current_user, pg_backend_pid() AS pid')
  return {tls: stream.encrypted === true, user: own.rows[0].current_user, parameters,
    'pid is the backend\'s': own.rows[0].pid === client.processID,
    'wrong password': code(await failure(login({password: 'wrong'})))}
}

const TYPES = "SELECT 1::int2 AS a, -2::int4 AS b, 3000000000::int8 AS c, 1.5::float8 AS d," +
  " 12345.678::numeric AS e, 'zoë €'::text AS f, '\\xdead'::bytea AS g, true AS h," +
  " '2024-02-29'::date AS i, '2024-02-29 01:02:03.5'::timestamp AS j," +
  " '2024-02-29 01:02:03.5+02'::timestamptz AS k," +
  " '0d9b9f9e-7f3a-4a1c-9f0e-5a0c5c1d2e3f'::uuid AS l, '{\"a\": [1]}'::jsonb AS m," +
  " '{\"b\": 2}'::json AS n, array[1,2,3] AS o, null::text AS p, '1 day 2 hours'::interval AS q"

async function types(client) {
  const simple = await client.query(TYPES)
  return {columns: simple.fields.map(f => [f.name, f.dataTypeID, f.dataTypeModifier, f.format]),
    simple: rows(simple), extended: await query(client, TYPES + ' WHERE $1', [true]),
    binary: await query(client, {text: 'SELECT 7::int4 AS a, $1::bool AS b', values: [true],
      binary: true}),
    array: (await client.query({text: "SELECT 1 AS a, 'x' AS a", rowMode: 'array'})).rows,
    empty: (await client.query('')).command}
}

const parameters = client => query(client, "SELECT $1::int + 1 AS a, $2::text || '!' AS b," +
  " $3::bool AS c, $4::text AS d, $5::date AS e, $6::int[] AS f, $7::bytea AS g, $8::jsonb AS h",
  [41, "it's; DROP TABLE items --", true, null, '2024-02-29', [1, 2], Buffer.from([0, 255]), {a: 1}])

async function prepared(client) {
  const got = []
  for (const id of [1, 500, 1000])
    got.push(await query(client, {name: 'price', values: [id],
      text: 'SELECT name, price FROM items WHERE id = $1'}))
  return {rows: got, 'unknown column': fields(await failure(client.query({name: 'wrong',
    text: 'SELECT nothing FROM items', values: []})))}
}

// Several statements in one simple query, and the driver's pipeline mode.
async function batch(client, piped) {
  const several = await client.query('SELECT 1 AS a; SELECT name FROM items WHERE id < 3 ORDER BY id;' +
    " SELECT 'last' AS a, 3 AS b")
  const pipe = await Promise.all([1, 2, 3].map(id =>
    query(piped, 'SELECT name FROM items WHERE id = $1', [id])))
  const named = await Promise.all([4, 5, 6].map(id =>
    query(piped, {name: 'piped', text: 'SELECT name FROM items WHERE id = $1', values: [id]})))
  return {several: several.map(rows), pipe, named}
}

async function uniq(client) {
  const left = await query(client, 'SELECT id FROM uniq ORDER BY id')
  await client.query('DELETE FROM uniq')
  return left
}

async function batchError(client, piped) {
  const insert = 'INSERT INTO uniq VALUES ($1)'
  const several = await failure(client.query('INSERT INTO uniq VALUES (1); INSERT INTO uniq' +
    ' VALUES (1); INSERT INTO uniq VALUES (2)'))
  const result = {several: fields(several), 'left of several': await uniq(client)}
  const parts = await Promise.allSettled([1, 1, 2].map(id => piped.query(insert, [id])))
  result.pipe = parts.map(p => p.value?.rowCount ?? code(p.reason))
  result['left of pipe'] = await uniq(client)
  return result
}

const copy = (client, sql, data) =>
  pipeline(Readable.from(data), client.query(copyFrom(sql)))

async function copyIn(client) {
  const stream = client.query(copyFrom('COPY bulk FROM STDIN'))
  await pipeline(Readable.from((function* () {
    for (let i = 0; i < 1000; i++)
      yield `${i}\tname\\t${i} é\t\\N\n`
  })()), stream)
  const content = await query(client, "SELECT count(*)::int, md5(string_agg(b::text, ','" +
    ' ORDER BY id)) FROM bulk b')
  const bad = await failure(copy(client, 'COPY bulk FROM STDIN', ['1\tx\ty\n', 'no number\ty\tz\n']))
  const unknown = await failure(copy(client, 'COPY nowhere FROM STDIN', ['1\n']))
  // A stream that is destroyed: the driver sends CopyFail.
  const given = client.query(copyFrom('COPY bulk FROM STDIN'))
  given.write('1\tx\ty\n')
  const closed = new Promise(done => given.on('error', done))
  given.destroy(new Error('the client gave up'))
  return {rows: stream.rowCount, content, 'bad row': fields(bad), 'unknown table': code(unknown),
    'given up': fields(await closed), after: await query(client, 'SELECT 1 AS a')}
}

async function copyOut(client) {
  const read = async sql => {
    const stream = client.query(copyTo(sql))
    const parts = []
    for await (const part of stream)
      parts.push(part)
    const all = Buffer.concat(parts)
    return {rows: stream.rowCount, bytes: all.length, md5: md5(all)}
  }
  return {all: await read('COPY (SELECT * FROM items ORDER BY id) TO STDOUT'),
    'error in the middle': code(await failure(read('COPY (SELECT 1 / (1000 - id) FROM items' +
      ' ORDER BY id) TO STDOUT'))), after: await query(client, 'SELECT 1 AS a')}
}

// Portals with a row limit.
async function cursor(client) {
  const portal = client.query(new Cursor('SELECT id, name FROM items WHERE id > $1 ORDER BY id', [0]))
  const parts = []
  for (;;) {
    const part = await portal.read(300)
    if (part.length === 0)
      break
    parts.push(part.length, part[part.length - 1])
  }
  await portal.close()
  const early = client.query(new Cursor('SELECT * FROM items, generate_series(1, 100)'))
  const first = await early.read(3)
  await early.close()
  const failing = client.query(new Cursor('SELECT 1 / (5 - g) AS a FROM generate_series(1, 9) g'))
  const before = await failing.read(3)
  const error = await failure(failing.read(3))
  return {parts, early: first.length, 'before an error': before, error: code(error),
    after: await query(client, 'SELECT 1 AS a')}
}

async function cancel(client, other) {
  const sleep = new pg.Query('SELECT pg_sleep(30)', error => ended(error))
  let ended
  const end = new Promise(done => { ended = done })
  client.query(sleep)
  await waitAsleep(other, client.processID)
  new pg.Client(config).cancel(client, sleep)
  const error = fields(await end)
  return {error, after: await query(client, 'SELECT 1 AS a')}
}

async function transaction(client) {
  await client.query('BEGIN')
  const first = fields(await failure(client.query('SELECT 1 / 0')))
  const then = fields(await failure(client.query('SELECT 1')))
  const back = await client.query('ROLLBACK')
  await client.query('BEGIN')
  await failure(client.query('SELECT 1 / $1::int', [0]))
  const commit = await client.query('COMMIT')
  return {first, then, back: back.command, 'a failed one\'s COMMIT': commit.command,
    after: await query(client, 'SELECT 1 AS a')}
}

async function savepoint(client) {
  const insert = 'INSERT INTO uniq VALUES ($1)'
  await client.query('BEGIN')
  await client.query(insert, [1])
  await client.query('SAVEPOINT one')
  const error = fields(await failure(client.query(insert, [1])))
  await client.query('ROLLBACK TO one')
  await client.query(insert, [2])
  await client.query('COMMIT')
  return {error, left: await uniq(client)}
}

async function notify(client, other) {
  await client.query('LISTEN interop')
  const heard = new Promise(done => client.once('notification', done))
  await pause(300)
  await other.query("SELECT pg_notify('interop', 'while idle, é')")
  const n = await heard
  await client.query('UNLISTEN *')
  const notice = new Promise(done => client.once('notice', done))
  await client.query("DO $$ BEGIN RAISE WARNING 'heard' USING HINT = 'nothing'; END $$")
  const w = await notice
  return {channel: n.channel, payload: n.payload,
    'pid is the sender\'s': n.processId === other.processID,
    notice: [w.severity, w.code, w.message, w.hint]}
}

async function bigResult(client) {
  const r = await client.query("SELECT repeat('0123456789abcdef', $1) AS text", [MEGA / 16])
  return {bytes: r.rows[0].text.length, md5: md5(r.rows[0].text)}
}

const bigParam = client => query(client, 'SELECT length($1::text), md5($1::text)',
  ['fedcba9876543210'.repeat(MEGA / 16)])

async function refused(client) {
  const e = await failure(client.query(DDL))
  if (e)
    return {refused: true, fields: fields(e), text: inspect(e)}
  await client.query('DROP TABLE interop_refused')
  return {refused: false}
}

// The other ways to send it have the same end, and leave the session as usable.
async function usable(client, piped, wasRefused) {
  const expected = e => wasRefused ? code(e) === '42501' : e === null
  const tidy = async e => e || await client.query('DROP TABLE interop_refused')
  const extended = await failure(client.query({name: 'ddl', text: DDL, values: []}))
  await tidy(extended)
  const inPipe = await Promise.all([piped.query('SELECT $1::int AS a', [1]),
    failure(piped.query({text: DDL, values: [], queryMode: 'extended'})),
    piped.query('SELECT $1::int AS a', [2])])
  await tidy(inPipe[1])
  await client.query('BEGIN')
  const inside = await failure(client.query(DDL))
  const then = await failure(client.query('SELECT 1'))
  await client.query('ROLLBACK')
  return {extended: expected(extended), pipe: [inPipe[0].rows, expected(inPipe[1]), inPipe[2].rows],
    'in a transaction': expected(inside) && wasRefused === (code(then) === '25P02'),
    query: await query(client, 'SELECT 42 AS a'),
    parameter: await query(client, 'SELECT $1::text AS a', ['usable'])}
}

// With TLS: SCRAM with channel binding; a TLS handshake without SSLRequest where the server
// knows that (since 17).
const seen = {}
const client = new pg.Client({...config, enableChannelBinding: true})
client.connection.on('parameterStatus', m => { seen[m.parameterName] = m.parameterValue })
await client.connect()
const isDirect = isTLS && Number(process.env.INTEROP_SERVER) >= 17
const other = await login(isDirect ? {sslNegotiation: 'direct'} : {})
const piped = await login({pipeline: true})

say('connect', await connect(client, seen))
say('types', await types(client))
say('parameters', await parameters(client))
say('prepared', await prepared(client))
say('batch', await batch(client, piped))
say('batch_error', await batchError(client, piped))
say('copy_in', await copyIn(client))
say('copy_out', await copyOut(client))
say('cursor', await cursor(client))
say('cancel', await cancel(client, other))
say('transaction', await transaction(client))
say('savepoint', await savepoint(client))
say('notify', await notify(client, other))
say('big_result', await bigResult(client))
say('big_param', await bigParam(client))
const result = await refused(client)
say('refused', result)
say('usable', await usable(client, piped, result.refused))
await Promise.all([client, other, piped].map(c => c.end()))
