//! Logs as programs write them, and the line that names the error; what holds for every text.

use std::fmt::Write;

use super::*;

mod trace_samples;

fn find(source: TextSource, text: &str, sanitizer: &Sanitizer) -> Option<String> {
    let text = sanitizer.text(&Untrusted::new(text));
    let whole = match source {
        TextSource::Trace => of_trace(&text, sanitizer),
        TextSource::Logs => {
            let mut finder = CauseFinder::default();
            finder.push(&text);
            finder.finish(source, sanitizer)
        }
    };
    if text.contains("\\n") {
        return whole.map(|cause| cause.to_string());
    }
    // However the text is cut into pieces.
    let mut finder = CauseFinder::default();
    let mut buffer = [0; 4];
    text.chars().for_each(|c| finder.push(c.encode_utf8(&mut buffer)));
    assert_eq!(finder.finish(source, sanitizer), whole, "{text}");
    whole.map(|cause| cause.to_string())
}

fn assert_finds(source: TextSource, rows: &[(&str, &str, Option<&str>)]) {
    for (name, text, expected) in rows {
        assert_eq!(find(source, text, &Sanitizer::new()).as_deref(), *expected, "{name}:\n{text}");
    }
}

#[test]
fn the_cause_is_found_in_the_logs_of_programs() {
    assert_finds(
        TextSource::Logs,
        &[
            (
                "the service's own logger",
                "2024-01-15 10:30:00.123  INFO  etl.load  starting\n2024-01-15 10:30:02.001  WARNING  etl.load  slow\n\
                 2024-01-15 10:30:05.456  ERROR  etl.load  Connection timeout: Unable to connect\n\
                 2024-01-15 10:30:05.500  ERROR  etl  pipeline failed\n2024-01-15 10:30:05.600  INFO  etl  done\n",
                Some("Connection timeout: Unable to connect"),
            ),
            (
                "coloured",
                "\u{1b}[32m2024-01-15 10:30:00.123\u{1b}[0m  \u{1b}[1mERROR\u{1b}[0m  \u{1b}[36metl\u{1b}[0m  no rows\n",
                Some("no rows"),
            ),
            (
                "loguru",
                "2024-01-15 10:30:00.123 | INFO     | __main__:main:5 - start\n2024-01-15 10:30:00.200 | ERROR    | \
                 etl.load:run:42 - no such bucket: raw\n2024-01-15 10:30:00.300 | CRITICAL | __main__:main:9 - gave up\n",
                Some("no such bucket: raw"),
            ),
            (
                "loguru with its traceback",
                "2024-01-15 10:30:00.200 | ERROR    | etl.load:run:42 - load failed\nTraceback (most recent call last):\n\n> File \
                 \"a.py\", line 3, in run\n    load()\n    └ <function load>\n\nValueError: bad row\n2024-01-15 10:30:01.000 | INFO     | \
                 __main__:main:5 - bye\n",
                Some("ValueError: bad row"),
            ),
            (
                "logging, as it comes",
                "INFO:root:start\nERROR:etl.load:no rows in 'orders'\nINFO:root:end\n",
                Some("no rows in 'orders'"),
            ),
            (
                "logging, formatted",
                "2024-01-15 10:30:00,123 - etl.load - INFO - start\n2024-01-15 10:30:00,456 - etl.load - ERROR - [Errno 111] Connection \
                 refused\n",
                Some("[Errno 111] Connection refused"),
            ),
            (
                "Airflow",
                "[2024-01-15, 10:30:00 UTC] {taskinstance.py:1308} INFO - Executing\n[2024-01-15T10:30:02.123+0000] \
                 {taskinstance.py:1824} ERROR - Task failed with exception\nTraceback (most recent call last):\n  File \"a.py\", line 1, in \
                 f\n    a()\nKeyError: 'ds'\n[2024-01-15, 10:30:03 UTC] {local_task_job.py:212} INFO - Task exited with return code 1\n",
                Some("KeyError: 'ds'"),
            ),
            (
                "an exception that nobody caught, behind an INFO line",
                "INFO start\nTraceback (most recent call last):\n  File \"a.py\", line 1, in <module>\n    a()\nKeyError: 'ds'\n",
                Some("KeyError: 'ds'"),
            ),
            (
                "a warning's exception is no cause where there is an error",
                "2024-01-15 10:30:00,1 WARNING retrying\nTraceback (most recent call last):\n  File \"a.py\", line 1, in f\nTimeoutError: \
                 slow\n2024-01-15 10:30:09,1 ERROR gave up after 3 tries\n",
                Some("gave up after 3 tries"),
            ),
            (
                "log4j",
                "2024-01-15 10:30:00,123 INFO  [main] com.example.Load: start\n2024-01-15 10:30:00,456 ERROR [main] com.example.Load: \
                 no rows\n",
                Some("com.example.Load: no rows"),
            ),
            (
                "Spring",
                "2024-01-15 10:30:00.123 ERROR 1 --- [           main] o.s.boot.SpringApplication               : Application run failed\n",
                Some("Application run failed"),
            ),
            (
                "Spark",
                "24/01/15 10:30:00 INFO SparkContext: Running Spark version 3.5.0\n24/01/15 10:30:07 WARN TaskSetManager: Lost task 0.0 in \
                 stage 0.0 (TID 0): java.lang.ArithmeticException: / by zero\n\tat com.example.Job.f(Job.scala:9)\n24/01/15 10:30:08 ERROR \
                 TaskSetManager: Task 0 in stage 0.0 failed 4 times; aborting job\n24/01/15 10:30:09 INFO ShutdownHookManager: bye\n",
                Some("TaskSetManager: Task 0 in stage 0.0 failed 4 times; aborting job"),
            ),
            (
                "Spark with the exception",
                "24/01/15 10:30:08 ERROR Executor: Exception in task 0.0 in stage 0.0 (TID 0)\njava.lang.ArithmeticException: / by zero\n\t\
                 at com.example.Job.f(Job.scala:9)\n24/01/15 10:30:09 INFO ShutdownHookManager: bye\n",
                Some("java.lang.ArithmeticException: / by zero"),
            ),
            (
                "dbt: the first of its errors, with what it says",
                "10:30:01  Running with dbt=1.7.4\n10:30:03  1 of 2 START sql table model dw.orders ... [RUN]\n10:30:05  1 of 2 ERROR \
                 creating sql table model dw.orders ... [ERROR in 0.12s]\n10:30:05  \n10:30:05  Completed with 2 errors and 0 warnings:\n\
                 10:30:05  \n10:30:05    Database Error in model orders (models/orders.sql)\n10:30:05    column \"amount\" does not \
                 exist\n10:30:05    LINE 5: select amount\n10:30:05  \n10:30:05    Database Error in model stock (models/stock.sql)\n\
                 10:30:05    other\n10:30:05  Done. PASS=0 WARN=0 ERROR=2 SKIP=0 TOTAL=2\n",
                Some("Database Error in model orders (models/orders.sql): column \"amount\" does not exist"),
            ),
            (
                "dbt on Snowflake",
                "04:27:51  Database Error in test tx_gaps (models/core/txs.yml)\n04:27:51    001003 (42000): SQL compilation error:\n\
                 04:27:51    syntax error line 9 at position 12 unexpected ','.\n04:27:51    syntax error line 11 at position 8 unexpected \
                 'FROM'.\n",
                Some(
                    "Database Error in test tx_gaps (models/core/txs.yml): 001003 (42000): SQL compilation error: syntax error line 9 at \
                     position 12 unexpected ','.",
                ),
            ),
            (
                "a failed test of dbt",
                "10:30:05  Failure in test not_null_orders_id (models/schema.yml)\n10:30:05    Got 3 results, configured to fail if != 0\n",
                Some(
                    "Failure in test not_null_orders_id (models/schema.yml): Got 3 results, configured to fail if != 0",
                ),
            ),
            (
                "dbt within Airflow",
                "[2023-09-08, 10:14:54 +07] {subprocess.py:94} INFO - 03:14:54    Database Error in model customers \
                 (models/customers.sql)\n[2023-09-08, 10:14:54 +07] {subprocess.py:94} INFO -   improper relation name (too many dotted \
                 names)\n[2023-09-08, 10:14:57 +07] {subprocess.py:98} INFO - Command exited with return code 1\n",
                Some(
                    "Database Error in model customers (models/customers.sql): improper relation name (too many dotted names)",
                ),
            ),
            (
                "the lines of a JSON array",
                "2024-01-13T06:00:01Z INFO starting extraction\n2024-01-13T06:15:12Z ERROR Connection timeout: Unable to connect\n",
                Some("Connection timeout: Unable to connect"),
            ),
            (
                "every line with its own time",
                "2024-01-15T10:30:00.1Z stderr F Traceback (most recent call last):\n2024-01-15T10:30:00.1Z stderr F   File \"a.py\", line \
                 1, in f\n2024-01-15T10:30:00.1Z stderr F     a()\n2024-01-15T10:30:00.1Z stderr F etl.Refused: no\n2024-01-15T10:30:00.2Z \
                 stdout F bye\n",
                Some("etl.Refused: no"),
            ),
            (
                "structlog",
                "2023-07-27T21:47:56.022076Z [info     ] start  name=tap\n2023-07-27T21:47:57.022076Z [error    ] no rows  name=tap\n",
                Some("no rows  name=tap"),
            ),
            (
                "a traceback whose lines all have the level",
                "2024-01-15 10:30:00,123 ERROR Traceback (most recent call last):\n2024-01-15 10:30:00,123 ERROR   File \"a.py\", line 1, in \
                 f\n2024-01-15 10:30:00,123 ERROR     f()\n2024-01-15 10:30:00,123 ERROR etl.Refused: no\n2024-01-15 10:30:01,123 INFO bye\n",
                Some("etl.Refused: no"),
            ),
            (
                "a traceback that ends too early",
                "Traceback (most recent call last):\n  File \"a.py\", line 1, in f\n2024-01-15 10:30:00.123  ERROR  stopped by the user\n",
                Some("stopped by the user"),
            ),
            ("the logger before the level", "2024-01-15 10:30:00,123 etl.load ERROR no rows\n", Some("no rows")),
            ("the level before the time", "ERROR 2024-01-15 10:30:00,123 no rows\n", Some("no rows")),
            ("Airbyte", "2024-01-15 10:30:00 destination > ERROR could not sync\n", Some("could not sync")),
            ("Prefect", "10:30:00.123 | ERROR   | Flow run 'a' - no rows\n", Some("Flow run 'a' - no rows")),
            (
                "AWS Lambda",
                "[ERROR] KeyError: 'amount'\nTraceback (most recent call last):\n  File \"/var/task/a.py\", line 4, in handler\n    f()\nEND \
                 RequestId: 1\n",
                Some("KeyError: 'amount'"),
            ),
            (
                "dbt's debug log",
                "10:30:05.123456 [info ] [MainThread]: Running\n10:30:05.123456 [error] [MainThread]:   Database Error in model orders \
                 (models/orders.sql)\n10:30:05.123456 [error] [MainThread]:   no such column\n",
                Some("Database Error in model orders (models/orders.sql): no such column"),
            ),
            (
                "MySQL's client",
                "ERROR 1045 (28000): Access denied for user 'etl'\n",
                Some("1045 (28000): Access denied for user 'etl'"),
            ),
            (
                "psql",
                "BEGIN\npsql:load.sql:3: ERROR:  relation \"x\" does not exist\n",
                Some("psql:load.sql:3: ERROR:  relation \"x\" does not exist"),
            ),
            ("killed by the system", "step 1\nstep 2\nKilled\n", Some("Killed")),
            (
                "killed, as bash says it",
                "start\n/app/run.sh: line 3:    12 Killed                  python etl.py\n",
                Some("/app/run.sh: line 3:    12 Killed                  python etl.py"),
            ),
            (
                "a command's own words",
                "Cloning into 'x'...\nfatal: repository not found\n",
                Some("fatal: repository not found"),
            ),
            (
                "no error",
                "10:30:01  Running with dbt=1.7.4\n10:30:05  Done. PASS=2 WARN=0 ERROR=0 SKIP=0 TOTAL=2\n",
                None,
            ),
            ("warnings alone", "2024-01-15 10:30:00.123  WARNING  etl  slow\n", None),
            ("ERROR in a sentence", "2024-01-15 10:30:00.123  INFO  etl  wrote 0 ERROR rows\nno ERROR here\n", None),
            ("an error of another case", "errors: 0\nthe error rate is 0\nerror_count=0\n", None),
            ("no error, with a time", "2024-01-15 10:30:00 no ERROR found\n", None),
            ("rows of data", "id,status\n1,ERROR\n2,FAILED\n", None),
            ("a level alone", "ERROR\n2024-01-15 10:30:00.123  ERROR  etl  \n", None),
            ("nothing", "", None),
        ],
    );
}

