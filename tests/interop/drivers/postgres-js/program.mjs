// SPDX-License-Identifier: ISC

// The Node driver postgres.js (`postgres`). What the steps are and what they print:
// tests/interop/run.
import {createHash} from 'node:crypto'
import {readFileSync} from 'node:fs'
import {Readable} from 'node:stream'
import {pipeline} from 'node:stream/promises'
import {setTimeout as pause} from 'node:timers/promises'
import tls from 'node:tls'

import postgres from 'postgres'

const MEGA = 1 << 20
const DDL = 'CREATE TABLE interop_refused (id int PRIMARY KEY, note text)'

const say = (step, result) => process.stdout.write(JSON.stringify({step, result}) + '\n')
const md5 = data => createHash('md5').update(data).digest('hex')

// The driver shows nobody its socket: what it asks Node for tells whether there is TLS.
const sockets = []
const connectTLS = tls.connect
tls.connect = (...more) => {
  const socket = connectTLS(...more)
  sockets.push(socket)
  return socket
}

const notices = []
const login = more => postgres({
  ssl: process.env.PGSSLMODE !== 'disable' && {ca: readFileSync(process.env.PGSSLROOTCERT, 'utf8')},
  max: 1, onnotice: n => notices.push([n.severity, n.code, n.message]), ...more})

// The fields of a server's error, or the text of one of the driver's own.
function fields(e) {
  if (!e)
    return null
  if (e.name !== 'PostgresError')
    return {message: e.message}
  const names = {severity: e.severity, sqlstate: e.code, message: e.message, detail: e.detail,
    hint: e.hint, position: e.position, context: e.where, schema: e.schema_name,
    table: e.table_name, column: e.column_name, constraint: e.constraint_name, file: e.file,
    line: e.line, routine: e.routine}
  for (const name in names)
    if (names[name] === undefined)
      delete names[name]
  return names
}

const code = e => e && e.name === 'PostgresError' ? e.code : fields(e)
// What a promise was rejected with; null when it was not.
const failure = promise => promise.then(() => null, e => e)

function value(v) {
  if (v === null)
    return 'null'
  if (v instanceof Uint8Array)
    return 'bytes ' + Buffer.from(v).toString('hex')
  if (v instanceof Date)
    return 'Date ' + v.toISOString()
  return `${typeof v} ${JSON.stringify(v)}`
}

const rows = result => result.map(row => Object.values(row).map(value))

// Waits until the backend sleeps in pg_sleep; looks from another session.
async function waitAsleep(watch, pid) {
  for (let asleep = false; !asleep; await pause(20))
    asleep = (await watch`SELECT EXISTS (SELECT FROM pg_stat_activity WHERE
      wait_event = 'PgSleep' AND pid = ${pid}) AS is`)[0].is
}

// --- steps -----------------------------------------------------------------------------

async function connect(sql) {
  const own = await sql`SELECT current_user, pg_backend_pid() AS pid`
  const wrong = login({password: 'wrong'})
  const error = code(await failure(wrong`SELECT 1`))
  await wrong.end()
  return {tls: sockets.length > 0 && sockets.every(s => s.encrypted), user: own[0].current_user,
    parameters: sql.parameters, 'pid is the backend\'s': own[0].pid === own.state.pid,
    'wrong password': error}
}

const TYPES = "SELECT 1::int2 AS a, -2::int4 AS b, 3000000000::int8 AS c, 1.5::float8 AS d," +
  " 12345.678::numeric AS e, 'zoë €'::text AS f, '\\xdead'::bytea AS g, true AS h," +
  " '2024-02-29'::date AS i, '2024-02-29 01:02:03.5'::timestamp AS j," +
  " '2024-02-29 01:02:03.5+02'::timestamptz AS k," +
  " '0d9b9f9e-7f3a-4a1c-9f0e-5a0c5c1d2e3f'::uuid AS l, '{\"a\": [1]}'::jsonb AS m," +
  " '{\"b\": 2}'::json AS n, array[1,2,3] AS o, null::text AS p, '1 day 2 hours'::interval AS q"

async function types(sql) {
  const simple = await sql.unsafe(TYPES).simple()
  return {columns: simple.columns.map(c => [c.name, c.type]), simple: rows(simple),
    extended: rows(await sql.unsafe(TYPES + ' WHERE $1', [true])),
    values: await sql`SELECT 1 AS a, 'x' AS a`.values(),
    raw: (await sql`SELECT 7 AS a, null AS b`.raw()).map(row => row.map(value)),
    empty: (await sql.unsafe('').simple()).command}
}

