// TeamCity, Kotlin DSL: docs/teamcity.md. The agent needs the binary on its PATH.
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
                scriptContent = "exec maestro-gate --timeout 50m"
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
}