#[test]
fn an_exception_that_says_nothing_does_not_take_the_place_of_an_earlier_one() {
    let traceback =
        |last: &str| format!("Traceback (most recent call last):\n  File \"a.py\", line 1, in run\n{last}\n");
    for nothing in ["None", "null"] {
        let text = traceback("ValueError: bad row") + &traceback(nothing);
        for source in [TextSource::Trace, TextSource::Logs] {
            assert_eq!(find(source, &text, &Sanitizer::new()).as_deref(), Some("ValueError: bad row"), "{nothing}");
        }
    }
}

#[test]
fn a_cause_is_one_line_of_at_most_300_bytes_cut_at_a_character() {
    for fill in ["x", "é", "日", "🦀"] {
        let cause =
            find(TextSource::Trace, &format!("ValueError: {}", fill.repeat(5000)), &Sanitizer::new()).expect("a cause");
        assert!(cause.len() <= LIMIT && cause.len() > LIMIT - 8 && cause.ends_with('…'), "{} {cause}", cause.len());
    }
    let joined = find(TextSource::Trace, "ValueError:\tbad\trow:\n\tnumber\t7\n", &Sanitizer::new());
    assert_eq!(joined.as_deref(), Some("ValueError: bad row: number 7"));
}

/// Two lines become one: a secret that was whole in neither must not become whole.
#[test]
fn no_secret_becomes_whole_where_lines_are_joined() {
    let sanitizer = Sanitizer::new();
    sanitizer.add_secret("error: correct horse");
    let cause = find(TextSource::Trace, "Load error:\ncorrect horse battery\n", &sanitizer).expect("a cause");
    assert!(!cause.contains("error: correct horse"), "{cause}");
    assert_eq!(cause, "Load *** battery");
}