const parameters = async sql => rows(await sql`SELECT ${41}::int + 1 AS a,
  ${"it's; DROP TABLE items --"}::text || '!' AS b, ${true}::bool AS c, ${null}::text AS d,
  ${new Date(Date.UTC(2024, 1, 29))}::timestamptz AS e, ${[1, 2]}::int[] AS f,
  ${Buffer.from([0, 255])}::bytea AS g, ${sql.json({a: 1})}::jsonb AS h`)

async function prepared(sql) {
  const price = id => sql`SELECT name, price FROM items WHERE id = ${id}`
  const got = []
  for (const id of [1, 500, 1000])
    got.push(rows(await price(id)))
  const s = await sql`SELECT name, price FROM items WHERE id = ${1}`.describe()
  return {rows: got, types: s.types, columns: s.columns.map(c => [c.name, c.type]),
    'unknown column': fields(await failure(sql`SELECT nothing FROM items WHERE id = ${1}`))}
}

// Several statements in one simple query; and many that nobody waited for, which the driver
// sends one behind the other.
async function batch(sql) {
  const several = await sql.unsafe('SELECT 1 AS a; SELECT name FROM items WHERE id < 3 ORDER BY id;' +
    " SELECT 'last' AS a, 3 AS b")
  const pipe = await Promise.all([1, 2, 3].map(id => sql`SELECT name FROM items WHERE id = ${id}`))
  const many = await sql`INSERT INTO uniq ${sql([{id: 1}, {id: 2}])} RETURNING id`
  return {several: several.map(rows), pipe: pipe.map(rows), many: rows(many), uniq: await uniq(sql)}
}

async function uniq(sql) {
  const left = rows(await sql`SELECT id FROM uniq ORDER BY id`)
  await sql`DELETE FROM uniq`
  return left
}

async function batchError(sql) {
  const several = await failure(sql.unsafe('INSERT INTO uniq VALUES (1); INSERT INTO uniq VALUES (1);' +
    ' INSERT INTO uniq VALUES (2)'))
  const result = {several: fields(several), 'left of several': await uniq(sql)}
  const insert = id => sql`INSERT INTO uniq VALUES (${id})`
  await insert(0)
  const parts = await Promise.allSettled([1, 1, 2].map(insert))
  result.pipe = parts.map(p => p.value?.count ?? code(p.reason))
  result['left of pipe'] = await uniq(sql)
  const inTransaction = await failure(sql.begin(t => [7, 7, 8].map(id =>
    t`INSERT INTO uniq VALUES (${id})`)))
  result.transaction = code(inTransaction)
  result['left of transaction'] = await uniq(sql)
  return result
}

async function copyIn(sql) {
  const copy = async (query, data) => pipeline(Readable.from(data), await query.writable())
  await copy(sql`COPY bulk FROM STDIN`, (function* () {
    for (let i = 0; i < 1000; i++)
      yield `${i}\tname\\t${i} é\t\\N\n`
  })())
  const content = rows(await sql`SELECT count(*)::int,
    md5(string_agg(b::text, ',' ORDER BY id)) FROM bulk b`)
  // The driver tells of the server's error only while the stream is open.
  const broken = await sql`COPY bulk FROM STDIN`.writable()
  const error = new Promise(done => broken.on('error', done))
  broken.write('1\tx\ty\nno number\ty\tz\n')
  const bad = await error
  const unknown = await failure(copy(sql`COPY nowhere FROM STDIN`, ['1\n']))
  return {content, 'bad row': fields(bad), 'unknown table': code(unknown),
    after: rows(await sql`SELECT count(*)::int FROM bulk`)}
}

async function copyOut(sql) {
  const read = async query => {
    const parts = []
    for await (const part of await query.readable())
      parts.push(part)
    const all = Buffer.concat(parts)
    return {bytes: all.length, md5: md5(all)}
  }
  // Above 16 kB, or with an error between rows, this driver may pause its socket and never
  // read again, whoever the server is: fewer rows, and an error before them.
  return {part: await read(sql`COPY (SELECT * FROM items WHERE id <= 200 ORDER BY id) TO STDOUT`),
    error: code(await failure(read(sql`COPY (SELECT 1 / 0) TO STDOUT`))),
    after: rows(await sql`SELECT 1 AS a`)}
}

// Portals with a row limit.
async function cursor(sql) {
  const parts = []
  for await (const part of sql`SELECT id, name FROM items WHERE id > ${0} ORDER BY id`.cursor(300))
    parts.push(part.length, rows(part).at(-1))
  let early = 0
  for await (const part of sql`SELECT * FROM items, generate_series(1, 100)`.cursor(3)) {
    early = part.length
    break
  }
  const stopped = await sql`SELECT id FROM items`.cursor(10, () => sql.CLOSE)
  const before = []
  const error = await failure(sql`SELECT 1 / (5 - g) AS a FROM generate_series(1, 9) g`.cursor(3,
    part => { before.push(part.length) }))
  let each = 0
  await sql`SELECT id FROM items`.forEach(() => { each++ })
  return {parts, early, stopped: stopped?.length, before, error: code(error), each,
    after: rows(await sql`SELECT 1 AS a`)}
}

