// Written by `cargo run --example packages`. Change examples/packages/files.rs instead.
// docs/jenkins.md. `maestroGate runId: '...', maxAge: '24h'` in a Jenkinsfile; maestroGate.txt lists the inputs.
def call(Map given = [:]) {
  def variables = [
    pipelineId: 'MAESTRO_PIPELINE_ID',
    runId: 'MAESTRO_RUN_ID',
    trigger: 'MAESTRO_TRIGGER',
    ifRunning: 'MAESTRO_IF_RUNNING',
    retries: 'MAESTRO_RETRIES',
    maxAge: 'MAESTRO_MAX_AGE',
    startedAfter: 'MAESTRO_STARTED_AFTER',
    ifStale: 'MAESTRO_IF_STALE',
    timeout: 'MAESTRO_TIMEOUT',
    pollInterval: 'MAESTRO_POLL_INTERVAL',
    appearTimeout: 'MAESTRO_APPEAR_TIMEOUT',
    maxOutage: 'MAESTRO_MAX_OUTAGE',
    failFast: 'MAESTRO_FAIL_FAST',
    history: 'MAESTRO_HISTORY',
    details: 'MAESTRO_DETAILS',
    successStatuses: 'MAESTRO_SUCCESS_STATUSES',
    failureStatuses: 'MAESTRO_FAILURE_STATUSES',
    baseUrl: 'MAESTRO_BASE_URL',
    runUrl: 'MAESTRO_RUN_URL',
    caFile: 'MAESTRO_CA_FILE',
    summary: 'MAESTRO_SUMMARY',
    logs: 'MAESTRO_LOGS',
    traceFile: 'MAESTRO_TRACE_FILE',
    json: 'MAESTRO_JSON_FILE',
    junit: 'MAESTRO_JUNIT_FILE',
    dotenv: 'MAESTRO_DOTENV_FILE',
    markdown: 'MAESTRO_MARKDOWN_FILE',
    outputDir: 'MAESTRO_OUTPUT_DIR',
    outputPrefix: 'MAESTRO_OUTPUT_PREFIX',
    logFormat: 'MAESTRO_LOG_FORMAT',
    quiet: 'MAESTRO_QUIET',
    verbose: 'MAESTRO_VERBOSE',
  ]
  def unknown = given.keySet() - variables.keySet()
  if (unknown) {
    error "maestroGate has no input ${unknown.join(', ')}"
  }
  // An input that is not given becomes an empty variable, which counts as not set.
  def environment = variables.collect { name, variable -> variable + '=' + (given[name] == null ? '' : given[name]) }
  withEnv(environment + ['MAESTRO_CI=jenkins']) {
    sh 'unset GITHUB_ACTIONS DRONE CI_SYSTEM_NAME; export CI=true; exec maestro-gate'
  }
}
