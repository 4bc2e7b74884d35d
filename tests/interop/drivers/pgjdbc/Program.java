// SPDX-License-Identifier: ISC
/* The Java driver pgjdbc. What the steps are and what they print: tests/interop/run. */
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.io.StringReader;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.sql.BatchUpdateException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.sql.Savepoint;
import java.sql.Statement;
import java.sql.Types;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;

import javax.net.ssl.SSLSocket;

import org.postgresql.PGConnection;
import org.postgresql.PGNotification;
import org.postgresql.PGStatement;
import org.postgresql.copy.CopyIn;
import org.postgresql.copy.CopyManager;
import org.postgresql.largeobject.LargeObject;
import org.postgresql.largeobject.LargeObjectManager;
import org.postgresql.ssl.LibPQFactory;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

public class Program {
    private static final int MEGA = 1 << 20;
    private static final String DDL =
        "CREATE TABLE interop_refused (id int PRIMARY KEY, note text)";
    private static final String[] MODES = {"extended", "simple", "extendedForPrepared",
        "extendedCacheEverything"};
    private static final Map<String, Connection> sessions = new LinkedHashMap<>();
    private static final PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    private static final boolean isTLS = !"disable".equals(System.getenv("PGSSLMODE"));

    private interface Action {
        void run() throws Exception;
    }

    /* Sees what the driver keeps to itself: the socket that it speaks TLS over. */
    public static class Watched extends LibPQFactory {
        static volatile boolean isUsed;

        public Watched(Properties info) throws PSQLException {
            super(info);
        }

        @Override
        public Socket createSocket(Socket raw, String host, int port, boolean autoClose)
                throws IOException {
            Socket s = super.createSocket(raw, host, port, autoClose);
            isUsed = s instanceof SSLSocket;
            return s;
        }
    }

    // --- output ----------------------------------------------------------------------------

    private static Map<String, Object> object(Object... pairs) {
        Map<String, Object> all = new LinkedHashMap<>();
        for (int i = 0; i < pairs.length; i += 2)
            all.put((String) pairs[i], pairs[i + 1]);
        return all;
    }

    private static String json(Object value) {
        if (value == null || value instanceof Boolean || value instanceof Number)
            return String.valueOf(value);
        if (value instanceof Map<?, ?> m) {
            List<String> parts = new ArrayList<>();
            m.forEach((k, v) -> parts.add(json(k) + ": " + json(v)));
            return "{" + String.join(", ", parts) + "}";
        }
        if (value instanceof List<?> l)
            return "[" + String.join(", ", l.stream().map(Program::json).toList()) + "]";
        StringBuilder s = new StringBuilder("\"");
        for (char c : value.toString().toCharArray()) {
            if (c == '"' || c == '\\')
                s.append('\\').append(c);
            else if (c < ' ')
                s.append(String.format("\\u%04x", (int) c));
            else
                s.append(c);
        }
        return s.append('"').toString();
    }

    private static void say(String step, Object result) {
        out.println(json(object("step", step, "result", result)));
    }

    /* The fields of a server's error, or the text of one of the driver's own. */
    private static Object fields(Throwable e) {
        if (e == null)
            return null;
        ServerErrorMessage m = e instanceof PSQLException p ? p.getServerErrorMessage() : null;
        if (m == null)
            return object("message", e.getMessage());
        Map<String, Object> all = object("severity", m.getSeverity(), "sqlstate", m.getSQLState(),
            "message", m.getMessage(), "detail", m.getDetail(), "hint", m.getHint(),
            "position", m.getPosition() == 0 ? null : "" + m.getPosition(), "context", m.getWhere(),
            "schema", m.getSchema(), "table", m.getTable(), "column", m.getColumn(),
            "constraint", m.getConstraint(), "file", m.getFile(),
            "line", m.getLine() == 0 ? null : "" + m.getLine(), "routine", m.getRoutine());
        all.values().removeIf(v -> v == null);
        return all;
    }

    private static Object code(Throwable e) {
        return e instanceof SQLException s && s.getSQLState() != null ? s.getSQLState() : fields(e);
    }