async function cancel(sql, other) {
  const pid = (await sql`SELECT 1`).state.pid
  const result = {}
  for (const [name, sleep] of [['extended', sql`SELECT pg_sleep(${30})`],
    ['simple', sql`SELECT pg_sleep(30)`.simple()]]) {
    const ended = failure(sleep.execute())
    await waitAsleep(other, pid)
    sleep.cancel()
    result[name] = fields(await ended)
    const after = await sql`SELECT 1 AS a`
    result['after ' + name] = rows(after)
    result['same session after ' + name] = after.state.pid === pid
  }
  return result
}

async function transaction(sql) {
  await sql.unsafe('BEGIN')
  const first = fields(await failure(sql`SELECT 1 / 0`))
  const then = fields(await failure(sql`SELECT 1`))
  const back = (await sql.unsafe('ROLLBACK')).command
  const begun = await failure(sql.begin(t => t`SELECT 1 / ${0}::int`))
  return {first, then, back, 'by begin()': code(begun), after: rows(await sql`SELECT 1 AS a`)}
}

async function savepoint(sql) {
  let error
  await sql.begin(async t => {
    await t`INSERT INTO uniq VALUES (1)`
    error = await failure(t.savepoint(s => s`INSERT INTO uniq VALUES (1)`))
    await t`INSERT INTO uniq VALUES (2)`
  })
  return {error: fields(error), left: await uniq(sql)}
}

async function notify(sql, other) {
  let heard
  const payload = new Promise(done => { heard = done })
  const listener = await sql.listen('interop', heard)
  await pause(300)
  await other.notify('interop', 'while idle, é')
  const result = {channel: 'interop', payload: await payload}
  await listener.unlisten()
  await sql.unsafe("DO $$ BEGIN RAISE WARNING 'heard'; END $$")
  return {...result, notices}
}

async function bigResult(sql) {
  const {text} = (await sql`SELECT repeat('0123456789abcdef', ${MEGA / 16}) AS text`)[0]
  return {bytes: text.length, md5: md5(text)}
}

const bigParam = async sql => {
  const text = 'fedcba9876543210'.repeat(MEGA / 16)
  return rows(await sql`SELECT length(${text}::text), md5(${text}::text)`)
}

async function refused(sql) {
  const e = await failure(sql.unsafe(DDL))
  if (e)
    return {refused: true, fields: fields(e), text: String(e)}
  await sql.unsafe('DROP TABLE interop_refused')
  return {refused: false}
}

// The other ways to send it have the same end, and leave the session as usable.
async function usable(sql, wasRefused) {
  const expected = e => wasRefused ? code(e) === '42501' : e === null
  const tidy = async e => e || await sql.unsafe('DROP TABLE interop_refused')
  const extended = await failure(sql.unsafe(DDL, [], {prepare: true}))
  await tidy(extended)
  const inPipe = await Promise.all([sql`SELECT ${1}::int AS a`,
    failure(sql.unsafe(DDL, [], {prepare: true})), sql`SELECT ${2}::int AS a`])
  await tidy(inPipe[1])
  const begun = await failure(sql.begin(async t => {
    await t.unsafe(DDL)
    await t.unsafe('DROP TABLE interop_refused')
  }))
  return {extended: expected(extended), 'by begin()': expected(begun),
    pipe: [rows(inPipe[0]), expected(inPipe[1]), rows(inPipe[2])],
    query: rows(await sql`SELECT 42 AS a`), parameter: rows(await sql`SELECT ${'usable'}::text AS a`)}
}

const sql = login(), other = login()
say('connect', await connect(sql))
say('types', await types(sql))
say('parameters', await parameters(sql))
say('prepared', await prepared(sql))
say('batch', await batch(sql))
say('batch_error', await batchError(sql))
say('copy_in', await copyIn(sql))
say('copy_out', await copyOut(sql))
say('cursor', await cursor(sql))
say('cancel', await cancel(sql, other))
say('transaction', await transaction(sql))
say('savepoint', await savepoint(sql))
say('notify', await notify(sql, other))
say('big_result', await bigResult(sql))
say('big_param', await bigParam(sql))
const result = await refused(sql)
say('refused', result)
say('usable', await usable(sql, result.refused))
await Promise.all([sql.end(), other.end()])
