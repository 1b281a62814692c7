// Calls the step of the Jenkins library as a pipeline would, with stand-ins for `withEnv`, `sh` and `error`.
abstract class Pipeline extends Script {
  Map<String, String> environment = [:]
  List<String> ran = []

  void withEnv(List<String> pairs, Closure body) {
    pairs.each { pair ->
      def (name, value) = pair.split('=', 2)
      environment[name] = value
    }
    body()
  }

  void sh(String command) { ran << command }

  void error(String message) { throw new IllegalStateException(message) }
}

def configuration = new org.codehaus.groovy.control.CompilerConfiguration(scriptBaseClass: Pipeline.name)
def step = new GroovyShell(this.class.classLoader, new Binding(), configuration).parse(new File(args[0]))
step.call(runId: 'a b', history: false, timeout: 0)
assert step.environment.MAESTRO_RUN_ID == 'a b'
assert step.environment.MAESTRO_HISTORY == 'false'
assert step.environment.MAESTRO_TIMEOUT == '0'
assert step.environment.MAESTRO_BASE_URL == ''
assert step.environment.MAESTRO_CI == 'jenkins'
assert !step.environment.containsKey('DADOSFERA_PASSWORD')
assert step.ran.size() == 1 && step.ran[0].endsWith('exec maestro-gate')
// The page's own lines, with the step as the library's global variable.
abstract class Page extends Pipeline {
  Script maestroGate

  void maestroGate(Map given) { maestroGate.call(given) }

  Map usernamePassword(Map names) { names }

  void withCredentials(List<Map> credentials, Closure body) { body() }
}

def page = new File(args[1]).text
def blocks = (page =~ /(?s)```groovy\n(.*?)```/).collect { it[1] }
assert blocks.size() == 1
def pageConfiguration = new org.codehaus.groovy.control.CompilerConfiguration(scriptBaseClass: Page.name)
def shown = new GroovyShell(this.class.classLoader, new Binding(), pageConfiguration).parse(blocks[0])
shown.maestroGate = step
shown.run()
assert step.ran.size() == 2 && step.environment.MAESTRO_RUN_ID == 'latest' && step.environment.MAESTRO_HISTORY == ''
try {
  step.call(runid: 'a')
  assert false : 'an unknown input was accepted'
} catch (IllegalStateException refused) {
  assert refused.message == 'maestroGate has no input runid'
}
println "groovy ${GroovySystem.version}: the step for Jenkins, ${step.environment.size()} variables"
