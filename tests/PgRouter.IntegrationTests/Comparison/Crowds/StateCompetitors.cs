using PgRouter.Testing.Protocol;

namespace PgRouter.IntegrationTests.Wire;

/// <summary>Leaves settings of every kind, some of which change what later statements mean.</summary>
internal sealed class SettingsCompetitor(int number) : Competitor(number)
{
    protected override string Forget => "RESET ALL; RESET ROLE";

    protected override async Task LeaveStateAsync(RawClient client)
    {
        await RequireAsync(
            client,
            $"SET work_mem = '{1000 + Number}kB'",
            "SET DateStyle = 'German'; SET TimeZone = 'Asia/Tokyo'; SET IntervalStyle = 'iso_8601'",
            "SET bytea_output = 'escape'; SET extra_float_digits = 0; SET client_min_messages = error",
            "SET search_path = pg_catalog; SET check_function_bodies = off; SET statement_timeout = '61s'; SET lock_timeout = '62s'",
            "SET standard_conforming_strings = off; SET quote_all_identifiers = on; SET row_security = off",
            $"SELECT set_config('wire.mine', 'crowd{Number}', false)",
            "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE",
            "SET default_transaction_read_only = on; SET default_transaction_deferrable = on; SET idle_in_transaction_session_timeout = '63s'");
        if (Visits % 2 == 0)
            await RequireAsync(client, "SET ROLE wire_role");
        await RequireValueAsync(client, $"{1000 + Number}kB", "SELECT current_setting('work_mem')");
        await RequireValueAsync(client, $"crowd{Number}", "SELECT current_setting('wire.mine')");
        await RequireValueAsync(client, $"crowd{Number}", "SHOW application_name");
        await RequireValueAsync(client, Visits % 2 == 0 ? "wire_role" : "postgres", "SELECT current_user");
        await RequireValueAsync(client, "03.02.2020", "SELECT DATE '2020-02-03'");
    }
}

/// <summary>Leaves temporary tables, views, functions, sequences and types under the names of the scripts.</summary>
internal sealed class TemporaryTableCompetitor(int number) : Competitor(number)
{
    protected override string Forget => "DISCARD TEMP";

    protected override async Task LeaveStateAsync(RawClient client)
    {
        await RequireAsync(
            client,
            $"CREATE TEMP TABLE wire_temp AS SELECT 'of crowd{Number}' AS owner",
            "CREATE TEMP TABLE wire_in (strange text, columns text); CREATE TEMP SEQUENCE wire_seq START 4000",
            "CREATE TEMP VIEW wire_view AS SELECT 'crowd' AS owner",
            "SELECT 1 AS wrong INTO TEMP wire_into",
            "CREATE FUNCTION pg_temp.wire_function() RETURNS text LANGUAGE sql AS $$ SELECT 'crowd' $$");
        await RequireValueAsync(client, $"of crowd{Number}", "SELECT owner FROM wire_temp");
        await RequireValueAsync(client, "4000", "SELECT nextval('wire_seq')");
    }
}

/// <summary>Leaves prepared statements of both protocols under the names of the scripts, and an unnamed one.</summary>
internal sealed class StatementCompetitor(int number) : Competitor(number)
{
    private static readonly string[] Names = ["s", "n", "q", "a", "b", "add"];

    protected override string Forget => "DEALLOCATE ALL";

    protected override async Task LeaveStateAsync(RawClient client)
    {
        foreach (var name in Names)
            await client.SendAsync(Frontend.Parse(name, $"SELECT 'statement {name} of crowd{Number}'"));
        await client.SendAsync(Frontend.Sync());
        await client.ReadUntilAsync();
        await RequireAsync(client, $"PREPARE sql AS SELECT 'sql of crowd{Number}'");
        foreach (var name in Names)
        {
            await client.SendAsync(Frontend.Bind("", name), Frontend.Execute(""), Frontend.Sync());
            await RequireNextValueAsync(client, $"statement {name} of crowd{Number}", name);
        }

        await RequireValueAsync(client, $"sql of crowd{Number}", "EXECUTE sql");
        await client.SendAsync(Frontend.Parse("", $"SELECT 'unnamed of crowd{Number}'"), Frontend.Sync());
        await client.ReadUntilAsync();
        await client.SendAsync(Frontend.Bind("", ""), Frontend.Execute(""), Frontend.Sync());
        await RequireNextValueAsync(client, $"unnamed of crowd{Number}", "the unnamed statement");
    }
}

