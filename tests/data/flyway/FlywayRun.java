// SPDX-License-Identifier: ISC
/* Drives Flyway's API for tests/e2e/tools_flyway: one command a line on standard input,
 * its name and Flyway's own configuration keys set apart by tabs; answers with lines of
 * fields set apart by tabs, the last of which begins with "ok" or "error". */
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.MigrationInfo;

public class FlywayRun {
    private static final PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);

    private static String field(Object value) {
        return String.valueOf(value).replaceAll("[\\t\\r\\n]+", " ");
    }

    private static void say(Object... fields) {
        StringBuilder line = new StringBuilder();
        for (Object f : fields)
            line.append(line.length() == 0 ? "" : "\t").append(field(f));
        out.println(line);
    }

    private static void run(String command, Flyway flyway) {
        switch (command) {
        case "migrate":
            say("ok", flyway.migrate().migrationsExecuted);
            break;
        case "info":
            for (MigrationInfo i : flyway.info().all())
                say("row", i.getVersion() == null ? "" : i.getVersion(), i.getDescription(),
                    i.getState().getDisplayName());
            say("ok");
            break;
        case "validate":
            flyway.validate();
            say("ok");
            break;
        case "repair":
            flyway.repair();
            say("ok");
            break;
        case "baseline":
            flyway.baseline();
            say("ok");
            break;
        case "clean":
            flyway.clean();
            say("ok");
            break;
        default:
            say("error", "no such command");
        }
    }

    public static void main(String[] arguments) throws Exception {
        BufferedReader in =
            new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        say("ok", "ready");
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] fields = line.split("\t");
            Map<String, String> configuration = new HashMap<>();
            for (int i = 1; i < fields.length; i++) {
                int at = fields[i].indexOf('=');
                configuration.put(fields[i].substring(0, at), fields[i].substring(at + 1));
            }
            try {
                run(fields[0], Flyway.configure().configuration(configuration).load());
            } catch (Exception e) {
                say("error", e.getMessage());
            }
        }
    }
}
