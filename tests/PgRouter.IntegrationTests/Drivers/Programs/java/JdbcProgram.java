import java.io.StringReader;
import java.io.StringWriter;
import java.sql.Array;
import java.sql.BatchUpdateException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;
import org.postgresql.copy.CopyManager;

/** pgjdbc as applications use it: server-side prepares after five uses, fetch size, batches, COPY, savepoints, generated keys, metadata. */
public final class JdbcProgram {
    private static final String SCHEMA = System.getenv("DRIVER_SCHEMA");

    private static Connection open(String more) throws SQLException {
        return DriverManager.getConnection(
            "jdbc:postgresql://" + System.getenv("PGHOST") + ":" + System.getenv("PGPORT") + "/postgres?user=postgres&currentSchema=" + SCHEMA + more);
    }

    private static void heading(String text) {
        System.out.println("== " + text);
    }

    private static void failure(SQLException error) {
        System.out.println(error.getClass().getSimpleName() + " " + error.getSQLState() + " " + error.getMessage());
    }

    private static void run(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static List<String> rows(Connection connection, String sql, Object... values) throws SQLException {
        List<String> found = new ArrayList<>();
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < values.length; i++) {
                statement.setObject(i + 1, values[i]);
            }
            try (ResultSet result = statement.executeQuery()) {
                while (result.next()) {
                    StringBuilder row = new StringBuilder();
                    for (int i = 1; i <= result.getMetaData().getColumnCount(); i++) {
                        row.append(i == 1 ? "" : "|").append(result.getString(i));
                    }
                    found.add(row.toString());
                }
            }
        }
        return found;
    }

    private static void prepares(Connection connection) throws SQLException {
        heading("prepared after five uses");
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO t (name, feeling) VALUES (?, ?::mood)");
             PreparedStatement pick = connection.prepareStatement("SELECT name, feeling FROM t WHERE name = ?")) {
            for (int n = 0; n < 12; n++) {
                insert.setString(1, "n" + n);
                insert.setString(2, n % 2 == 0 ? "ok" : "sad");
                insert.executeUpdate();
                pick.setString(1, "n" + n);
                try (ResultSet result = pick.executeQuery()) {
                    result.next();
                    System.out.println(result.getString(1) + " " + result.getString(2));
                }
            }
        }
        try (PreparedStatement keyed = connection.prepareStatement("INSERT INTO t (name) VALUES (?)", Statement.RETURN_GENERATED_KEYS)) {
            keyed.setString(1, "keyed");
            keyed.executeUpdate();
            try (ResultSet keys = keyed.getGeneratedKeys()) {
                System.out.println(keys.next() + " " + keys.getInt("id"));
            }
        }
        for (String sql : new String[] {"SELECT nope", "SELECT 1 / 0", "INSERT INTO t (name) VALUES ('n0')", "SELEC"}) {
            try {
                run(connection, sql);
            } catch (SQLException error) {
                failure(error);
            }
        }
        try (Statement statement = connection.createStatement()) {
            boolean isResult = statement.execute("SELECT 1; SELECT 2; UPDATE t SET at = NULL WHERE name = 'n1'; SELECT 3");
            while (isResult || statement.getUpdateCount() != -1) {
                System.out.println(isResult ? "rows" : "count " + statement.getUpdateCount());
                isResult = statement.getMoreResults();
            }
        }
    }

    private static void fetching(Connection connection) throws SQLException {
        heading("fetch size");
        connection.setAutoCommit(false);
        try (PreparedStatement statement = connection.prepareStatement("SELECT n, repeat('x', 100) FROM generate_series(1, ?) AS n")) {
            statement.setFetchSize(50);
            for (int round = 0; round < 7; round++) {
                statement.setInt(1, 333);
                long sum = 0;
                try (ResultSet result = statement.executeQuery()) {
                    while (result.next()) {
                        sum += result.getInt(1);
                    }
                }
                System.out.println(sum);
            }
            statement.setInt(1, 1000);
            try (ResultSet left = statement.executeQuery()) {
                left.next();
            }
        }
        try (PreparedStatement outer = connection.prepareStatement("SELECT n FROM generate_series(1, 30) AS n");
             PreparedStatement inner = connection.prepareStatement("SELECT ? * 2")) {
            outer.setFetchSize(4);
            int sum = 0;
            try (ResultSet numbers = outer.executeQuery()) {
                while (numbers.next()) {
                    inner.setInt(1, numbers.getInt(1));
                    try (ResultSet twice = inner.executeQuery()) {
                        twice.next();
                        sum += twice.getInt(1);
                    }
                }
            }
            System.out.println(sum);
        }
        connection.commit();
        connection.setAutoCommit(true);
    }

    private static void batches(Connection connection) throws SQLException {
        heading("batches");
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO numbers (n, word) VALUES (?, ?)")) {
            for (int n = 0; n < 2000; n++) {
                insert.setInt(1, n);
                insert.setString(2, "word " + n);
                insert.addBatch();
            }
            System.out.println(Arrays.stream(insert.executeBatch()).sum());
            for (int n = 5000; n < 5010; n++) {
                insert.setInt(1, n == 5005 ? 1 : n);
                insert.setString(2, "again");
                insert.addBatch();
            }
            insert.executeBatch();
        } catch (BatchUpdateException error) {
            failure(error);
        }
        System.out.println(rows(connection, "SELECT count(*), sum(n) FROM numbers"));
        try (Statement statement = connection.createStatement()) {
            statement.addBatch("UPDATE numbers SET word = 'a' WHERE n < 10");
            statement.addBatch("DELETE FROM numbers WHERE n >= 1990");
            System.out.println(Arrays.toString(statement.executeBatch()));
        }
    }

    private static void transactions(Connection connection) throws SQLException {
        heading("transactions");
        connection.setAutoCommit(false);
        connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
        System.out.println(rows(connection, "SHOW transaction_isolation"));
        run(connection, "INSERT INTO t (name) VALUES ('kept')");
        Savepoint savepoint = connection.setSavepoint("here");
        try {
            run(connection, "INSERT INTO t (name) VALUES ('kept')");
        } catch (SQLException error) {
            failure(error);
        }
        try {
            run(connection, "SELECT 1");
        } catch (SQLException error) {
            failure(error);
        }
        connection.rollback(savepoint);
        connection.commit();
        run(connection, "DELETE FROM t");
        connection.rollback();
        connection.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
        connection.setReadOnly(true);
        System.out.println(rows(connection, "SELECT count(*) FROM t"));
        try {
            run(connection, "DELETE FROM t");
        } catch (SQLException error) {
            failure(error);
        }
        connection.rollback();
        connection.setReadOnly(false);
        connection.setAutoCommit(true);
    }

    private static void autosave() throws SQLException {
        heading("autosave=always");
        try (Connection connection = open("&autosave=always")) {
            connection.setAutoCommit(false);
            for (int n = 0; n < 10; n++) {
                try (PreparedStatement insert = connection.prepareStatement("INSERT INTO saved VALUES (?)")) {
                    insert.setInt(1, n % 4);
                    insert.executeUpdate();
                } catch (SQLException error) {
                    failure(error);
                }
            }
            connection.commit();
            System.out.println(rows(connection, "SELECT count(*) FROM saved"));
            connection.commit();
        }
    }

    private static void copying(Connection connection) throws Exception {
        heading("COPY");
        CopyManager copy = connection.unwrap(PGConnection.class).getCopyAPI();
        StringBuilder lines = new StringBuilder();
        for (int n = 10000; n < 15000; n++) {
            lines.append(n).append("\tcopied ").append(n).append('\n');
        }
        System.out.println(copy.copyIn("COPY numbers FROM STDIN", new StringReader(lines.toString())));
        StringWriter out = new StringWriter();
        System.out.println(copy.copyOut("COPY (SELECT * FROM numbers ORDER BY n) TO STDOUT (FORMAT csv)", out) + " " + out.toString().length());
        try {
            copy.copyIn("COPY numbers FROM STDIN", new StringReader("1\tduplicate\n"));
        } catch (SQLException error) {
            failure(error);
        }
        System.out.println(rows(connection, "SELECT count(*) FROM numbers"));
    }

    private static void types(Connection connection) throws SQLException {
        heading("types and metadata");
        Array array = connection.createArrayOf("int4", new Integer[] {1, 2, null});
        for (int n = 0; n < 7; n++) {
            System.out.println(rows(connection, "SELECT ?::int[], ?::numeric, ?::uuid, ?::bool, encode(?::bytea, 'hex')", array, new java.math.BigDecimal("1.50"),
                java.util.UUID.fromString("00000000-0000-0000-0000-000000000007"), true, new byte[] {0, 1}));
        }
        System.out.println(rows(connection, "SELECT length(?)", "x".repeat(3_000_000)));
        try (ResultSet tables = connection.getMetaData().getTables(null, SCHEMA, "%", new String[] {"TABLE"})) {
            while (tables.next()) {
                System.out.println(tables.getString("TABLE_NAME"));
            }
        }
        try (ResultSet columns = connection.getMetaData().getColumns(null, SCHEMA, "t", "%")) {
            while (columns.next()) {
                System.out.println(columns.getString("COLUMN_NAME") + " " + columns.getString("TYPE_NAME"));
            }
        }
        System.out.println(connection.getSchema() + " " + connection.getMetaData().getDatabaseMajorVersion());
    }

    private static void notifications(Connection connection) throws SQLException {
        heading("LISTEN");
        run(connection, "LISTEN " + SCHEMA);
        try (Connection sender = open("")) {
            for (int n = 0; n < 3; n++) {
                run(sender, "NOTIFY " + SCHEMA + ", 'note " + n + "'");
            }
        }
        for (int seen = 0; seen < 3;) {
            PGNotification[] notes = connection.unwrap(PGConnection.class).getNotifications(10_000);
            if (notes == null || notes.length == 0) {
                throw new IllegalStateException("no notification came");
            }
            for (PGNotification note : notes) {
                System.out.println(note.getName() + " " + note.getParameter());
                seen++;
            }
        }
        run(connection, "UNLISTEN *");
    }

    private static void timeouts(Connection connection) throws SQLException {
        heading("query timeout");
        for (int n = 0; n < 2; n++) {
            try (Statement statement = connection.createStatement()) {
                statement.setQueryTimeout(1);
                statement.execute("SELECT pg_sleep(30)");
            } catch (SQLException error) {
                failure(error);
            }
            System.out.println(rows(connection, "SELECT 'after timeout'"));
        }
    }

    private static void threads() throws Exception {
        heading("threads");
        ExecutorService workers = Executors.newFixedThreadPool(12);
        List<Future<Integer>> futures = new ArrayList<>();
        for (int worker = 0; worker < 12; worker++) {
            int me = worker;
            Callable<Integer> work = () -> {
                try (Connection connection = open("&ApplicationName=worker" + me + "&prepareThreshold=" + (me % 3 == 0 ? 1 : 5))) {
                    for (int turn = 0; turn < 20; turn++) {
                        rows(connection, "UPDATE counters SET n = n + 1 WHERE worker = ? RETURNING n", me);
                        String name = rows(connection, "SELECT current_setting('application_name') || ?", me).get(0);
                        if (!name.equals("worker" + me + me)) {
                            throw new IllegalStateException(me + " saw " + name);
                        }
                    }
                }
                return me;
            };
            futures.add(workers.submit(work));
        }
        for (Future<Integer> future : futures) {
            System.out.print(future.get() + " ");
        }
        workers.shutdown();
        System.out.println();
    }

    public static void main(String[] args) throws Exception {
        try (Connection connection = open("")) {
            run(connection, "SET client_min_messages = warning");
            run(connection, "DROP SCHEMA IF EXISTS " + SCHEMA + " CASCADE");
            run(connection, "CREATE SCHEMA " + SCHEMA);
            run(connection, "CREATE TYPE mood AS ENUM ('sad', 'ok')");
            run(connection, "CREATE TABLE t (id serial PRIMARY KEY, name text UNIQUE, feeling mood, at timestamptz)");
            run(connection, "CREATE TABLE numbers (n int PRIMARY KEY, word text)");
            run(connection, "CREATE TABLE saved (n int PRIMARY KEY)");
            run(connection, "CREATE TABLE counters AS SELECT w AS worker, 0 AS n FROM generate_series(0, 11) AS w");
            prepares(connection);
            fetching(connection);
            batches(connection);
            transactions(connection);
            autosave();
            copying(connection);
            types(connection);
            notifications(connection);
            timeouts(connection);
            threads();
            System.out.println(rows(connection, "SELECT worker, n FROM counters ORDER BY worker"));
            run(connection, "DROP SCHEMA " + SCHEMA + " CASCADE");
        }
    }

    private JdbcProgram() {
    }
}