    /* What it throws; null when it does not. */
    private static Exception failure(Action action) {
        try {
            action.run();
            return null;
        } catch (Exception e) {
            return e;
        }
    }

    private static String value(Object v) {
        if (v == null)
            return "null";
        if (v instanceof byte[] b)
            return "byte[] " + HexFormat.of().formatHex(b);
        return v.getClass().getSimpleName() + " " + v;
    }

    private static String md5(byte[] data) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("MD5").digest(data));
    }

    // --- help ------------------------------------------------------------------------------

    private static Connection login(String... more) throws SQLException {
        Properties p = new Properties();
        p.setProperty("user", System.getenv("PGUSER"));
        p.setProperty("password", System.getenv("PGPASSWORD"));
        p.setProperty("sslmode", System.getenv("PGSSLMODE"));
        if (isTLS) {
            p.setProperty("sslrootcert", System.getenv("PGSSLROOTCERT"));
            p.setProperty("sslfactory", Watched.class.getName());
        }
        for (int i = 0; i < more.length; i += 2)
            p.setProperty(more[i], more[i + 1]);
        return DriverManager.getConnection("jdbc:postgresql://" + System.getenv("PGHOST") + ":"
            + System.getenv("PGPORT") + "/" + System.getenv("PGDATABASE"), p);
    }

    private static PGConnection pg(Connection c) throws SQLException {
        return c.unwrap(PGConnection.class);
    }

    private static List<List<String>> rows(ResultSet r) throws SQLException {
        List<List<String>> all = new ArrayList<>();
        int n = r.getMetaData().getColumnCount();
        while (r.next()) {
            List<String> row = new ArrayList<>();
            for (int i = 1; i <= n; i++)
                row.add(value(r.getObject(i)));
            all.add(row);
        }
        return all;
    }

    private static List<List<String>> query(Connection c, String sql, Object... parameters)
            throws SQLException {
        try (PreparedStatement s = c.prepareStatement(sql)) {
            for (int i = 0; i < parameters.length; i++)
                s.setObject(i + 1, parameters[i]);
            return rows(s.executeQuery());
        }
    }

    private static int update(Connection c, String sql) throws SQLException {
        try (Statement s = c.createStatement()) {
            return s.executeUpdate(sql);
        }
    }

    private static List<List<String>> uniq(Connection c) throws SQLException {
        List<List<String>> left = query(c, "SELECT id FROM uniq ORDER BY id");
        update(c, "DELETE FROM uniq");
        return left;
    }

    /* Waits until the backend sleeps in pg_sleep; looks from another session. */
    private static void waitAsleep(Connection watch, int pid) throws Exception {
        while (query(watch, "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND"
                + " pid = ?", pid).isEmpty())
            Thread.sleep(20);
    }

    private static CompletableFuture<Exception> later(Action action) {
        return CompletableFuture.supplyAsync(() -> failure(action));
    }

    // --- steps -----------------------------------------------------------------------------

    private static Object connect(Connection c) throws Exception {
        Exception wrong = failure(() -> login("password", "wrong").close());
        return object("tls", Watched.isUsed, "user", query(c, "SELECT current_user"),
            "parameters", new TreeMap<>(pg(c).getParameterStatuses()),
            "version", c.getMetaData().getDatabaseProductVersion(), "pid is the backend's",
            query(c, "SELECT pg_backend_pid()").get(0).get(0).equals("Integer " + pg(c).getBackendPID()),
            "wrong password", code(wrong), "tables", rows(c.getMetaData().getColumns(null, "public",
            "items", null)).stream().map(r -> r.get(3) + " " + r.get(5)).toList());
    }

    private static final String TYPES = "SELECT 1::int2 AS a, -2::int4 AS b, 3000000000::int8 AS c,"
        + " 1.5::float8 AS d, 12345.678::numeric AS e, 'zoë €'::text AS f, '\\xdead'::bytea AS g,"
        + " true AS h, '2024-02-29'::date AS i, '2024-02-29 01:02:03.5'::timestamp AS j,"
        + " '2024-02-29 01:02:03.5+02'::timestamptz AS k,"
        + " '0d9b9f9e-7f3a-4a1c-9f0e-5a0c5c1d2e3f'::uuid AS l, '{\"a\": [1]}'::jsonb AS m,"
        + " '{\"b\": 2}'::json AS n, array[1,2,3] AS o, null::text AS p,"
        + " '1 day 2 hours'::interval AS q";

    private static Object types() throws Exception {
        Map<String, Object> each = object();
        for (String mode : MODES) {
            Connection c = sessions.get(mode);
            try (Statement s = c.createStatement(); ResultSet r = s.executeQuery(TYPES)) {
                ResultSetMetaData m = r.getMetaData();
                List<Object> columns = new ArrayList<>();
                for (int i = 1; i <= m.getColumnCount(); i++)
                    columns.add(m.getColumnName(i) + " " + m.getColumnTypeName(i));
                each.put(mode, List.of(columns, rows(r), query(c, TYPES + " WHERE ?", true),
                    s.execute(""), failure(() -> query(c, "SELECT nothing")) != null));
            }
        }
        return each;
    }

    private static Object parameters() throws Exception {
        Map<String, Object> each = object();
        for (String mode : MODES) {
            Connection c = sessions.get(mode);
            try (PreparedStatement s = c.prepareStatement("SELECT ?::int + 1, ?::text || '!',"
                    + " ?::bool, ?::text, ?::date, ?::int[], ?::bytea, ?::numeric")) {
                s.setInt(1, 41);
                s.setString(2, "it's; DROP TABLE items --");
                s.setBoolean(3, true);
                s.setNull(4, Types.VARCHAR);
                s.setObject(5, java.time.LocalDate.of(2024, 2, 29));
                s.setArray(6, c.createArrayOf("int4", new Integer[] {1, 2}));
                s.setBytes(7, new byte[] {0, -1});
                s.setBigDecimal(8, new java.math.BigDecimal("12345.678"));
                // Twice: the second time with a statement that the server knows.
                each.put(mode, List.of(rows(s.executeQuery()), rows(s.executeQuery())));
            }
        }
        return each;
    }

    private static Object prepared(Connection c) throws Exception {
        List<Object> got = new ArrayList<>();
        try (PreparedStatement s = c.prepareStatement("SELECT name, price FROM items WHERE id = ?")) {
            s.unwrap(PGStatement.class).setPrepareThreshold(1);
            for (int id : new int[] {1, 500, 1000}) {
                s.setInt(1, id);
                got.add(rows(s.executeQuery()));
                got.add(s.unwrap(PGStatement.class).isUseServerPrepare());
            }
            got.add(s.getParameterMetaData().getParameterTypeName(1));
        }
        return got;
    }

    private static int[] insertAll(Connection c, int... ids) throws SQLException {
        try (PreparedStatement s = c.prepareStatement("INSERT INTO uniq VALUES (?)")) {
            for (int id : ids) {
                s.setInt(1, id);
                s.addBatch();
            }
            return s.executeBatch();
        }
    }

    private static List<Integer> list(int... numbers) {
        return Arrays.stream(numbers).boxed().toList();
    }

    private static Object batch(Connection c) throws Exception {
        Map<String, Object> result = object();
        try (Statement s = c.createStatement()) {
            List<Object> several = new ArrayList<>();
            boolean isRows = s.execute("SELECT 1; INSERT INTO uniq VALUES (1); SELECT 'last', 3");
            for (; isRows || s.getUpdateCount() >= 0; isRows = s.getMoreResults())
                several.add(isRows ? rows(s.getResultSet()) : (Object) s.getUpdateCount());
            result.put("several", several);
            for (String sql : new String[] {"INSERT INTO uniq VALUES (2)", "DELETE FROM uniq"})
                s.addBatch(sql);
            result.put("statements", list(s.executeBatch()));
        }
        result.put("prepared", list(insertAll(c, 1, 2, 3)));
        result.put("left", uniq(c));
        try (Connection rewrites = login("reWriteBatchedInserts", "true")) {
            result.put("rewritten", insertAll(rewrites, 4, 5, 6).length);
            result.put("left of it", uniq(c));
        }
        try (PreparedStatement s = c.prepareStatement("INSERT INTO uniq VALUES (?)",
                Statement.RETURN_GENERATED_KEYS)) {
            for (int id = 1; id <= 3; id++) {
                s.setInt(1, id);
                s.addBatch();
            }
            s.executeBatch();
            result.put("keys", rows(s.getGeneratedKeys()));
        }
        uniq(c);
        return result;
    }

    private static Object batchError(Connection c) throws Exception {
        Map<String, Object> result = object();
        for (boolean isAuto : new boolean[] {true, false}) {
            c.setAutoCommit(isAuto);
            Exception e = failure(() -> insertAll(c, 1, 1, 2));
            if (!isAuto)
                c.rollback();
            c.setAutoCommit(true);
            BatchUpdateException b = (BatchUpdateException) e;
            result.put(isAuto ? "alone" : "in a transaction", object("counts",
                list(b.getUpdateCounts()), "error", fields(b.getNextException()), "left", uniq(c)));
        }
        Exception several = failure(() -> update(c, "INSERT INTO uniq VALUES (1);"
            + " INSERT INTO uniq VALUES (1); INSERT INTO uniq VALUES (2)"));
        result.put("several", code(several));
        result.put("left of several", uniq(c));
        return result;
    }

    private static Object copyIn(Connection c) throws Exception {
        CopyManager m = pg(c).getCopyAPI();
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 1000; i++)
            text.append(i).append("\tname\\t").append(i).append(" é\t\\N\n");
        long n = m.copyIn("COPY bulk FROM STDIN", new StringReader(text.toString()));
        Object content = query(c, "SELECT count(*), md5(string_agg(b::text, ',' ORDER BY id))"
            + " FROM bulk b");
        Exception bad = failure(() -> m.copyIn("COPY bulk FROM STDIN",
            new StringReader("1\tx\ty\nno number\ty\tz\n")));
        Exception unknown = failure(() -> m.copyIn("COPY nowhere FROM STDIN", new StringReader("1\n")));
        CopyIn given = m.copyIn("COPY bulk FROM STDIN");
        given.writeToCopy("1\tx\ty\n".getBytes(), 0, 6);
        given.cancelCopy();
        return object("rows", n, "content", content, "bad row", fields(bad), "unknown table",
            code(unknown), "after giving up", query(c, "SELECT count(*) FROM bulk"));
    }

    private static Object copyOut(Connection c) throws Exception {
        CopyManager m = pg(c).getCopyAPI();
        ByteArrayOutputStream all = new ByteArrayOutputStream(), broken = new ByteArrayOutputStream();
        long n = m.copyOut("COPY (SELECT * FROM items ORDER BY id) TO STDOUT", all);
        Exception e = failure(() -> m.copyOut("COPY (SELECT 1 / (1000 - id) FROM items ORDER BY id)"
            + " TO STDOUT", broken));
        return object("rows", n, "bytes", all.size(), "md5", md5(all.toByteArray()),
            "error in the middle", code(e), "before it", broken.size(), "after", query(c, "SELECT 1"));
    }

    /* Portals with a row limit: a fetch size in a transaction. */
    private static Object cursor(Connection c) throws Exception {
        c.setAutoCommit(false);
        Map<String, Object> result = object();
        try (PreparedStatement s = c.prepareStatement("SELECT id, name FROM items WHERE id > ?"
                + " ORDER BY id")) {
            s.setFetchSize(300);
            s.setInt(1, 0);
            List<List<String>> all = rows(s.executeQuery());
            result.put("rows", List.of(all.size(), all.get(all.size() - 1)));
        }
        try (Statement s = c.createStatement()) {
            s.setFetchSize(3);
            ResultSet early = s.executeQuery("SELECT * FROM items, generate_series(1, 100)");
            early.next();
            ResultSet meanwhile = c.createStatement().executeQuery("SELECT 'meanwhile'");
            for (int i = 0; i < 4; i++)
                early.next();
            result.put("closed early", List.of(early.getInt(1), rows(meanwhile)));
            early.close();
            ResultSet failing = s.executeQuery("SELECT 1 / (5 - g) FROM generate_series(1, 9) g");
            int n = 0;
            while (n < 3 && failing.next())
                n++;
            result.put("before an error", n);
            result.put("error", code(failure(failing::next)));
        }
        c.rollback();
        c.setAutoCommit(true);
        try (Statement s = c.createStatement()) {
            s.setMaxRows(7);
            result.put("max rows", rows(s.executeQuery("SELECT id FROM items ORDER BY id")).size());
        }
        result.put("after", query(c, "SELECT 1"));
        return result;
    }

    private static Object cancel(Connection c, Connection other) throws Exception {
        Map<String, Object> result = object();
        try (Statement s = c.createStatement()) {
            CompletableFuture<Exception> end = later(() -> s.execute("SELECT pg_sleep(30)"));
            waitAsleep(other, pg(c).getBackendPID());
            s.cancel();
            result.put("Statement.cancel", fields(end.get()));
            result.put("after", query(c, "SELECT 1"));
            s.setQueryTimeout(1);
            result.put("timeout", fields(failure(() -> s.execute("SELECT pg_sleep(30)"))));
            result.put("after timeout", query(c, "SELECT 1"));
        }
        return result;
    }

    private static Object transaction(Connection c) throws Exception {
        c.setAutoCommit(false);
        Exception first = failure(() -> query(c, "SELECT 1 / 0"));
        Exception then = failure(() -> query(c, "SELECT 1"));
        c.rollback();
        failure(() -> query(c, "SELECT 1 / 0"));
        Exception commit = failure(c::commit);
        c.rollback();
        c.setAutoCommit(true);
        return object("first", fields(first), "then", fields(then), "a failed one's COMMIT",
            fields(commit), "after", query(c, "SELECT 1"));
    }

    private static Object savepoint(Connection c) throws Exception {
        c.setAutoCommit(false);
        insertAll(c, 1);
        Savepoint one = c.setSavepoint("one");
        Exception e = failure(() -> update(c, "INSERT INTO uniq VALUES (1)"));
        c.rollback(one);
        insertAll(c, 2);
        c.commit();
        c.setAutoCommit(true);
        List<List<String>> left = uniq(c);
        // A savepoint of the driver's own around each statement.
        try (Connection saves = login("autosave", "always")) {
            saves.setAutoCommit(false);
            insertAll(saves, 3);
            Exception own = failure(() -> update(saves, "INSERT INTO uniq VALUES (3)"));
            insertAll(saves, 4);
            saves.commit();
            saves.setAutoCommit(true);
            return object("error", fields(e), "left", left, "autosave", code(own), "left of it",
                uniq(saves));
        }
    }

    private static Object notify(Connection c, Connection other) throws Exception {
        update(c, "LISTEN interop");
        CompletableFuture<Exception> sent = later(() -> {
            Thread.sleep(300);
            query(other, "SELECT pg_notify('interop', 'while idle, é')");
        });
        PGNotification[] got = pg(c).getNotifications(20000);
        Exception failed = sent.get();
        update(c, "UNLISTEN *");
        if (failed != null || got == null)
            return object("heard", got != null, "sent", fields(failed));
        try (Statement s = c.createStatement()) {
            s.execute("DO $$ BEGIN RAISE WARNING 'heard' USING HINT = 'nothing'; END $$");
            SQLWarning w = s.getWarnings();
            return object("n", got.length, "channel", got[0].getName(), "payload",
                got[0].getParameter(), "pid is the sender's",
                got[0].getPID() == pg(other).getBackendPID(), "warning",
                List.of(w.getSQLState(), w.getMessage()));
        }
    }

    private static Object bigResult(Connection c) throws Exception {
        try (PreparedStatement s = c.prepareStatement("SELECT repeat('0123456789abcdef', ?)")) {
            s.setInt(1, MEGA / 16);
            ResultSet r = s.executeQuery();
            r.next();
            String text = r.getString(1);
            return object("bytes", text.length(), "md5", md5(text.getBytes()));
        }
    }

    /* Also as a large object, which the driver writes and reads by function calls. */
    private static Object bigParam(Connection c) throws Exception {
        String text = "fedcba9876543210".repeat(MEGA / 16);
        Object result = query(c, "SELECT length(?), md5(?)", text, text);
        c.setAutoCommit(false);
        LargeObjectManager m = pg(c).getLargeObjectAPI();
        long id = m.createLO();
        LargeObject written = m.open(id, LargeObjectManager.READWRITE);
        written.write(text.getBytes());
        written.seek(MEGA / 2);
        byte[] half = written.read(MEGA);
        long size = written.size64();
        written.close();
        Exception unknown = failure(() -> m.open(1L, LargeObjectManager.READ));
        c.rollback();
        c.setAutoCommit(true);
        return object("server", result, "large object", List.of(size, half.length, md5(half)),
            "unknown one", code(unknown), "after", query(c, "SELECT 1"));
    }

    private static Map<String, Object> refused(Connection c) throws Exception {
        Exception e = failure(() -> update(c, DDL));
        if (e != null)
            return object("refused", true, "fields", fields(e), "text", e.getMessage());
        update(c, "DROP TABLE interop_refused");
        return object("refused", false);
    }

    /* The other ways to send it have the same end, and leave the session as usable. */
    private static Object usable(Connection c, boolean wasRefused) throws Exception {
        Map<String, Object> result = object();
        for (String mode : MODES) {
            Connection other = sessions.get(mode);
            try (PreparedStatement s = other.prepareStatement(DDL)) {
                Exception e = failure(s::executeUpdate);
                if (e == null)
                    update(other, "DROP TABLE interop_refused");
                result.put(mode, List.of((e != null) == wasRefused, !wasRefused
                    || code(e).equals("42501"), query(other, "SELECT 42")));
            }
        }
        try (Statement s = c.createStatement()) {
            for (String sql : new String[] {"INSERT INTO uniq VALUES (1)", DDL,
                    "DROP TABLE interop_refused", "DELETE FROM uniq"})
                s.addBatch(sql);
            Exception e = failure(s::executeBatch);
            result.put("in a batch", (e != null) == wasRefused);
        }
        result.put("uniq", uniq(c));
        c.setAutoCommit(false);
        Exception inside = failure(() -> update(c, DDL));
        Exception then = failure(() -> query(c, "SELECT 1"));
        c.rollback();
        c.setAutoCommit(true);
        result.put("in a transaction", (inside != null) == wasRefused
            && wasRefused == "25P02".equals(code(then)));
        result.put("query", query(c, "SELECT 42"));
        result.put("parameter", query(c, "SELECT ?::text", "usable"));
        return result;
    }

    public static void main(String[] arguments) throws Exception {
        // With TLS: SCRAM with channel binding; a TLS handshake without SSLRequest where the
        // server knows that (since 17).
        boolean isDirect = isTLS && Integer.parseInt(System.getenv("INTEROP_SERVER")) >= 17;
        try (Connection c = login("channelBinding", isTLS ? "require" : "prefer");
                Connection other = login("sslNegotiation", isDirect ? "direct" : "postgres")) {
            for (String mode : MODES)
                sessions.put(mode, login("preferQueryMode", mode, "prepareThreshold", "1"));
            say("connect", connect(c));
            say("types", types());
            say("parameters", parameters());
            say("prepared", prepared(c));
            say("batch", batch(c));
            say("batch_error", batchError(c));
            say("copy_in", copyIn(c));
            say("copy_out", copyOut(c));
            say("cursor", cursor(c));
            say("cancel", cancel(c, other));
            say("transaction", transaction(c));
            say("savepoint", savepoint(c));
            say("notify", notify(c, other));
            say("big_result", bigResult(c));
            say("big_param", bigParam(c));
            Map<String, Object> result = refused(c);
            say("refused", result);
            say("usable", usable(c, (Boolean) result.get("refused")));
            for (Connection session : sessions.values())
                session.close();
        }
    }
}