#[test]
fn logs_of_any_length_are_read_in_little_memory() {
    let sanitizer = Sanitizer::new();
    let mut finder = CauseFinder::default();
    let mut text = String::new();
    for n in 0..2_000 {
        writeln!(text, "2024-01-15 10:30:00.123  INFO  etl  row {n}").expect("a String takes all");
    }
    for _ in 0..16 {
        finder.push(&text);
    }
    // Without a line break.
    (0..1_000).for_each(|_| finder.push(&"x".repeat(10_000)));
    assert!(finder.line.len() <= LINE_LIMIT);
    finder.push("\n2024-01-15 10:30:00.123  ERROR  etl  at last\n");
    assert_eq!(finder.finish(TextSource::Logs, &sanitizer).as_deref(), Some("at last"));
}

/// A trace of 32 MiB is read in part: its end names the error, and its beginning is the first line.
#[test]
fn of_a_long_trace_the_beginning_and_the_end_are_read() {
    let sanitizer = Sanitizer::new();
    let frames = "  File \"a.py\", line 1, in f\n    a()\n".repeat(100_000);
    let text = Sanitized::ours(format!("Traceback (most recent call last):\n{frames}RecursionError: too deep\n"));
    assert_eq!(of_trace(&text, &sanitizer).as_deref(), Some("RecursionError: too deep"));
    let text = Sanitized::ours(format!("the load failed\n{}", "a row\n".repeat(1_000_000)));
    assert_eq!(of_trace(&text, &sanitizer).as_deref(), Some("the load failed"));
}
