//! Traces as programs write them, and the line that names the error.

use super::{TextSource, assert_finds};

#[test]
fn the_cause_is_found_in_the_traces_of_programs() {
    assert_finds(
        TextSource::Trace,
        &[
            (
                "one line, as documented",
                "Connection timeout: Unable to connect to source database after 30 seconds",
                Some("Connection timeout: Unable to connect to source database after 30 seconds"),
            ),
            ("several lines", "\n\n  Load failed  \nof public.orders\n", Some("Load failed")),
            (
                "a sentence that goes on",
                "Load failed:\n  no such table orders\n",
                Some("Load failed: no such table orders"),
            ),
            (
                "Python",
                "Traceback (most recent call last):\n  File \"/app/etl.py\", line 12, in <module>\n    main()\n    ~~~~^^\n  \
                 File \"/app/etl.py\", line 8, in main\n    raise ValueError(\"bad row\")\nValueError: bad row\n",
                Some("ValueError: bad row"),
            ),
            (
                "Python, a type without Error in its name",
                "Traceback (most recent call last):\n  File \"a.py\", line 1, in f\n    cur.execute(q)\n\
                 psycopg2.errors.UndefinedTable: relation \"orders\" does not exist\nLINE 1: select * from orders\n                      ^\n",
                Some("psycopg2.errors.UndefinedTable: relation \"orders\" does not exist"),
            ),
            (
                "Python, no message",
                "Traceback (most recent call last):\n  File \"a.py\", line 1, in f\n    wait()\nKeyboardInterrupt",
                Some("KeyboardInterrupt"),
            ),
            (
                "Python, raised from another",
                "Traceback (most recent call last):\n  File \"a.py\", line 1, in f\n    return d[k]\n           ~^^^\nKeyError: 'amount'\n\n\
                 The above exception was the direct cause of the following exception:\n\nTraceback (most recent call last):\n  \
                 File \"b.py\", line 9, in g\n    raise LoadError(\"no column amount\") from error\netl.LoadError: no column amount\n",
                Some("etl.LoadError: no column amount"),
            ),
            (
                "Python, while handling another",
                "Traceback (most recent call last):\n  File \"a.py\", line 1, in f\n    a()\nConnectionResetError: [Errno 104] \
                 Connection reset by peer\n\nDuring handling of the above exception, another exception occurred:\n\n\
                 Traceback (most recent call last):\n  File \"b.py\", line 9, in g\n    b()\n\
                 requests.exceptions.ConnectionError: ('Connection aborted.', ConnectionResetError(104))\n",
                Some("requests.exceptions.ConnectionError: ('Connection aborted.', ConnectionResetError(104))"),
            ),
            (
                "SQLAlchemy: a message of many lines",
                "Traceback (most recent call last):\n  File \"a.py\", line 1, in f\n    engine.connect()\n\
                 sqlalchemy.exc.OperationalError: (psycopg2.OperationalError) connection to server at \"db\" (10.0.0.5), port 5432 \
                 failed: Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?\n\n\
                 (Background on this error at: https://sqlalche.me/e/20/e3q8)\n",
                Some(
                    "sqlalchemy.exc.OperationalError: (psycopg2.OperationalError) connection to server at \"db\" (10.0.0.5), port \
                     5432 failed: Connection refused",
                ),
            ),
            (
                "Snowflake breaks its lines",
                "Traceback (most recent call last):\n  File \"a.py\", line 1, in f\n    cs.execute(q)\n\
                 snowflake.connector.errors.ProgrammingError: 000904 (42000): 01b2: SQL compilation error: error line 1 at \
                 position 7\ninvalid identifier 'AMOUNT'\n",
                Some(
                    "snowflake.connector.errors.ProgrammingError: 000904 (42000): 01b2: SQL compilation error: error line 1 at \
                     position 7 invalid identifier 'AMOUNT'",
                ),
            ),
            (
                "Snowflake, at a colon",
                "snowflake.connector.errors.ProgrammingError: 002003 (42S02): SQL compilation error:\nObject 'RAW.ORDERS' does not \
                 exist or not authorized.\n",
                Some(
                    "snowflake.connector.errors.ProgrammingError: 002003 (42S02): SQL compilation error: Object 'RAW.ORDERS' does \
                     not exist or not authorized.",
                ),
            ),
            (
                "a process pool",
                "multiprocessing.pool.RemoteTraceback: \n\"\"\"\nTraceback (most recent call last):\n  File \"a.py\", line 1, in f\n\
                 ZeroDivisionError: division by zero\n\"\"\"\n\nThe above exception was the direct cause of the following exception:\n\n\
                 Traceback (most recent call last):\n  File \"b.py\", line 2, in g\n    pool.map(f, rows)\nZeroDivisionError: division by zero\n",
                Some("ZeroDivisionError: division by zero"),
            ),
            (
                "an exception group",
                "  + Exception Group Traceback (most recent call last):\n  |   File \"a.py\", line 1, in f\n  |     run()\n  | \
                 ExceptionGroup: loads (2 sub-exceptions)\n  +-+---------------- 1 ----------------\n    | Traceback (most recent call \
                 last):\n    |   File \"a.py\", line 9, in g\n    |     load()\n    | TimeoutError: orders\n    +---------------- 2 \
                 ----------------\n    | Traceback (most recent call last):\n    |   File \"a.py\", line 9, in g\n    |     load()\n    | \
                 etl.Refused: stock\n    +------------------------------------\n",
                Some("etl.Refused: stock"),
            ),
            (
                "loguru marks the frame that caught it",
                "Traceback (most recent call last):\n\n> File \"a.py\", line 3, in <module>\n    main()\n    └ <function main at 0x7f>\n\n  \
                 File \"a.py\", line 1, in main\n    load()\n\npymysql.err.Refused: (1045, \"Access denied\")\n",
                Some("pymysql.err.Refused: (1045, \"Access denied\")"),
            ),
            (
                "a notebook",
                "---------------------------------------------------------------------------\nKeyError                                  \
                 Traceback (most recent call last)\nInput In [3], in <cell line: 1>()\n----> 1 load(df)\n\nInput In [1], in load(df)\n      \
                 1 def load(df):\n----> 2     return df['amount']\n\nKeyError: 'amount'\n",
                Some("KeyError: 'amount'"),
            ),
            (
                "Java",
                "java.lang.IllegalStateException: load of public.orders failed\n\tat com.example.Load.run(Load.java:42)\n\tat \
                 com.example.Main.main(Main.java:7)\n",
                Some("java.lang.IllegalStateException: load of public.orders failed"),
            ),
            (
                "Java with causes",
                "Exception in thread \"main\" java.lang.RuntimeException: load failed\n\tat com.example.Main.main(Main.java:7)\nCaused by: \
                 com.example.LoadFailure: orders\n\tat com.example.Load.run(Load.java:42)\n\t... 1 more\nCaused by: \
                 java.net.ConnectException: Connection refused (Connection refused)\n\tat java.base/sun.nio.ch.Net.connect0(Native \
                 Method)\n\t... 9 more\n",
                Some("java.net.ConnectException: Connection refused (Connection refused)"),
            ),
            (
                "Java: what was suppressed is no cause",
                "Exception in thread \"pool-1-thread-2\" com.example.Load$Broken: orders\n\tat com.example.Load.run(Load.java:42)\n\t\
                 Suppressed: java.io.IOException: Stream closed\n\t\tat com.example.Load.close(Load.java:50)\n\tCaused by: \
                 java.lang.Error: nested\n",
                Some("com.example.Load$Broken: orders"),
            ),
            (
                "Spark: the task's own failure is at the end of the sentence",
                "org.apache.spark.SparkException: Job aborted due to stage failure: Task 3 in stage 1.0 failed 4 times, most recent \
                 failure: Lost task 3.3 in stage 1.0 (TID 7243, ip-172-31-3-156.internal, executor 5): ExecutorLostFailure (executor 5 \
                 exited caused by one of the running tasks) Reason: Container marked as failed. Exit status: 137.\nDriver stacktrace:\n\tat \
                 org.apache.spark.scheduler.DAGScheduler.failJob(DAGScheduler.scala:1750)\n",
                Some(
                    "ExecutorLostFailure (executor 5 exited caused by one of the running tasks) Reason: Container marked as failed. \
                     Exit status: 137.",
                ),
            ),
            (
                "PySpark: Java's causes behind Python's exception",
                "Traceback (most recent call last):\n  File \"job.py\", line 20, in <module>\n    df.write.save(path)\n\
                 py4j.protocol.Py4JJavaError: An error occurred while calling o45.save.\n: org.apache.spark.SparkException: Job aborted.\n\t\
                 at org.apache.spark.sql.errors.X(X.scala:1)\nCaused by: java.lang.OutOfMemoryError: Java heap space\n\tat \
                 java.util.Arrays.copyOf(Arrays.java:1)\n",
                Some("java.lang.OutOfMemoryError: Java heap space"),
            ),
            (
                "PySpark: a traceback of a worker",
                "org.apache.spark.SparkException: Job aborted due to stage failure: Task 0 in stage 0.0 failed 1 times, most recent \
                 failure: Lost task 0.0 in stage 0.0 (TID 0) (10.0.0.5 executor driver): org.apache.spark.api.python.PythonException: \
                 Traceback (most recent call last):\n  File \"/opt/worker.py\", line 830, in main\n    process()\n  File \"job.py\", line \
                 3, in parse\n    return int(row)\nValueError: invalid literal for int() with base 10: 'x'\n\n\tat \
                 org.apache.spark.api.python.BasePythonRunner.read(PythonRunner.scala:572)\n",
                Some("ValueError: invalid literal for int() with base 10: 'x'"),
            ),
            (
                "JavaScript",
                "TypeError: Cannot read properties of undefined (reading 'rows')\n    at load (/app/load.js:3:9)\n    at main \
                 (/app/main.js:8:3)\n",
                Some("TypeError: Cannot read properties of undefined (reading 'rows')"),
            ),
            (
                "dbt",
                "Encountered an error:\nRuntime Error\n  Could not find profile named 'sales'\n",
                Some("Runtime Error: Could not find profile named 'sales'"),
            ),
            (
                "line breaks that are written out",
                "Traceback (most recent call last):\\n  File \"a.py\", line 1, in f\\n    f()\\nKeyError: 'amount'\\n",
                Some("KeyError: 'amount'"),
            ),
            (
                "a traceback on one line",
                "Traceback (most recent call last): File \"a.py\", line 1, in f KeyError: 'amount'",
                Some("Traceback (most recent call last): File \"a.py\", line 1, in f KeyError: 'amount'"),
            ),
            ("Oracle", "ORA-00942: table or view does not exist\n", Some("ORA-00942: table or view does not exist")),
            (
                "R",
                "Error in library(x) : there is no package called 'x'\n",
                Some("Error in library(x) : there is no package called 'x'"),
            ),
            (
                "a traceback that is cut off",
                "Traceback (most recent call last):\n  File \"a.py\", line 1, in f\n    a()\n",
                None,
            ),
            ("blank", " \n\t\n", None),
            ("marks alone", "-----\n=====\n{}\n", None),
            ("null", "null\n", None),
            ("None", "None", None),
            ("frames alone", "    at load (/app/load.js:3:9)\n    at main (/app/main.js:8:3)\n", None),
        ],
    );
}