/// <summary>Leaves advisory locks that other sessions may hold as well.</summary>
internal sealed class LockCompetitor(int number) : Competitor(number)
{
    protected override string Forget => "SELECT pg_advisory_unlock_all()";

    protected override async Task LeaveStateAsync(RawClient client)
    {
        await RequireAsync(client, "SELECT pg_advisory_lock_shared(4800)", "SELECT pg_try_advisory_lock_shared(48, 1)", "SELECT pg_advisory_lock(4900)");
        await RequireValueAsync(
            client, "3", "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()");
    }
}

/// <summary>Leaves values for currval and lastval of the sequences that the scripts ask for.</summary>
internal sealed class SequenceCompetitor(int number) : Competitor(number)
{
    protected override string Forget => "DISCARD SEQUENCES";

    protected override async Task LeaveStateAsync(RawClient client)
    {
        await RequireValueAsync(client, "1", "SELECT nextval('wire_always_one')");
        await RequireAsync(client, "SELECT nextval('wire_theirs')");
        await RequireValueAsync(client, "1", "BEGIN; SELECT nextval('wire_always_one'); COMMIT");
    }
}

/// <summary>Leaves cursors that outlive their transaction, and portals.</summary>
internal sealed class CursorCompetitor(int number) : Competitor(number)
{
    protected override string Forget => "CLOSE ALL";

    protected override async Task LeaveStateAsync(RawClient client)
    {
        foreach (var name in new[] { "c", "held", "cursor" })
            await RequireAsync(client, $"DECLARE {name} CURSOR WITH HOLD FOR SELECT '{name} of crowd{Number}' FROM generate_series(1, 3)");
        await RequireValueAsync(client, $"held of crowd{Number}", "FETCH 1 FROM held");
        await RequireAsync(client, "BEGIN");
        await client.SendAsync(
            Frontend.Parse("", "SELECT 'portal' FROM generate_series(1, 3)"), Frontend.Bind("p", ""), Frontend.Execute("p", 1), Frontend.Sync());
        await RequireNextValueAsync(client, "portal", "a portal with a row limit");
        await RequireAsync(client, "COMMIT");
    }
}

/// <summary>Leaves transactions open, failed and prepared for nothing, a COPY half done, and settings that were local.</summary>
internal sealed class TransactionCompetitor(int number) : Competitor(number)
{
    protected override string Forget => "ROLLBACK";

    protected override string ForgetAll => "ROLLBACK AND CHAIN; COMMIT";

    protected override async Task LeaveStateAsync(RawClient client)
    {
        await RequireAsync(client, $"BEGIN ISOLATION LEVEL REPEATABLE READ; SET LOCAL work_mem = '{2000 + Number}kB'; SAVEPOINT a");
        await client.QueryAsync("SELECT 1/0");
        await RequireAsync(client, "ROLLBACK TO a");
        await RequireValueAsync(client, $"{2000 + Number}kB", "SELECT current_setting('work_mem')");
        await RequireAsync(client, "COMMIT", "BEGIN; SET LOCAL work_mem = '3MB'; CREATE TEMP TABLE wire_in (half text) ON COMMIT DROP");
        if (Visits % 3 != 2)
            return;
        await client.SendAsync(Frontend.Query("COPY wire_in FROM STDIN"), Frontend.CopyData("half a row"u8.ToArray()));
        await client.ReadUntilAsync('G');
    }
}
