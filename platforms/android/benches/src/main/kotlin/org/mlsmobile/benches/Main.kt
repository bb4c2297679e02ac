package org.mlsmobile.benches

import org.openjdk.jmh.annotations.Mode
import org.openjdk.jmh.profile.GCProfiler
import org.openjdk.jmh.results.RunResult
import org.openjdk.jmh.runner.Runner
import org.openjdk.jmh.runner.options.OptionsBuilder
import org.openjdk.jmh.runner.options.TimeValue
import java.util.concurrent.TimeUnit

/**
 * `FIXTURE LIBRARY-FOLDER LOG`: runs all, each in a JVM of its own, and prints the lines that `benches/ffi_cost` reads.
 * What JMH itself says goes into LOG.
 */
fun main(arguments: Array<String>) {
    val (fixture, library, log) = arguments
    val options =
        OptionsBuilder()
            .include("org.mlsmobile.benches.*")
            .jvmArgsAppend("-Dmls.fixture=$fixture", "-Djna.library.path=$library", "-Xmx1g")
            .mode(Mode.SampleTime)
            .timeUnit(TimeUnit.NANOSECONDS)
            .forks(1)
            .warmupIterations(4)
            .warmupTime(TimeValue.seconds(1))
            .measurementIterations(2)
            .measurementTime(TimeValue.seconds(1))
            .addProfiler(GCProfiler::class.java)
            .shouldFailOnError(true)
            .output(log)
            .build()
    for (run in Runner(options).run()) {
        val (through, method) = run.params.benchmark.split('.').takeLast(2)
        val size = run.params.getParam("size")
        // An id is the same with every size.
        if (method == "id" && size != "small") continue
        val call = if (method == "id") method else "$method-$size"
        val contestant = "kotlin-${through.lowercase()}"
        fun print(figure: String, value: Double) = println("$contestant\t$call\t$figure\t${value.toLong()}")
        val times = run.primaryResult.statistics
        print("median", times.getPercentile(50.0))
        print("least", times.min)
        print("allocated", run.allocated())
    }
}

private fun RunResult.allocated(): Double =
    secondaryResults.entries.first { it.key.endsWith("gc.alloc.rate.norm") }.value.score
