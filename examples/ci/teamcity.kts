// TeamCity, Kotlin DSL: docs/teamcity.md. The agent needs the program on its PATH, docs/install.md.
import jetbrains.buildServer.configs.kotlin.*
import jetbrains.buildServer.configs.kotlin.buildSteps.script

version = "2024.12"

project {
    buildType {
        id("Gate")
        name = "Wait for Maestro"
        params {
            text("env.MAESTRO_PIPELINE_ID", "")
            text("env.MAESTRO_RUN_ID", "")
            text("env.DADOSFERA_USERNAME", "")
            password("env.DADOSFERA_PASSWORD", "")
        }
        steps {
            script {
                name = "Wait for Maestro"
                scriptContent = "exec maestro-gate --max-age 24h --timeout 50m"
            }
            script {
                name = "Tell what came of it"
                executionMode = BuildStep.ExecutionMode.ALWAYS
                // The gate has set these as environment variables of later steps.
                scriptContent = "echo \"\$MAESTRO_GATE_VERDICT after \$MAESTRO_GATE_DURATION_SECONDS s\""
            }
        }
        failureConditions {
            executionTimeoutMin = 60
        }
    }

    buildType {
        id("Deploy")
        name = "Deploy"
        params {
            // Passed on to the gate, which runs as a part of this build's chain.
            text("reverse.dep.*.env.MAESTRO_RUN_ID", "")
        }
        steps {
            script {
                scriptContent = "./deploy.sh"
            }
        }
        dependencies {
            snapshot(RelativeId("Gate")) {
                // Explicit, because by default TeamCity may use an older pass, or run a build whose dependency failed.
                reuseBuilds = ReuseBuilds.NO
                onDependencyFailure = FailureAction.FAIL_TO_START
                onDependencyCancel = FailureAction.FAIL_TO_START
            }
        }
    }
}
